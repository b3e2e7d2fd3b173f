"""A catalogue in which most galaxies have no redshift, through the whole chain."""

import numpy as np
import pandas as pd
import pytest
import yaml

from photoz.pdf.table import read_photoz_table
from photoz.simulations.mock import MockConfig, make_mock
from photoz.survey.catalogue import read_catalogue
from photoz.survey.survey import load_survey
from tests.workflow.conftest import ROOT, TINY, make_workflow

SURVEY = "config/surveys/cosmos_broadband.yaml"
SHORT = {"epochs": 5, "quiet_epochs": 1, "batch_size": 20, "match_steps_of": "short"}
CHANGES = {
    "survey": SURVEY,
    "catalogues": {
        "field": {
            "kind": "file",
            "path": "field.parquet",
            "columns": {
                "id": "id", "redshift": "z", "flux": "flux_{band}", "error": "error_{band}",
            },
            "selection": {"redshift_min": None, "redshift_max": None},
        }
    },
    "finetuning": {
        "short": SHORT,
        "unlabelled": SHORT | {"unlabelled": "outside_fold"},
    },
    "variants": {
        "unlabelled": {"pretraining": "short", "finetuning": "unlabelled"},
        "neighbours": {"method": "neighbours", "neighbours": "few"},
    },
    "figures": {},
}  # fmt: skip


def write_field(path, n=200, every=4):
    """A mock survey as a user's table, with one redshift for every so many galaxies."""
    survey = load_survey(ROOT / SURVEY)
    sky = make_mock(survey, MockConfig(n_galaxies=n), 3)
    columns = {"id": sky.id, "z": np.where(np.arange(n) % every == 0, sky.redshift, np.nan)}
    for k, band in enumerate(sky.bands):
        columns |= {f"flux_{band}": sky.flux[:, k], f"error_{band}": sky.error[:, k]}
    pd.DataFrame(columns).to_parquet(path)


@pytest.mark.slow
def test_galaxies_without_redshifts_are_predicted_and_measure_nothing(tmp_path):
    workflow = make_workflow(tmp_path)
    write_field(workflow.folder / "field.parquet")
    path = workflow.folder / "field.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load((ROOT / TINY).read_text()) | CHANGES))
    made = workflow.folder / "results" / "tiny"
    targets = [f"results/tiny/evaluation/field/{name}.parquet" for name in CHANGES["variants"]]
    result = workflow.run(*targets, "--configfile", str(path), config=None)
    assert result.returncode == 0, result.stdout[-5000:]
    catalogue = read_catalogue(made / "catalogues" / "field.h5")
    known = np.isfinite(catalogue.redshift)
    assert 0.2 * len(catalogue) < known.sum() < 0.3 * len(catalogue)
    for variant in CHANGES["variants"]:
        table = read_photoz_table(made / "photoz" / "field" / f"{variant}.parquet")
        assert np.isfinite(table["z_mode"][table["flag"] == 0]).all()
        assert (table["flag"] == 0).mean() > 0.95
        metrics = pd.read_parquet(made / "evaluation" / "field" / f"{variant}.parquet")
        overall = metrics[metrics["bin_by"] == "all"]
        assert overall["n"].max() == known.sum()
