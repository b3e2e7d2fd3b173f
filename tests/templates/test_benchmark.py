"""The benchmark's measurements, on a small model."""

import numpy as np
import pytest

from benchmarks import templates

from .conftest import catalogue_of


@pytest.fixture(scope="module")
def mock(model, galaxies):
    flux, error, redshift, *_ = galaxies
    return catalogue_of(model, flux, error, redshift)


def test_chi2_agrees_with_scipy_where_it_matters(model, mock):
    result = templates.agreement(model, mock, problems=300)
    assert result["problems"] == 300
    assert result["largest relative difference of chi2"] < 1e-4


def test_coarse_to_fine_is_compared_with_all_redshifts(model, mock):
    result = templates.missed(model, mock)
    assert result["galaxies"] == len(mock)
    assert result["of these not fitted"] == 0
    assert result["problems within 60 of the minimum"] > 1000
    assert 0.2 < result["share of all problems"] < 1


def test_the_published_algorithm_is_not_converged(model, mock):
    result = templates.convergence(model, mock, galaxies=1)
    assert result["lowest"] > -1e-3
    assert result["largest"] > result["median excess of chi2"] > 0


def test_speed_is_given_per_galaxy(model, mock, monkeypatch):
    monkeypatch.setattr(templates, "GALAXIES", 15)
    monkeypatch.setattr(
        templates, "PUBLISHED", templates.TemplateFitConfig(method="multiplicative", iterations=2)
    )
    result = templates.speed(model, mock)
    each = result["milliseconds per galaxy and core"]
    assert set(each) == {*templates.METHODS, "published"}
    ratio = result["times the published speed"]
    assert ratio["all redshifts"] == pytest.approx(each["published"] / each["all redshifts"])
    assert np.isfinite(list(ratio.values())).all()
