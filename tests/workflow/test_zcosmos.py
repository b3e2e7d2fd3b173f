"""The broad-band configuration on the real table, as far as its catalogue."""

import os
from pathlib import Path

import pytest

from photoz.survey.catalogue import read_catalogue
from tests.workflow.conftest import ROOT

FOLDER = Path(os.environ.get("PHOTOZ_TEST_DATA", ROOT.parent / "shared" / "data"))
TABLE = FOLDER / "zcosmos20k_broadband.parquet"


@pytest.mark.skipif(not TABLE.exists(), reason=f"{TABLE} is absent (set PHOTOZ_TEST_DATA)")
def test_the_secure_sample_is_selected(workflow):
    (workflow.folder / "data").mkdir()
    (workflow.folder / "data" / TABLE.name).symlink_to(TABLE)
    path = "results/zcosmos/catalogues/zcosmos.h5"
    result = workflow.run(path, config="config/zcosmos.yaml")
    assert result.returncode == 0, result.stdout
    catalogue = read_catalogue(workflow.folder / path)
    assert 8250 <= len(catalogue) <= 8400
    assert catalogue.bands == ("u", "B", "V", "r", "i", "z")
    assert catalogue.mag_i.max() < 22.5
    assert catalogue.redshift.min() > 0.01


def test_another_table_under_that_name_is_refused(workflow):
    table = workflow.folder / "data" / TABLE.name
    table.parent.mkdir()
    table.write_bytes(b"PAR1 but not really")
    overlay = workflow.folder / "overlay.yaml"
    overlay.write_text(f"catalogues: {{zcosmos: {{sha256: {'a' * 64}}}}}\n")
    files = ("--configfile", str(ROOT / "config" / "zcosmos.yaml"), str(overlay))
    result = workflow.run("results/zcosmos/catalogues/zcosmos.h5", *files, config=None)
    assert result.returncode == 1
    assert "its SHA-256 is" in result.stdout
    assert "Traceback" not in result.stdout
