"""The commands behind the numbers of the mocks, and the numbers that are shipped and printed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from photoz import mock_reference
from photoz.simulations import reference
from photoz.simulations.mock import MockConfig, make_template_mock
from photoz.simulations.sky import load_reference
from photoz.survey.survey import load_survey

ROOT = Path(__file__).parents[1]
SURVEY = str(ROOT / "config" / "surveys" / "cosmos_broadband.yaml")


def toy(n=900):
    """Galaxies whose colours tell the redshift up to noise."""
    rng = np.random.default_rng(2)
    redshift = rng.uniform(0.02, 1.19, n)
    colour = np.outer(redshift, np.linspace(3, 0, 6))
    magnitude = rng.uniform(19, 22.4, n)[:, None] + colour
    error = np.full((n, 6), 0.02)
    magnitude += error * rng.standard_normal((n, 6))
    return {"redshift": redshift, "magnitude": magnitude, "error": error}


def test_the_shipped_scatter_is_that_of_the_real_galaxies(real_galaxies):
    """One split into folds against the mean of five that is shipped."""
    real = mock_reference.real_catalogue(reference.read_real(real_galaxies))
    shipped = load_reference()["neighbour_scatter"]
    again = mock_reference.scatter(real, shipped["magnitude_edges"], seed=9)
    np.testing.assert_allclose(again, shipped["sigma68"], rtol=0.06)
    assert np.histogram(real.mag_i, shipped["magnitude_edges"])[0].tolist() == shipped["n"]
    assert sum(shipped["n"]) == shipped["all"]["n"] == load_reference()["n"]


def test_fluxes_have_the_errors_of_the_magnitudes():
    real = toy(50)
    catalogue = mock_reference.real_catalogue(real)
    np.testing.assert_allclose(-2.5 * np.log10(catalogue.flux), real["magnitude"], atol=1e-5)
    brighter = -2.5 * np.log10(catalogue.flux + catalogue.error)
    np.testing.assert_allclose(real["magnitude"] - brighter, 0.02, rtol=0.02)


def test_predictions_out_of_fold_have_the_scatter():
    """Two implementations of the same regression, other folds: the same width."""
    real = mock_reference.real_catalogue(toy())
    z = real.redshift
    pdf = mock_reference.predict_out_of_fold(real, mock_reference.PLAIN, 3)
    low, high = np.percentile((pdf.means[:, 0] - z) / (1 + z), [15.9, 84.1])
    expected = mock_reference.scatter(real, (-np.inf, np.inf))[0]
    assert 0.5 * (high - low) == pytest.approx(expected, rel=0.1)


def test_build_writes_both_files_and_prints_the_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mock_reference, "read_real", lambda path: toy())
    n = len(toy()["redshift"])
    fits = (np.zeros(n, dtype=int), np.zeros(n, dtype=int), np.zeros(6))
    monkeypatch.setattr(reference, "match_templates", lambda *args: fits)
    monkeypatch.setattr(mock_reference, "SEEDS", (1, 2))
    mock_reference.main(["--survey", SURVEY, "build", "real.parquet", "--folder", str(tmp_path)])
    written = json.loads((tmp_path / "zcosmos_reference.json").read_text())
    assert written["neighbour_scatter"]["all"]["n"] == n == written["n"]
    assert json.loads((tmp_path / "zcosmos_sky.json").read_text())["n"] == n
    printed = capsys.readouterr().out
    assert printed.count("\n|") == 2 + len(mock_reference.METHODS)
    assert re.search(r"mean of 10 neighbours.* \| 0\.0\d+", printed)


def test_measure_prints_every_bin_of_both_mocks(monkeypatch, capsys):
    small = MockConfig(n_galaxies=400)
    monkeypatch.setattr(mock_reference, "MockConfig", lambda: small)
    mock_reference.main(["--survey", SURVEY, "measure", "--seeds", "1", "2"])
    printed = capsys.readouterr().out
    assert printed.count("\n| 2") + printed.count("\n| <") == 6
    assert "mock: 400 galaxies, seeds 1, 2" in printed
    assert "EW ha of star_forming" in printed and "EW [OII]3727 50/84/95" in printed


def test_template_widths_are_those_of_the_recipe():
    """A whole-numbered template of full line strength: luminosity over continuum."""
    mock = make_template_mock(load_survey(SURVEY), MockConfig(n_galaxies=30), 1)
    mock.truth["template"][:] = 20.0
    width = mock_reference.template_widths(mock)["Ha"]
    library = mock_reference.load_template_library()
    level = np.interp(6562.8, library.wavelength, library.f_lambda[20])
    uv = np.interp(2300.0, library.wavelength, library.f_lambda[20])
    expected = 1.77 * 1.23e13 * uv * 2300.0**2 / 2.99792458e18 / level
    np.testing.assert_allclose(width, expected, rtol=1e-9)


def test_the_documented_tables_are_the_shipped_numbers():
    text = (ROOT / "docs" / "mock.md").read_text(encoding="utf-8")
    shipped = load_reference()["neighbour_scatter"]
    for n, value in zip(shipped["n"], shipped["sigma68"], strict=True):
        assert re.search(rf"\| {n} \| {value:.4f} \|", text)
    metrics = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    row = next(line for line in metrics.splitlines() if line.startswith("| mean of 10 neigh"))
    assert float(row.split("|")[2]) == pytest.approx(shipped["all"]["sigma68"], rel=0.02)
