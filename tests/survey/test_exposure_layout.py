"""Exposures as bands of their own: the same numbers, in random places, some left out."""

import dataclasses

import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey.exposure_layout import exposure_slots, lay_out
from tests.training.conftest import make_catalogue


@pytest.fixture(scope="module")
def catalogue():
    return make_catalogue()


def exposures_of(laid, catalogue):
    return laid.flux[:, exposure_slots(laid.bands)]


def test_every_exposure_is_there_once(catalogue):
    laid = lay_out(catalogue, 1.0, seed=3)
    assert len(laid.bands) == 4 * 4 + 1 and laid.bands[-1] == "i"
    assert laid.bands[:5] == ("N1:0", "N1:1", "N1:2", "N1:3", "N2:0")
    found = np.sort(exposures_of(laid, catalogue), axis=-1)
    np.testing.assert_array_equal(found, np.sort(np.nan_to_num(catalogue.exposures.flux), axis=-1))
    np.testing.assert_array_equal(laid.flux[:, -1], catalogue.flux[:, -1])
    assert laid.exposures is None
    np.testing.assert_array_equal(laid.id, catalogue.id)


def test_errors_stay_with_their_exposures(catalogue):
    numbered = np.arange(catalogue.exposures.flux.size, dtype=np.float32) + 1
    numbered = numbered.reshape(catalogue.exposures.flux.shape)
    exposures = dataclasses.replace(catalogue.exposures, flux=numbered, error=numbered / 7)
    laid = lay_out(dataclasses.replace(catalogue, exposures=exposures), 0.5, seed=0)
    there = laid.flux[:, :-1] > 0
    np.testing.assert_allclose(laid.error[:, :-1][there], laid.flux[:, :-1][there] / 7)
    assert np.isnan(laid.error[:, :-1][~there]).all()


def test_places_are_random_and_the_share_that_is_present_is_the_one_asked_for(catalogue):
    laid = lay_out(catalogue, 0.3, seed=1)
    there = exposures_of(laid, catalogue) != 0
    expected = 0.3 * np.isfinite(catalogue.exposures.flux).mean()
    assert there.mean() == pytest.approx(expected, abs=0.02)
    # the first slot is always taken in the catalogue, and no other place is special here
    assert there.mean(axis=(0, 1)) == pytest.approx(np.full(4, expected), abs=0.04)


def test_the_same_seed_gives_the_same_layout(catalogue):
    first, again, other = (lay_out(catalogue, 0.5, seed).flux for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_coadds_alone_cannot_be_laid_out(catalogue):
    with pytest.raises(InputError, match="no single exposures to lay out"):
        lay_out(dataclasses.replace(catalogue, exposures=None), 1.0, seed=0)


@pytest.mark.parametrize("bands", [("N1", "i"), ("N1:0", "N1:1", "N2:0", "i")])
def test_bands_that_are_no_layout_are_refused(bands):
    with pytest.raises(InputError, match="bands of single exposures expected"):
        exposure_slots(bands)
