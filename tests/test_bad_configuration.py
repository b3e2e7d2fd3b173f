"""Configurations as nobody should write them: every one is fine or refused in one line."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from photoz import configuration, consistency, figure_stages, inputs, stages
from photoz.cli import app
from photoz.files import InputError
from photoz.survey.columns import parse_columns
from photoz.survey.selection import Selection
from photoz.survey.survey import load_survey, survey_from_dict
from photoz.yaml_files import read_yaml
from tests.fuzzing import (
    EVIL_NUMBERS,
    HOSTILE_NAMES,
    ODD_VALUES,
    assert_one_line,
    damage,
    examples,
    fine_or_refused,
    mutations,
    nested,
)

SURVEY = {
    "name": "toy",
    "zero_point": 26,
    "reference_band": "i",
    "bands": [
        {"name": "N1", "kind": "narrow", "file": "n1.csv"},
        {"name": "i", "kind": "broad", "file": "i.csv", "response": "energy"},
    ],
    "depth": {"narrow": {4500: 22, 8500: 23.5}, "i": 25},
    "exposures": {"nominal": 5, "minimum": 3, "maximum": 10},
    "columns": {"id": "id", "flux": "f_{band}", "error": "e_{band}"},
    "selection": {"magnitude_max": 22.5, "confidence": [[3, 5]], "required": ["i"]},
}
COLUMNS = {
    "id": "id",
    "redshift": "z",
    "confidence": "cc",
    "masks": ["bad"],
    "missing": [-99, float("inf")],
    "table": "data",
    "flux": "f_{band}",
    "error": "e_{band}",
    "units": "uJy",
    "bands": {"i": {"mag": "m", "error": "e", "error_floor": 0.01}, "N1": {"error_floor": 0.1}},
    "exposures": {
        "path": "single.csv",
        "id": "id",
        "band": "band",
        "flux": "flux",
        "error": "error",
        "zero_point": 25,
        "names": {"N-1": "N1", 2: "i"},
        "missing": -99,
    },
}


def everything(survey):
    """A configuration with every section and kind."""
    return {
        "name": "all",
        "survey": str(survey),
        "catalogues": {
            "mock": {"kind": "mock", "n_galaxies": 200},
            "mine": {"kind": "file", "path": "mine.csv", "columns": COLUMNS},
        },
        "splits": {"n_splits": 2, "n_folds": 2},
        "simulations": {
            "fsps": {"n_galaxies": 300, "prior": {"tau": [0.1, 1], "logarithmic": ["tau"]}},
            "sky": {"kind": "templates", "red": {"slope": -0.5}},
        },
        "noise": {
            "bright": {"broad": "3.5e1"},
            "deep": {"kind": "survey_depth"},
            "learned": {"kind": "empirical"},
        },
        "networks": {"small": {"width": 16}},
        "pretraining": {
            "short": {"network": "small", "simulation": "fsps", "noise": "bright"},
            "long": {"network": "small", "simulation": "sky", "noise": "learned"},
        },
        "finetuning": {"short": {"epochs": 5, "quiet_epochs": 1, "match_steps_of": "short"}},
        "neighbours": {"few": {"n_neighbours": 10}},
        "templates": {"coarse": {"model": {"redshift_step": 0.05}}},
        "variants": {
            "deepz": {"pretraining": "short", "finetuning": "short", "splits": 2},
            "learned": {"pretraining": "long", "finetuning": "short"},
            "scratch": {"finetuning": "short", "training_fraction": 0.5},
            "near": {"method": "neighbours", "neighbours": "few", "catalogues": ["mock"]},
            "bcnz2": {"method": "templates", "templates": "coarse"},
        },
        "evaluation": {"comparisons": [["deepz", "scratch"]]},
    }


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surveys")
    (folder / "n1.csv").write_text("4500,0\n4510,1\n4590,1\n4600,0\n")
    (folder / "i.csv").write_text("wavelength,response\n7000,0\n7010,1\n8290,1\n8300,0\n")
    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump(SURVEY))
    return path


def use(config):
    """What the workflow does with a configuration before its first job."""
    run = configuration.resolve(config)
    consistency.check(run)
    stages.trainings(run)
    figure_stages.shown(run)
    stages.jobs(run)
    inputs.curve_files(run)
    for name in run["simulations"]:
        stages.chunks(run, name)
    for name in run["catalogues"]:
        inputs.exposure_tables(run, name)
    configuration.fingerprint(run)
    return run


def leaves(node=None, path="", seen=()):
    """Path and schema node of every value of a configuration, of every kind."""
    node = configuration.node_at(configuration.schema() if node is None else node)
    if not configuration._is_object(node):
        yield path, node
        return
    for name, kind in node.get("kinds", {}).items():
        yield from leaves(kind, f"{path}:{name}")
    for key, child in node.get("properties", {}).items():
        yield from leaves(child, f"{path}.{key}")
    if isinstance(node.get("additionalProperties"), dict):
        yield from leaves(node["additionalProperties"], f"{path}.*")


def types(node):
    """What a key may be."""
    found = node.get("type", [])
    return {found} if isinstance(found, str) else set(found)


NUMERIC = [
    pytest.param(node, id=path) for path, node in leaves() if types(node) & {"number", "integer"}
]


def test_the_configuration_with_everything_is_fine(survey):
    run = use(everything(survey))
    assert run["noise"]["bright"]["broad"] == 35


def test_every_numeric_key_is_found():
    assert len(NUMERIC) > 120


@pytest.mark.parametrize("node", NUMERIC)
def test_numbers_that_are_none_are_refused_by_every_key(node):
    for value in EVIL_NUMBERS:
        if isinstance(value, str) and "string" in types(node):
            continue
        for odd in (value, [value, value], [[value, value]]):
            with pytest.raises(InputError) as caught:
                configuration._leaf(node, odd, "key")
            assert_one_line(str(caught.value))
    if node.get("minimum", node.get("exclusiveMinimum", -1)) >= 0:
        with pytest.raises(InputError):
            configuration._leaf(node, -1, "key")


@pytest.mark.parametrize(("path", "node"), [pytest.param(p, n, id=p) for p, n in leaves()])
def test_odd_values_are_fine_or_refused_by_every_key(path, node):
    for value in ODD_VALUES:
        with fine_or_refused():
            configuration._leaf(node, value, path)


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name != "con"])
def test_no_hostile_name_becomes_part_of_a_path(survey, name):
    """Names of runs, of every section and of runs to publish end up in paths of the results."""
    for section in ("catalogues", "simulations", "noise", "networks", "variants", "templates"):
        config = everything(survey)
        config[section] = {name: next(iter(config[section].values()))}
        with pytest.raises(InputError, match="cannot be a name here") as caught:
            configuration.resolve(config)
        assert_one_line(str(caught.value))
    for change in ({"name": name}, {"publish": [name]}):
        with pytest.raises(InputError, match=r"config: (name|publish\[0\]): "):
            configuration.resolve(everything(survey) | change)


@pytest.mark.parametrize("folder", ["", "a\nb", "a\0b", "{wildcard}", "<results>", "a" * 5000])
def test_a_folder_that_snakemake_would_read_as_a_pattern_is_refused(survey, folder):
    with pytest.raises(InputError, match="config: results_dir: "):
        configuration.resolve(everything(survey) | {"results_dir": folder})


@pytest.mark.parametrize("folder", ["/data/runs", "../runs", "a b; touch x", "-rf", "é"])
def test_results_go_where_they_are_asked_to(survey, folder):
    assert use(everything(survey) | {"results_dir": folder})["results_dir"] == folder


@examples(40)
@given(data=st.data())
def test_a_mutated_configuration_is_fine_or_refused(survey, data):
    config = data.draw(mutations(everything(survey)))
    with fine_or_refused():
        run = use(config)
        for path, value in numbers(run):
            assert math.isfinite(value) and abs(value) < 2**63, path


def numbers(value, path=""):
    """Every number of a resolved configuration but those of column maps."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "columns":
                yield from numbers(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item, path)
    elif isinstance(value, int | float):
        yield path, value


