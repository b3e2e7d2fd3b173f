"""The configuration: defaults, errors that name the key, names that must exist, dataclasses."""

import dataclasses
import importlib
from pathlib import Path

import pytest
import yaml

from photoz import configuration, consistency
from photoz.files import InputError
from photoz.simulations.template_population import TemplatePopulation

ROOT = Path(__file__).parents[1]

# Where the schema's defaults must be those of a dataclass, and the keys that only the workflow
# knows. A new dataclass of settings belongs in this list.
DATACLASSES = [
    ("networks.*", "photoz.networks.config.NetworkConfig", {"convolved_inputs"}),
    (
        "pretraining.*",
        "photoz.training.config.PretrainingConfig",
        {"network", "simulation", "noise"},
    ),
    (
        "finetuning.*",
        "photoz.training.config.FinetuningConfig",
        {"network", "match_steps_of", "splits_per_job"},
    ),
    ("neighbours.*", "photoz.training.neighbours.NeighbourConfig", {"bands"}),
    ("templates.*.model", "photoz.templates.model.ModelConfig", set()),
    ("templates.*.fit", "photoz.templates.config.TemplateFitConfig", set()),
    ("simulations.*:populations.prior", "photoz.simulations.priors.Prior", set()),
    (
        "simulations.*:templates",
        "photoz.simulations.template_population.TemplatePopulation",
        {"n_galaxies", "chunk_size", "red", "blue"},
    ),
    ("catalogues.*:mock", "photoz.simulations.mock.MockConfig", {"population", "observing"}),
    ("catalogues.*:mock.population", "photoz.simulations.galaxies.PopulationConfig", set()),
    ("catalogues.*:mock.observing", "photoz.simulations.observing.ObservingConfig", set()),
]


def minimal(**changes):
    config = {
        "name": "run",
        "survey": "survey.yaml",
        "catalogues": {"mock": {"kind": "mock"}},
        "networks": {"small": {}},
        "finetuning": {"usual": {"network": "small"}},
        "variants": {"first": {"finetuning": "usual"}},
    }
    return configuration.merge(config, changes)


def plain(value):
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize(("path", "name", "workflow_only"), DATACLASSES)
def test_schema_defaults_are_the_dataclass_defaults(path, name, workflow_only):
    module, _, attribute = name.rpartition(".")
    fields = dataclasses.fields(getattr(importlib.import_module(module), attribute))
    expected = {
        field.name: plain(field.default if field.default_factory is dataclasses.MISSING else {})
        for field in fields
    }
    found = configuration.defaults(path)
    for key in workflow_only:
        expected.pop(key, None)
        found.pop(key, None)
    assert found == expected


