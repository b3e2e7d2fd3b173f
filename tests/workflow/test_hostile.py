"""Names that mean something to a shell or to Snakemake, through a run of the workflow."""

import numpy as np
import pandas as pd
import pytest
import yaml

from photoz.survey.survey import load_survey
from tests.workflow.conftest import ROOT, TINY

COMMANDS = "; touch injected $(touch injected) `touch injected` & 'touch' \"injected\" | # \\"


@pytest.fixture
def config(workflow):
    """A configuration file, a results folder and a catalogue that are named like commands."""
    bands = load_survey(ROOT / "config" / "surveys" / "paus.yaml").bands.names
    rng = np.random.default_rng(0)
    data = {"id": [f"$(touch injected) {k}" for k in range(60)], "z": rng.uniform(0.1, 1, 60)}
    for band in bands:
        data |= {f"f_{band}": rng.uniform(50, 100, 60), f"e_{band}": np.ones(60)}
    table = workflow.folder / f"table{COMMANDS}.csv"
    pd.DataFrame(data).to_csv(table, index=False)
    columns = {"id": "id", "redshift": "z", "flux": "f_{band}", "error": "e_{band}"}
    selection = {"magnitude_max": 30, "confidence": [], "unmasked": []}
    content = yaml.safe_load((ROOT / TINY).read_text())
    content["results_dir"] = f"results{COMMANDS}"
    content["catalogues"] = {
        "mine": {"kind": "file", "path": table.name, "columns": columns, "selection": selection}
    }
    content["figures"] = {}
    path = workflow.folder / f"config{COMMANDS}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.slow
def test_names_like_commands_run_nothing(workflow, config):
    folder = workflow.folder / f"results{COMMANDS}" / "tiny" / "catalogues"
    target = folder / "mine.splits.parquet"
    before = {path.name for path in workflow.folder.iterdir()}
    result = workflow.run(str(target.relative_to(workflow.folder)), config=config)
    assert result.returncode == 0, result.stdout[-3000:]
    assert len(pd.read_parquet(target)) > 0
    after = {path.name for path in workflow.folder.iterdir()}
    assert after - before <= {f"results{COMMANDS}", ".snakemake", "cache"}
    assert not list(workflow.folder.rglob("injected"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../../outside"}, "name: '../../outside' does not fit"),
        ({"results_dir": "{catalogue}"}, "results_dir: '{catalogue}' does not fit"),
        ({"variants": {"../up": {}}}, "'../up' cannot be a name here"),
        ({"seed": float("nan")}, "seed: nan is not of type 'integer'"),
        ({"publish": ["../.."]}, "publish[0]: '../..' does not match"),
    ],
)
def test_the_workflow_refuses_a_hostile_configuration(workflow, config, change, message):
    content = yaml.safe_load(config.read_text()) | change
    path = workflow.folder / "changed.yaml"
    path.write_text(yaml.safe_dump(content))
    before = sorted(item.name for item in workflow.folder.iterdir())
    result = workflow.run("--dry-run", config=path)
    assert result.returncode != 0 and message in result.stdout, result.stdout
    assert "Traceback" not in result.stdout
    after = {item.name for item in workflow.folder.iterdir()} - {".snakemake", "cache"}
    assert after == set(before)


def test_the_workflow_refuses_numbers_that_yaml_misreads(workflow):
    path = workflow.folder / "changed.yaml"
    path.write_text((ROOT / TINY).read_text().replace("seed: 1\n", "seed: 12:30\n"))
    result = workflow.run("--dry-run", config=path)
    assert result.returncode != 0
    assert "YAML takes 12:30 for the number 750" in result.stdout
    assert "Traceback" not in result.stdout
