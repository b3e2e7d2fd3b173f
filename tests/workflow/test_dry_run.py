"""What Snakemake plans, without running it."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from photoz import configuration, stages
from photoz.metrics.paper_conclusions import PAPER_CONCLUSIONS
from tests.workflow.conftest import ROOT, TINY, Workflow, make_workflow
from tests.workflow.rules import FIGURES


def jobs(output):
    """Number of jobs of every rule, from the table that Snakemake prints."""
    table = output.split("Job stats:")[1].split("Reasons:")[0]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Jobs of the tiny run."""
    result = make_workflow(tmp_path_factory.mktemp("planned")).run("--dry-run")
    assert result.returncode == 0, result.stdout
    return jobs(result.stdout)


def test_the_default_run_is_planned_by_the_bare_command(workflow):
    result = workflow.run("--dry-run", config=None)
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["all"] == planned["results_page"] == planned["report_page"] == 1
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


def test_variants_share_their_trainings(planned):
    assert planned["finetune"] == 5  # two splits with pretraining, one of each other variant
    assert planned["neighbours"] == 2  # of all galaxies and of half
    assert planned["ensemble"] == planned["evaluate"] == 7
    assert planned["simulate"] == 2


def test_the_curve_of_training_sizes_shares_one_pretraining(workflow):
    result = workflow.run("--dry-run", config="config/training_size.yaml")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["pretrain"] == planned["fig_training_size"] == planned["conclusions"] == 1
    assert planned["finetune"] == 20  # five sizes, with and without pretraining, two catalogues


def test_one_run_has_every_conclusion(workflow):
    result = workflow.run("--dry-run", config="config/laptop.yaml")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["pretrain"] == 9  # three simulations, five other networks, wrong fluxes
    assert {name: planned.get(name) for name in FIGURES} == dict.fromkeys(FIGURES, 1)
    run = configuration.load(ROOT / "config" / "laptop.yaml")
    for catalogue in run["evaluation"]["paper"]:
        here = set(stages.variants_of(run, catalogue))
        lacking = [c.name for c in PAPER_CONCLUSIONS if not here.issuperset(c.variants)]
        assert not lacking, (catalogue, lacking)


def test_every_figure_is_planned(planned):
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
    of_networks = {"fig1", "fig4", "fig5", "fig6", "fig7", "figF1", "fig_training"}
    of_networks |= {"fig_members", "fig_test_time", "fig_training_size"}
    assert set(FIGURES) - set(planned) == of_networks | {"fig_zero_points"}


def test_the_broad_band_table_is_a_target(workflow):
    result = workflow.run("--dry-run", "broad_band_table")
    assert result.returncode == 0, result.stdout
    assert jobs(result.stdout)["denoising"] == 1


def test_figures_are_targets_and_resources_go_behind_them(workflow):
    result = workflow.run("--dry-run", *FIGURES, "--resources", "gpu=1")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert {name: planned.get(name) for name in FIGURES} == dict.fromkeys(FIGURES, 1)
    assert "results_page" not in planned
    assert "all" not in planned


