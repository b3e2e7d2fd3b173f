"""What Snakemake plans, without running it."""

import re

import pytest
import yaml

from tests.workflow.conftest import ROOT, TINY
from tests.workflow.rules import FIGURES


def jobs(output):
    """Number of jobs of every rule, from the table that Snakemake prints."""
    table = output.split("Job stats:")[1].split("Reasons:")[0]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def test_the_default_run_is_planned_by_the_bare_command(workflow):
    result = workflow.run("--dry-run", config=None)
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["all"] == planned["results_page"] == 1
    assert planned["pretrain"] == 1
    assert planned["finetune"] == planned["predict"] >= 4


def test_the_broad_band_run_needs_the_table_and_says_so(workflow):
    result = workflow.run("--dry-run", config="config/zcosmos.yaml")
    assert result.returncode != 0
    assert "data/zcosmos20k_broadband.parquet" in result.stdout


def test_the_broad_band_run_is_planned_where_the_table_is(workflow):
    table = workflow.folder / "data" / "zcosmos20k_broadband.parquet"
    table.parent.mkdir()
    table.touch()
    result = workflow.run("--dry-run", config="config/zcosmos.yaml")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert "fig_mock" not in planned
    assert planned["observe"] == 1


def test_variants_share_their_trainings(workflow):
    planned = jobs(workflow.run("--dry-run").stdout)
    assert planned["finetune"] == 3  # two splits with pretraining, one without
    assert planned["neighbours"] == 1
    assert planned["ensemble"] == planned["evaluate"] == 3
    assert planned["simulate"] == 2


def test_every_figure_is_planned(workflow):
    planned = jobs(workflow.run("--dry-run").stdout)
    assert {name: planned.get(name) for name in FIGURES} == dict.fromkeys(FIGURES, 1)


def plan_with(workflow, **changes):
    """Jobs of the tiny run with other sections in its configuration."""
    content = yaml.safe_load((ROOT / TINY).read_text()) | changes
    config = workflow.folder / "changed.yaml"
    config.write_text(yaml.safe_dump(content))
    result = workflow.run("--dry-run", "--configfile", str(config), config=None)
    assert result.returncode == 0, result.stdout
    return jobs(result.stdout)


def test_the_mock_figure_is_left_out_for_a_survey_with_other_bands(workflow):
    survey = workflow.folder / "sdss.yaml"
    bands = [{"name": b, "kind": "broad", "sedpy": f"sdss_{b}0"} for b in "gri"]
    survey.write_text(
        yaml.safe_dump({"name": "s", "zero_point": 22.5, "reference_band": "r", "bands": bands})
    )
    planned = plan_with(workflow, survey=str(survey))
    assert set(FIGURES) - set(planned) == {"fig_mock"}
    assert planned["observe"] == planned["results_page"] == 1


def test_figures_of_networks_are_left_out_without_one(workflow):
    variants = {"neighbours": {"method": "neighbours", "neighbours": "few"}}
    planned = plan_with(workflow, variants=variants)
    assert set(FIGURES) - set(planned) == {"fig1", "fig_training"}


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_a_target(workflow, name):
    result = workflow.run("--dry-run", name)
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned[name] == 1
    assert "results_page" not in planned
    assert "all" not in planned


def test_resources_behind_the_target_and_with_an_equals_sign_work(workflow):
    for arguments in (("fig1", "--resources", "gpu=1"), ("--resources=gpu=1", "fig1")):
        assert jobs(workflow.run("--dry-run", *arguments).stdout)["fig1"] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sede: 3", "config: sede: unknown key (did you mean 'seed'?)"),
        (
            "variants: {pretrained: {splits: 5}}",
            "config: variants.pretrained.splits: 5 of only 2 splits; raise splits.n_splits",
        ),
        ("noise: {bright: {broad: -1}}", "config: noise.bright.broad: -1 is less than or equal"),
    ],
)
def test_a_wrong_configuration_is_one_line_without_traceback(workflow, line, message):
    wrong = workflow.folder / "wrong.yaml"
    wrong.write_text(line + "\n")
    result = workflow.run("--dry-run", "--configfile", str(ROOT / TINY), str(wrong), config=None)
    assert result.returncode == 1
    assert message in result.stdout
    assert "Traceback" not in result.stdout


def test_configuration_files_stand_alone_and_lie_over_each_other(workflow):
    overlay = workflow.folder / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({"variants": {"pretrained": {"splits": 1}}}))
    result = workflow.run("--dry-run", "--configfile", str(ROOT / TINY), str(overlay), config=None)
    planned = jobs(result.stdout)
    assert planned["finetune"] == 2  # and nothing of config/config.yaml


def test_the_rules_pass_snakemakes_own_check(workflow):
    result = workflow.run("--lint")
    assert result.returncode == 0, result.stdout
    assert "good condition" in result.stdout


def test_the_gpu_profile_is_accepted(workflow):
    profile = ROOT / "workflow" / "profiles" / "gpu"
    result = workflow.run("--dry-run", "--workflow-profile", str(profile))
    assert result.returncode == 0, result.stdout
    assert jobs(result.stdout)["finetune"] == 3
