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
    assert "mem_mb=" in parts["resources"]
    assert "runtime=" in parts["resources"]


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


@pytest.mark.parametrize("name", ["default", "gpu"])
def test_every_line_of_a_profile_has_its_reason(name):
    path = ROOT / "workflow" / "profiles" / name / "config.yaml"
    lines = path.read_text().splitlines()
    settings = [i for i, line in enumerate(lines) if line and not line.startswith(("#", " "))]
    assert settings
    if name == "default":
        assert all(lines[i - 1].startswith("#") for i in settings)
    assert yaml.safe_load(path.read_text()).get("resources") == (
        None if name == "default" else ["gpu=1"]
    )