def test_resources_with_an_equals_sign_go_before_the_target(workflow):
    planned = jobs(workflow.run("--dry-run", "--resources=gpu=1", "fig1").stdout)
    assert (planned["fig1"], planned["total"]) == (1, 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sede: 3", "config: sede: unknown key (did you mean 'seed'?)"),
        (
            "variants: {pretrained: {splits: 5}}",
            "config: variants.pretrained.splits: 5 of only 2 splits; raise splits.n_splits",
        ),
        ("seed: 1\nseed: 2", "wrong.yaml: key 'seed' occurs twice in its block, again in line 2"),
        ("survey: config/survey.yaml", "config/survey.yaml: survey not found; check the path"),
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
    assert planned["finetune"] == 4  # and nothing of config/config.yaml


def test_the_rules_pass_snakemakes_own_check(workflow):
    result = workflow.run("--lint")
    assert result.returncode == 0, result.stdout
    assert "good condition" in result.stdout


PLUGINS = {"slurm": "slurm", "htcondor": "htcondor", "generic": "cluster_generic"}


@pytest.mark.parametrize("name", ["gpu", *PLUGINS])
def test_a_profile_is_accepted(workflow, name):
    if name in PLUGINS:
        pytest.importorskip(
            f"snakemake_executor_plugin_{PLUGINS[name]}", reason="an extra of pyproject.toml"
        )
    profile = ROOT / "workflow" / "profiles" / name
    result = workflow.run("--dry-run", "--workflow-profile", str(profile))
    assert result.returncode == 0, result.stdout
    assert jobs(result.stdout)["finetune"] == 5


# What reads a survey's response curves, and some of what follows from it.
READ_CURVES = {"simulate", "inject_noise", "observe", "pretrain", "neighbours", "fig1"}
READ_CURVES |= {"denoising", "denoising_example", "fig_spectra"}
READ_CURVES |= {"template_model", "outlier_test"}
OWN_FILES = ("curves/u.csv", "data/galaxies.csv", "data/single.csv")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A default run on the user's own files, with empty files in place of all that it makes."""
    workflow = Workflow(tmp_path_factory.mktemp("made"))
    folder = workflow.folder
    for name in OWN_FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("3500,0\n3600,1\n3900,1\n4000,0\n")
    bands = [{"name": "u", "kind": "broad", "file": "curves/u.csv"}]
    bands += [{"name": "i", "kind": "broad", "sedpy": "sdss_i0"}]
    survey = {"name": "mine", "zero_point": 25, "reference_band": "i", "bands": bands}
    (folder / "survey.yaml").write_text(yaml.safe_dump(survey))
    exposures = dict.fromkeys(("id", "band", "flux", "error"), "x") | {"path": "single.csv"}
    columns = {"id": "id", "flux": "f_{band}", "error": "e_{band}", "exposures": exposures}
    source = {"kind": "file", "path": "data/galaxies.csv", "columns": columns}
    content = yaml.safe_load((ROOT / TINY).read_text())
    content |= {"survey": "survey.yaml", "catalogues": {"mine": source}}
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(content))
    summary = workflow.run("--summary", config=None).stdout
    outputs = re.findall(r"^(results/\S+)\t", summary, re.MULTILINE)
    assert len(outputs) > 30, summary
    for output in outputs:
        (folder / output).parent.mkdir(parents=True, exist_ok=True)
        (folder / output).touch()
    touched = workflow.run("all", "--touch", "--forceall", config=None)  # notes the parameters
    assert touched.returncode == 0, touched.stdout
    return workflow


def planned_after_editing(made, name):
    """Jobs that follow from another content of a file."""
    path = made.folder / name
    before = path.read_text()
    path.write_text(before + "# edited\n")
    result = made.run("--dry-run", "--rerun-triggers", "mtime", config=None)
    path.write_text(before)  # the checksum tells that it is as it was
    return set(jobs(result.stdout))


def test_what_reads_a_response_curve_runs_again_when_it_is_edited(made):
    planned = planned_after_editing(made, "curves/u.csv")
    assert planned >= READ_CURVES | {"finetune", "predict", "results_page"}


def test_what_reads_the_table_of_exposures_runs_again_when_it_is_edited(made):
    planned = planned_after_editing(made, "data/single.csv")
    assert planned >= {"observe", "finetune", "neighbours", "template_zero_points", "results_page"}
    assert not planned & {"simulate", "inject_noise", "pretrain", "template_model", "fig1"}


def test_naming_the_default_configuration_changes_nothing(made):
    # as `make` does, and the bare command does not
    named = ("--configfile", "config/config.yaml")
    result = made.run("--dry-run", "--rerun-triggers", "params", *named, config=None)
    assert "Nothing to be done" in result.stdout, result.stdout


def test_keys_given_on_the_command_line_are_on_the_page(made):
    result = made.run("--dry-run", "--rerun-triggers", "params", "--config", "seed=1", config=None)
    made_again = {"results_page": 1, "report_page": 1, "all": 1}
    assert jobs(result.stdout) == made_again | {"total": 3}  # the seed was 1


def planned_by_make(**environment):
    """The last command of `make run`, in words."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "--dry-run", "--old-file=.venv/.ready", "run", "CORES=1"]
    command += [f"CONFIG={TINY}"]
    planned = subprocess.run(
        command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=True
    )
    return planned.stdout.strip().splitlines()[-1].split()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_make_trains_on_as_many_gpus_as_there_are(tmp_path, count):
    lister = tmp_path / "nvidia-smi"
    lines = "".join(f"echo 'GPU {i}: made up (UUID: GPU-{i})'\n" for i in range(count))
    lister.write_text(f"#!/bin/sh\n{lines}")
    lister.chmod(0o755)
    line = planned_by_make(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert [word for word in line if word.startswith("gpu=")] == [f"gpu={count}"] * bool(count)


def test_the_commands_of_make_can_be_parsed():
    """Options that take a list swallow a target that follows them."""
    line = planned_by_make()
    assert line[1:4] == ["-m", "snakemake", "all"]
    dry = subprocess.run(
        [sys.executable, *line[1:], "--dry-run"], cwd=ROOT, capture_output=True, text=True
    )
    assert dry.returncode == 0, dry.stderr