@pytest.mark.parametrize("name", ["red", "blue"])
def test_luminosity_functions_of_the_schema_are_the_codes(name):
    function = getattr(TemplatePopulation(), name)
    found = configuration.defaults(f"simulations.*:templates.{name}")
    assert found == dataclasses.asdict(function)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_configurations_are_valid(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    run = configuration.load(path)
    consistency.check(run)
    assert (ROOT / run["survey"]).is_file()


def test_defaults_are_filled_at_every_level_without_changing_the_input():
    config = minimal()
    before = yaml.safe_dump(config)
    run = configuration.resolve(config)
    assert run["seed"] == 20200729
    assert run["catalogues"]["mock"]["n_galaxies"] == 8566
    assert run["catalogues"]["mock"]["observing"]["outlier_fraction"] == 0.01
    assert run["variants"]["first"]["training_fraction"] == 1.0
    assert yaml.safe_dump(config) == before


def test_the_same_configuration_in_another_order_resolves_to_the_same_sections():
    config = minimal(networks={"small": {"width": 30, "features": 4}})
    other = minimal(networks={"small": {"features": 4, "width": 30}})
    dump = [repr(configuration.resolve(c)["networks"]) for c in (config, other)]
    assert dump[0] == dump[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sed": 1}, r"config: sed: unknown key \(did you mean 'seed'\?\)"),
        (
            {"networks": {"small": {"feature": 3}}},
            r"networks\.small\.feature: unknown key \(did you mean 'features'\?\)",
        ),
        (
            {"catalogues": {"mock": {"observing": {"outlier_frac": 0}}}},
            r"catalogues\.mock\.observing\.outlier_frac: unknown key \(did you mean 'outlier_fr",
        ),
        ({"seed": "many"}, r"config: seed: 'many' is not of type 'integer'"),
        ({"seed": 1.5}, r"config: seed: 1.5 is not of type 'integer'"),
        ({"seed": True}, r"config: seed: True is not of type 'integer'"),
        ({"splits": {"n_folds": 1}}, r"splits\.n_folds: 1 is less than the minimum of 2"),
        (
            {"networks": {"small": {"layer_order": "linear_norm"}}},
            r"layer_order: 'linear_norm' is not one of .*did you mean 'linear_norm_relu'",
        ),
        ({"splits": 3}, r"config: splits: expected a mapping, found 3"),
        ({"networks": {"small": None}}, r"networks\.small: expected a mapping, found None"),
        (
            {"catalogues": {"mock": {"kind": "moc"}}},
            r"catalogues\.mock\.kind: unknown kind 'moc' \(did you mean 'mock'\?\); one of mock",
        ),
        ({"catalogues": {"extra": {}}}, r"catalogues\.extra\.kind: missing; one of mock"),
        ({"catalogues": {"a/b": {"kind": "mock"}}}, r"'a/b' cannot be a name here"),
        ({"catalogues": {"f": {"kind": "file"}}}, r"catalogues\.f\.path: missing \(Parquet"),
        (
            {"finetuning": {"usual": {"stepwise": [[1, 1e-3], [2]]}}},
            r"finetuning\.usual\.stepwise\[1\]: \[2\] is too short",
        ),
        (
            {"variants": {"first": {"pretraining": "standrad"}}, "pretraining": {}},
            r"variants\.first\.pretraining: no 'standrad' in `pretraining`; there is nothing in it",
        ),
        (
            {"variants": {"first": {"finetuning": "usal"}}},
            r"variants\.first\.finetuning: no 'usal' in `finetuning` \(did you mean 'usual'\?\)",
        ),
        ({"evaluation": {"comparisons": [["first", "second"]]}}, r"no 'second' in `variants`"),
        ({"figures": {"variants": ["frist"]}}, r"no 'frist' in `variants` \(did you mean 'first'"),
        ({"variants": {"first": {"catalogues": ["sky"]}}}, r"first\.catalogues: no 'sky' in `cat"),
    ],
)
def test_a_wrong_configuration_is_one_line_that_names_the_key(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        configuration.resolve(minimal(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["name", "survey", "catalogues", "variants"])
def test_a_missing_required_key_is_named_with_its_meaning(missing):
    config = minimal()
    del config[missing]
    with pytest.raises(InputError, match=rf"config: {missing}: missing \(\w+"):
        configuration.resolve(config)


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001"])
def test_numbers_that_yaml_reads_as_text_are_numbers(text):
    finetuning = yaml.safe_load(f"usual: {{learning_rate: {text}}}")
    run = configuration.resolve(minimal(finetuning=finetuning))
    assert run["finetuning"]["usual"]["learning_rate"] == 0.001


def test_a_whole_number_written_with_an_exponent_is_an_integer():
    simulations = yaml.safe_load("sps: {n_galaxies: 1e5}")
    value = configuration.resolve(minimal(simulations=simulations))["simulations"]["sps"]
    assert value["n_galaxies"] == 100000
    assert isinstance(value["n_galaxies"], int)


def test_later_files_lie_over_earlier_ones_key_by_key(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(yaml.safe_dump(minimal(seed=1, networks={"small": {"width": 20}})))
    second.write_text("seed: 2\nnetworks: {small: {features: 3}}\n")
    run = configuration.load(first, second)
    assert run["seed"] == 2
    assert run["networks"]["small"]["width"] == 20
    assert run["networks"]["small"]["features"] == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: [1", "not valid YAML: .*line 1"),
        ("- a\n- b\n", "expected `key: value` lines"),
        ("", "is empty"),
        ("\tname: x\n", "not valid YAML"),
        ("name: a\nseed: 1\nname: b\n", "key 'name' occurs twice in its block, again in line 3"),
    ],
)
def test_a_broken_file_is_named(tmp_path, content, message):
    path = tmp_path / "broken.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        configuration.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: configuration file not found"):
        configuration.load(tmp_path / "absent.yaml")


def test_seeds_of_jobs_differ_and_do_not_depend_on_each_other():
    seeds = {configuration.derive_seed(1, "simulate", chunk) for chunk in range(1000)}
    assert len(seeds) == 1000
    assert configuration.derive_seed(1, "a", "bc") != configuration.derive_seed(1, "ab", "c")
    assert configuration.derive_seed(1, "simulate", 3) == configuration.derive_seed(
        1, "simulate", "3"
    )
    assert all(0 <= seed < 2**31 for seed in seeds)
