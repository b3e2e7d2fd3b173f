"""The paper's full design, planned; and the estimate that is printed before a run."""

import pytest

from photoz import configuration, estimate
from photoz.machine import Machine
from tests.workflow.conftest import ROOT, make_workflow
from tests.workflow.rules import FIGURES
from tests.workflow.test_dry_run import jobs

PAPER = "config/paper.yaml"
SAYS = "photoz: all of"


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """The dry run of the paper's design: jobs of every rule, and what was printed."""
    result = make_workflow(tmp_path_factory.mktemp("paper")).run("--dry-run", config=PAPER)
    assert result.returncode == 0, result.stdout
    return jobs(result.stdout), result.stdout


def test_the_papers_design_has_the_jobs_that_it_must(planned):
    counts = planned[0]
    mocks, splits, folds = 2, 10, 5
    assert counts["simulate"] == 2 * 1_000_000 // 50_000  # two simulations
    assert counts["pretrain"] == 3  # FSPS, templates, and without autoencoder
    assert counts["inject_noise"] == 2
    # Ten splits with and without pretraining; one split of: template simulation, no autoencoder,
    # alpha = 1, a tenth of the galaxies with and without pretraining. `single` is in the first.
    assert counts["finetune"] == counts["predict"] == mocks * (2 * splits + 5)
    assert counts["neighbours"] == mocks * 2
    assert counts["template_fit"] == counts["template_zero_points"] == mocks * folds
    assert counts["template_model"] == counts["outlier_test"] == 1
    assert "template_prior" not in counts and "learn_noise" not in counts
    assert counts["ensemble"] == counts["evaluate"] == mocks * 11
    assert counts["observe"] == counts["splits"] == mocks
    assert counts["results_page"] == counts["all"] == 1


def test_the_estimate_has_the_jobs_that_are_planned(planned):
    counts = dict(planned[0])
    for name in ("all", "total"):
        counts.pop(name)
    figures = sum(counts.pop(name, 0) for name in FIGURES)
    found = estimate.estimate(configuration.load(ROOT / PAPER), Machine(), 2)
    expected = {row.rule: row.jobs for row in found.rows}
    assert expected.pop("figures") == figures
    assert expected == counts


def test_the_estimate_of_the_papers_design_is_plausible():
    found = estimate.estimate(configuration.load(ROOT / PAPER), Machine(), 2)
    rows = {row.rule: row for row in found.rows}
    # 700 epochs of 68 batches of 5 x 100 galaxies, 50 times less the tenths, at 2.3 MFLOP forward
    # and twice that backward: 50 to 58 PFLOP per mock. No core does more than 1 TFLOP/s.
    assert rows["finetune"].seconds > 2 * 20 * 700 * 68 * 500 * 3 * 2.3e6 / 1e12
    assert 8 * 3600 < found.processor_seconds < 200 * 3600
    assert rows["finetune"].seconds > 0.8 * found.processor_seconds
    assert 0.4e9 < rows["pretrain"].memory < 8e9  # a million galaxies in 46 bands, twice
    assert 1e9 < found.disk < 20e9


def test_dry_runs_do_not_measure_the_machine(planned):
    assert SAYS not in planned[1]


def test_a_run_says_in_at_most_three_lines_what_it_will_take(workflow):
    result = workflow.run("fig1")
    assert result.returncode == 0, result.stdout
    said = [line for line in result.stdout.splitlines() if line.startswith("photoz:")]
    assert said[0].startswith(f"{SAYS} 'tiny'") and "on 2 cores" in said[0]
    assert 2 <= len(said) <= 3