@examples(150)
@given(mutations(COLUMNS))
def test_a_mutated_column_map_is_fine_or_refused(columns):
    with fine_or_refused():
        mapped = parse_columns(columns, ("N1", "i"))
        assert all(isinstance(name, str) for name in mapped.names)


@examples(100)
@given(nested)
def test_anything_as_column_map_survey_or_selection_is_refused(value):
    for read in (
        lambda: parse_columns(value, ("N1", "i")),
        lambda: survey_from_dict(value, Path("nowhere")),
        lambda: Selection.from_dict(value),
    ):
        with fine_or_refused():
            read()


@examples(60)
@given(data=st.data())
def test_a_mutated_survey_is_fine_or_refused(survey, data):
    changed = data.draw(mutations(SURVEY))
    with fine_or_refused():
        found = survey_from_dict(changed, survey.parent)
        assert found.reference_band in found.bands


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 10)
)
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{k}: &a{k} {{<<: [{', '.join([f'*a{k - 1}'] * 10)}]}}\n" for k in range(1, 10)
)
BROKEN_YAML = {
    "bomb": (BOMB, "every .alias"),
    "bomb of merged blocks": (MERGE_BOMB, "every .alias"),
    "a list that holds itself": ("a: &a [*a]\n", "holds itself"),
    "a block that holds itself": ("a: &a {b: {c: *a}}\n", "line 1: this block holds itself"),
    "a block merged into itself": ("a: &a {<<: *a}\n", "holds itself"),
    "deep": ("a: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    "deep blocks": ("".join(" " * k + "a:\n" for k in range(600)), "nested too deeply"),
    "large": ("a: 1\n" * 300_000, "too large"),
    "python": ("a: !!python/object/apply:os.system ['touch x']\n", "could not determine a cons"),
    "python name": ("a: !!python/name:os.system\n", "could not determine a constructor"),
    "own tag": ("a: !mine 1\n", "could not determine a constructor"),
    "a day that is none": ("a: 2020-13-45\n", "not what it says"),
    "not a truth": ("a: !!bool maybe\n", "not what it says"),
    "not a number": ("a: !!int x\n", "not what it says"),
    "no number": ("a: !!float ''\n", "not what it says"),
    "not a time": ("a: !!timestamp x\n", "not what it says"),
    "many digits": ("a: " + "9" * 5000, "not what it says"),
    "many hexadecimal digits": ("a: 0x" + "f" * 5000, "line 1: a number of absurd size"),
    "base 60": ("seed: 12:30:45\n", "line 1: YAML takes 12:30:45 for the number 45045"),
    "base 60 fraction": ("a:\n  b: -1:30.5\n", "line 2: YAML takes -1:30.5 for the number -90.5"),
    "base 8": ("seed: 0100\n", "YAML takes 0100 for the number 64"),
    "no alias": ("a: *b\n", "undefined alias"),
    "tab": ("a:\n\tb: 1\n", "not valid YAML"),
    "two documents": ("a: 1\n---\nb: 1\n", "not valid YAML"),
    "control characters": ("a: \x07\n", "not valid YAML"),
    "key of a list": ("[a, b]: 1\n", "not valid YAML"),
    "text": ("just a text\n", "expected `key: value`"),
    "list": ("- a\n", "expected `key: value`"),
    "nothing": ("# a comment\n", "expected `key: value`"),
    "null": ("~\n", "expected `key: value`"),
    "repeated": ("a: 1\na: 2\n", "occurs twice"),
    "utf-16": ("a: 1\n".encode("utf-16"), "not valid YAML"),
    "bytes": (bytes(range(256)), "not valid YAML"),
    "archive": (b"PK\x03\x04" + bytes(100), "not valid YAML"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN_YAML.values(), ids=BROKEN_YAML)
def test_broken_yaml_is_one_line_of_the_command(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: ")
    result = CliRunner().invoke(app, ["validate", str(path)])
    assert result.exit_code == 2 and result.stdout == ""
    assert_one_line(result.stderr.removesuffix("\n"))
    assert [item.name for item in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 0", 0),
        ("a: -0", 0),
        ("a: 0.5", 0.5),
        ("a: 1_000", 1000),
        ("a: 0x10", 16),
        ("a: 1.0e-3", 1e-3),
        ("a: '12:30'", "12:30"),
        ("a: .inf", math.inf),
        ("a: 12:30 h", "12:30 h"),
    ],
)
def test_plain_numbers_and_texts_are_read_as_they_look(tmp_path, text, value):
    (tmp_path / "a.yaml").write_text(text)
    assert read_yaml(tmp_path / "a.yaml") == {"a": value}


TINY = (Path(__file__).parent / "workflow" / "tiny.yaml").read_bytes()


@examples(40)
@given(damage(TINY) | st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_damaged_file_is_fine_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(content)
    with fine_or_refused():
        configuration.load(path)


@pytest.mark.parametrize("section", sorted(configuration.schema()["properties"]))
@pytest.mark.parametrize("empty", [None, {}, [], ""])
def test_an_empty_section_is_fine_or_refused(survey, section, empty):
    with fine_or_refused():
        use(everything(survey) | {section: empty})


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_file_name_is_refused_in_one_line(survey, name):
    for read in (configuration.load, load_survey):
        with pytest.raises(InputError) as caught:
            read(name)
        assert_one_line(str(caught.value))
    result = CliRunner().invoke(app, ["validate", "--", name])
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit)


def test_a_number_of_jobs_beyond_any_workflow_is_refused(survey):
    config = everything(survey)
    config["simulations"]["fsps"] |= {"n_galaxies": 10**9, "chunk_size": 1}
    with pytest.raises(InputError, match=r"simulations.fsps.chunk_size: 1 galaxies a job make 10"):
        use(config)
    config = everything(survey)
    config["templates"]["coarse"]["model"]["redshift_step"] = 1e-9
    with pytest.raises(InputError, match=r"templates.coarse.model.redshift_step: 1e-09 makes more"):
        use(config)
