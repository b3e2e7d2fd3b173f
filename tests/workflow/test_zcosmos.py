"""The broad-band configuration on the real table, as far as its catalogue."""

from photoz.survey.catalogue import read_catalogue
from tests.workflow.conftest import ROOT


def test_the_secure_sample_is_selected(workflow, real_galaxies):
    (workflow.folder / "data").mkdir()
    (workflow.folder / "data" / real_galaxies.name).symlink_to(real_galaxies)
    path = "results/zcosmos/catalogues/zcosmos.h5"
    result = workflow.run(path, config="config/zcosmos.yaml")
    assert result.returncode == 0, result.stdout
    catalogue = read_catalogue(workflow.folder / path)
    assert 8250 <= len(catalogue) <= 8400
    assert catalogue.bands == ("u", "B", "V", "r", "i", "z")
    assert catalogue.mag_i.max() < 22.5
    assert catalogue.redshift.min() > 0.01


def test_another_table_under_that_name_is_refused(workflow):
    table = workflow.folder / "data" / "zcosmos20k_broadband.parquet"
    table.parent.mkdir()
    table.write_bytes(b"PAR1 but not really")
    overlay = workflow.folder / "overlay.yaml"
    overlay.write_text(f"catalogues: {{zcosmos: {{sha256: {'a' * 64}}}}}\n")
    files = ("--configfile", str(ROOT / "config" / "zcosmos.yaml"), str(overlay))
    result = workflow.run("results/zcosmos/catalogues/zcosmos.h5", *files, config=None)
    assert result.returncode == 1
    assert "its SHA-256 is" in result.stdout
    assert "Traceback" not in result.stdout
