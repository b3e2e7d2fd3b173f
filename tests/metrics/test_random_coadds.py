"""Cuts on the variation of random coadds, on galaxies whose variation tells what is known."""

import numpy as np
import pytest

from photoz.metrics.point import redshift_error, sigma68
from photoz.metrics.random_coadds import CUTS, random_coadd_curves, random_coadd_table


@pytest.fixture(scope="module")
def galaxies():
    """Errors that grow with the variation; the mean of random coadds has half of them."""
    rng = np.random.default_rng(0)
    spec = rng.uniform(0.2, 1.0, 2000)
    variation = rng.uniform(0.001, 0.02, 2000)
    dz = rng.normal(0, variation) * (1 + spec)
    columns = {
        "z_mode": spec + dz,
        "augmented_z_mode": spec + dz / 2,
        "odds": -variation,
        "augmented_odds": np.full(2000, 0.5),
        "variation": variation,
    }
    return columns, spec


def test_a_cut_keeps_what_it_says(galaxies):
    columns, spec = galaxies
    curves = random_coadd_curves(columns, spec, n_boot=10)
    assert set(curves["sort_by"]) == set(CUTS)
    half = curves[curves["completeness"] == 0.5].set_index("sort_by")["sigma68"]
    dz = redshift_error(columns["z_mode"], spec)
    order = np.argsort(columns["variation"])
    assert half["low_variation"] == pytest.approx(sigma68(dz[order[:1000]]))
    assert half["high_variation"] == pytest.approx(sigma68(dz[order[1000:]]))
    assert half["odds"] == pytest.approx(half["low_variation"])


def test_all_galaxies_tell_what_averaging_is_worth(galaxies):
    columns, spec = galaxies
    table = random_coadd_table(random_coadd_curves(columns, spec, n_boot=10))
    assert table.groupby("sort_by").size().to_dict() == dict.fromkeys(CUTS, 4)
    whole = table[table["completeness"] == 1].set_index("sort_by")["sigma68"]
    assert whole["odds"] == pytest.approx(whole["high_variation"])
    assert whole["augmented_odds"] == pytest.approx(whole["odds"] / 2)


def test_galaxies_without_redshift_are_left_out(galaxies):
    columns, spec = galaxies
    spec = spec.copy()
    spec[:500] = np.nan
    curves = random_coadd_curves(columns, spec, n_boot=3)
    assert curves["n"].max() == 1500
