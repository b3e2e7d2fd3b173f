"""The rules as written: each says what it logs, needs and runs in; profiles and pins agree."""

import ast
import importlib
import re

import pytest
import yaml

from tests.workflow.conftest import ROOT
from tests.workflow.rules import FIGURES, FOLDER, RULES, directives, script

CONSTRAINTS = dict(
    line.lower().split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
)
CONDA_NAMES = {"pytorch-cpu": "torch", "pytorch-gpu": "torch"}


def test_all_rules_are_found():
    text = "".join(path.read_text() for path in FOLDER.glob("*.smk"))
    declared = re.findall(r"^\s*(?:rule|checkpoint)\b\s*(\w*)", text, re.MULTILINE)
    assert sorted(RULES) == sorted(declared)
    assert {"simulate", "pretrain", "finetune", "ensemble", "fig8", "results_page"} <= set(RULES)


def test_every_rule_has_its_script_and_every_script_its_rule():
    scripts = [script(body) for body in RULES.values()]
    assert sorted(scripts) == sorted((ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_module_script_and_caption_of_its_name(name):
    assert script(RULES[name]).name == f"{name}.py"
    assert re.findall(r'figure\("(\w+)"', directives(RULES[name])["output"]) == [name]
    module = importlib.import_module(f"photoz.figures.{name.lower()}")
    assert callable(module.draw)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_complete(name):
    parts = directives(RULES[name])
    for part in ("input", "output", "log", "benchmark", "conda", "threads", "resources", "script"):
        assert part in parts, part
    for resource in ("mem_mb", "runtime"):  # a job that failed may try again with more
        assert f" {resource}=growing(" in parts["resources"], resource


@pytest.mark.parametrize("name", RULES)
def test_training_rules_and_no_others_take_the_gpu(name):
    parts = directives(RULES[name])
    trains = name in ("pretrain", "finetune")
    assert ("gpu=1" in parts["resources"]) == trains
    assert ("GPU" in parts["conda"]) == trains
    assert parts["threads"].strip() == ("pretraining_threads" if name == "pretrain" else "1")


@pytest.mark.parametrize("name", RULES)
def test_log_and_benchmark_have_the_wildcards_of_the_output(name):
    parts = directives(RULES[name])
    wildcards = {key: set(re.findall(r"\{(\w+)\}", parts[key])) for key in ("log", "benchmark")}
    assert (
        wildcards["log"] == wildcards["benchmark"] == set(re.findall(r"\{(\w+)\}", parts["output"]))
    )


@pytest.mark.parametrize("name", RULES)
def test_each_script_exists_and_is_a_door(name):
    source = script(RULES[name]).read_text()
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    assert "with job_log(snakemake.log[0]):" in source
    assert len(source.splitlines()) < 80, "a script is short; what computes belongs in photoz/"


def test_captions_exist():
    text = "".join(path.read_text() for path in FOLDER.glob("*.smk"))
    captions = set(re.findall(r'caption="\.\./report/([\w{}]+)\.rst"', text)) - {"{name}"}
    captions |= set(re.findall(r'figure\("(\w+)"', text)) | {"workflow"}
    written = {path.stem for path in (ROOT / "workflow" / "report").glob("*.rst")}
    assert captions == written
    for caption in captions:
        assert (ROOT / "workflow" / "report" / f"{caption}.rst").stat().st_size > 50, caption


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_conda_pins_are_the_tested_versions(path):
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    pip = next(item["pip"] for item in dependencies if isinstance(item, dict))
    pins = [item for item in dependencies if isinstance(item, str)] + pip
    pinned = 0
    for pin in pins:
        match = re.fullmatch(r"([\w.-]+)(?:\[\w+\])? ?==?([\w.]+)", pin)
        if match and match[1] not in ("python", "fsps"):
            assert CONSTRAINTS[CONDA_NAMES.get(match[1], match[1])] == match[2], pin
            pinned += 1
    assert pinned >= 15


def test_constraints_cover_the_project_and_choose_no_build_of_torch():
    project = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r'^    "([\w-]+)(?:\[\w+\])?[>=]', project, re.MULTILINE):
        assert name in CONSTRAINTS, name
    assert not [version for version in CONSTRAINTS.values() if "+" in version]


PROFILES = {
    path.parent.name: path
    for path in sorted((ROOT / "workflow" / "profiles").glob("*/config.yaml"))
}


def test_all_profiles_are_found():
    assert set(PROFILES) == {"default", "gpu", "slurm", "htcondor", "generic"}
    folders = {path.name for path in (ROOT / "workflow" / "profiles").iterdir()}
    assert folders == set(PROFILES), "an empty folder is an error of Snakemake"


@pytest.mark.parametrize("name", PROFILES)
def test_every_setting_of_a_profile_has_its_reason(name):
    lines = PROFILES[name].read_text().splitlines()
    settings = [i for i, line in enumerate(lines) if line and not line.startswith(("#", " "))]
    assert settings
    assert [lines[i] for i in settings if not lines[i - 1].startswith("#")] == []


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_repeats_the_default_one_that_it_replaces(name):
    default = yaml.safe_load(PROFILES["default"].read_text())
    own = yaml.safe_load(PROFILES[name].read_text())
    assert {key: own.get(key) for key in default} == default


def test_what_each_profile_says_of_gpus():
    limits = {
        name: yaml.safe_load(path.read_text()).get("resources") for name, path in PROFILES.items()
    }
    assert limits.pop("gpu") == ["gpu=1"]
    assert set(limits.values()) == {None}, "a scheduler limits GPUs itself"


def test_profiles_name_rules_that_there_are():
    for path in PROFILES.values():
        assert set(yaml.safe_load(path.read_text()).get("set-resources", {})) <= set(RULES)


def test_the_commented_lines_of_the_slurm_profile_are_settings():
    text = PROFILES["slurm"].read_text()
    commented = re.findall(r"^# ((?:\w[\w-]*:| {2,}).*)$", text, re.MULTILINE)
    settings = yaml.safe_load("\n".join(commented))
    assert set(settings) == {"default-resources", "set-resources", "slurm-array-jobs"}
    assert set(settings["set-resources"]) == {"pretrain", "finetune"}
