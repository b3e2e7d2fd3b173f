"""What is learned from galaxies with known redshifts: zero-points and the prior on runs."""

import json

import numpy as np
import pytest

from photoz.files import InputError
from photoz.templates import (
    TemplateFitConfig,
    calibrate_zero_points,
    fit_catalogue,
    learn_run_prior,
    read_run_prior,
    read_zero_points,
    write_run_prior,
    write_zero_points,
)
from photoz.templates.zeropoints import band_ratios

from .conftest import catalogue_of, draw


@pytest.fixture(scope="module")
def offset(model):
    """A catalogue with zero-points, and these."""
    rng = np.random.default_rng(11)
    flux, error, redshift, *_ = draw(model, 300, rng, 0.03, 0.01)
    factor = np.exp(0.06 * rng.standard_normal(len(model.bands)))
    for kind in (model.is_narrow, ~model.is_narrow):
        factor[kind] /= np.exp(np.log(factor[kind]).mean())
    flux[5, 3] = np.nan
    flux[7] *= np.where(np.arange(len(model.bands)) == 2, 50.0, 1.0)  # an outlying flux
    return catalogue_of(model, flux * factor, error * factor, redshift), factor


def test_zero_points_are_recovered(model, offset):
    catalogue, factor = offset
    found = calibrate_zero_points(model, catalogue, np.ones(300, bool))
    assert found.n_galaxies == 300
    assert np.std(np.log(found.factor / factor)) < 0.35 * np.std(np.log(factor))
    assert (found.history[0] == 1).all()
    assert np.array_equal(found.history[-1], found.factor)
    last = np.abs(np.diff(np.log(found.history[-2:]), axis=0)).max()
    assert len(found.history) == 21 or last < 1e-3
    for kind in (model.is_narrow, ~model.is_narrow):
        assert np.log(found.factor[kind]).mean() == pytest.approx(0, abs=1e-12)


def test_only_training_galaxies_count(model, offset):
    catalogue, _ = offset
    config = TemplateFitConfig(zero_point_rounds=2)
    train = np.arange(300) < 120
    found = calibrate_zero_points(model, catalogue, train, config)
    catalogue.flux[200:] *= 2.0
    again = calibrate_zero_points(model, catalogue, train, config)
    catalogue.flux[200:] /= 2.0
    assert np.array_equal(found.history, again.history)
    assert len(found.history) == 3
    alone = calibrate_zero_points(model, catalogue.take(train), np.ones(120, bool), config)
    assert np.array_equal(found.factor, alone.factor)


def test_no_training_galaxy_is_an_input_error(model, offset):
    catalogue, _ = offset
    with pytest.raises(InputError, match="no training galaxy"):
        calibrate_zero_points(model, catalogue, np.zeros(300, bool))
    with pytest.raises(InputError, match="at least 10"):
        learn_run_prior(model, catalogue, np.arange(300) < 9)


def test_the_weighted_median_ignores_outliers_and_holes():
    rng = np.random.default_rng(12)
    model = rng.uniform(1, 5, (1000, 2))
    flux = model * [1.1, 0.8]
    flux[:300, 0] *= 100.0
    flux[5:, 1] = np.nan
    ratios = band_ratios(flux, np.ones_like(flux), model)
    assert ratios[0] == pytest.approx(1.1, rel=1e-6)
    assert ratios[1] == pytest.approx(0.8, rel=1e-6)
    assert band_ratios(flux * np.nan, np.ones_like(flux), model).tolist() == [1, 1]


def test_zero_points_come_back_from_their_file(model, offset, tmp_path):
    found = calibrate_zero_points(
        model, offset[0], np.ones(300, bool), TemplateFitConfig(zero_point_rounds=1)
    )
    path = tmp_path / "zero_points.json"
    write_zero_points(path, found)
    back = read_zero_points(path)
    assert back.bands == found.bands
    assert np.array_equal(back.history, found.history)
    content = json.loads(path.read_text())
    for damaged in (
        path.read_text()[:-40],
        json.dumps(content | {"factor": [1.0]}),
        json.dumps(content | {"factor": [-1.0] * len(found.factor)}),
        "[]",
    ):
        path.write_text(damaged)
        with pytest.raises(InputError, match=r"zero_points\.json"):
            read_zero_points(path)


@pytest.fixture(scope="module")
def prior(model, galaxies):
    flux, error, redshift, run, _ = galaxies
    catalogue = catalogue_of(model, flux, error, redshift)
    return learn_run_prior(model, catalogue, run <= 1, n_redshift=2, n_magnitude=2)


def test_the_prior_prefers_the_runs_it_has_seen(prior, model):
    assert prior.weight.shape == (len(model.runs), 2, 2)
    assert prior.weight.sum(axis=0) == pytest.approx(np.ones((2, 2)))
    assert (prior.weight > 0).all()
    assert prior.weight[:2].sum(axis=0).min() > 2 / len(model.runs)


def test_the_penalty_is_minus_two_log_prior_between_cells(prior, model):
    middle = prior.redshift.mean()
    penalty = prior.penalty(
        np.array([prior.redshift[0], middle, 9.0]), np.array([prior.magnitude[1], 0.0, np.nan])
    )
    assert penalty.shape == (len(model.runs), 3, 3)
    assert np.exp(-0.5 * penalty).sum(axis=0) == pytest.approx(np.ones((3, 3)))
    w = prior.weight
    assert np.exp(-0.5 * penalty[:, 0, 0]) == pytest.approx(w[:, 0, 1])
    assert np.exp(-0.5 * penalty[:, 1, 1]) == pytest.approx(w[:, :, 0].mean(axis=1))
    assert np.exp(-0.5 * penalty[:, 2, 2]) == pytest.approx(w[:, 1].mean(axis=1))


def test_the_prior_moves_p_z_but_not_chi2(prior, model, galaxies):
    flux, error = galaxies[0][:10], galaxies[1][:10]
    magnitude = np.full(10, 21.0)
    plain = fit_catalogue(model, flux, error)
    with_prior = fit_catalogue(model, flux, error, run_prior=prior, magnitude=magnitude)
    assert with_prior.columns["chi2"] == pytest.approx(plain.columns["chi2"])
    assert not np.allclose(with_prior.pdf.density, plain.pdf.density, rtol=1e-3)
    full = TemplateFitConfig(coarse_step=1)
    same = fit_catalogue(model, flux, error, full, run_prior=prior, magnitude=magnitude)
    assert with_prior.pdf.density == pytest.approx(same.pdf.density, rel=1e-4, abs=1e-6)


def test_a_prior_needs_magnitudes_and_its_own_runs(prior, model, galaxies):
    flux, error = galaxies[0][:2], galaxies[1][:2]
    with pytest.raises(InputError, match="magnitudes"):
        fit_catalogue(model, flux, error, run_prior=prior)
    other = type(prior)(prior.runs[1:], prior.redshift, prior.magnitude, prior.weight[1:])
    with pytest.raises(InputError, match="learn it again"):
        fit_catalogue(model, flux, error, run_prior=other, magnitude=np.ones(2))


def test_a_prior_comes_back_from_its_file(prior, tmp_path):
    path = tmp_path / "prior.json"
    write_run_prior(path, prior)
    back = read_run_prior(path)
    assert back.runs == prior.runs
    assert np.array_equal(back.weight, prior.weight)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(InputError, match=r"prior\.json"):
        read_run_prior(path)
