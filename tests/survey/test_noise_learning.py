"""Noise learned from catalogues whose error law, exposures and outliers are known."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.survey import (
    Catalogue,
    EmpiricalNoise,
    Exposures,
    coadd,
    learn_noise,
    read_noise_model,
    write_noise_model,
)
from photoz.survey.empirical_noise import SHAPES
from photoz.survey.noise import NumpyDraws, noise_model_from_dict

BANDS = ("N1", "N2", "i")
SKY, SLOPE, SCATTER = (4.0, 6.0, 1.0), 0.05, 0.15
RATE, AMPLITUDE = (0.01, 0.02), 9.0
NOMINAL = 5


def exposure_error(flux, sky):
    """Error of one exposure: sky, and a fraction of the flux, in quadrature."""
    return np.hypot(sky, SLOPE * flux)


def make(n=6000, seed=0, outliers=True):
    """Two bands of 3 to 7 exposures and a reference band without, with a known noise."""
    rng = np.random.default_rng(seed)
    true = 10 ** rng.uniform(0.5, 3.5, (n, 1)) * np.ones((1, 3))
    counts = rng.integers(3, 8, (n, 1)) * np.ones((1, 2), int)  # shared by the bands
    flux = np.full((n, 2, 7), np.nan)
    error = np.full((n, 2, 7), np.nan)
    taken = np.arange(7) < counts[..., None]
    sigma = exposure_error(true[:, :2], np.array(SKY[:2]))[..., None] * np.ones(7)
    hit = taken & (rng.random(taken.shape) < np.array(RATE)[:, None]) & outliers
    single = true[:, :2, None] + sigma * rng.standard_normal(taken.shape)
    single[hit] += AMPLITUDE * sigma[hit]
    flux[taken], error[taken] = single[taken], sigma[taken]
    narrow, narrow_error = coadd(flux, error)
    broad_error = exposure_error(true[:, 2:], SKY[2]) * np.exp(
        SCATTER * rng.standard_normal((n, 1))
    )
    return Catalogue(
        id=np.arange(n),
        redshift=rng.uniform(0, 1, n),
        mag_i=26 - 2.5 * np.log10(true[:, 0]),
        flux=np.hstack([narrow, true[:, 2:]]).astype(np.float32),
        error=np.hstack([narrow_error, broad_error]).astype(np.float32),
        exposures=Exposures(flux.astype(np.float32), error.astype(np.float32), BANDS[:2]),
        bands=BANDS,
        survey="toy",
        zero_point=26.0,
        reference_band="i",
    )


@pytest.fixture(scope="module")
def catalogue():
    return make()


@pytest.fixture(scope="module")
def learned(catalogue):
    return learn_noise(catalogue)


FLUXES = np.array([10.0, 30.0, 100.0, 300.0, 1000.0, 2500.0])


def test_the_error_law_is_recovered(learned):
    error = learned.error(np.repeat(FLUXES[:, None], 3, axis=1))
    # at the mean of ln c, c uniform in 3 ... 7
    count = np.exp(np.log(np.arange(3, 8)).mean())
    for b in range(2):
        expected = exposure_error(FLUXES, SKY[b]) / np.sqrt(count)
        np.testing.assert_allclose(error[:, b], expected, rtol=0.05)
    np.testing.assert_allclose(error[:, 2], exposure_error(FLUXES, SKY[2]), rtol=0.05)


def test_errors_never_fall_with_flux(learned):
    flux = np.geomspace(1, 1e4, 300)[:, None] * np.ones(3)
    assert (np.diff(learned.error(flux), axis=0) >= 0).all()


def test_coadds_get_quieter_with_the_root_of_the_number_of_exposures(learned):
    np.testing.assert_allclose(learned.count_slope[0], [-0.5, -0.5, 0.0], atol=0.02)


def test_scatter_is_recovered_where_there_is_some(learned):
    # narrow errors follow flux and count exactly; what the flux's own noise leaves is small
    assert learned.error_scatter[0, :2].max() < 0.06
    assert np.median(learned.error_scatter[0, 2]) == pytest.approx(SCATTER, rel=0.08)


def test_rates_and_amplitudes_of_outliers_are_recovered(learned):
    np.testing.assert_allclose(learned.outlier_rate[0], [*RATE, 0.0], rtol=0.12, atol=1e-12)
    found = learned.outlier_amplitude[0]
    assert np.median(found) == pytest.approx(AMPLITUDE, abs=0.2)
    assert (found > 0).mean() > 0.97  # all of them add flux


def test_without_outliers_none_is_found():
    learned = learn_noise(make(2000, outliers=False))
    assert learned.outlier_rate.max() < 1e-3


def test_patterns_of_exposures_are_those_of_galaxies(learned):
    counts = learned.counts[0]
    assert set(np.unique(counts[:, :2])) == {3, 4, 5, 6, 7}
    assert (counts[:, 0] == counts[:, 1]).all()  # the bands go together, as in the catalogue
    assert (counts[:, 2] == 1).all()
    assert counts[:, 0].mean() == pytest.approx(5, abs=0.3)


def test_brightness_is_distributed_as_in_the_catalogue(catalogue, learned):
    drawn = learned.brightness(np.random.default_rng(1).random((20_000, 1)))
    ends = np.quantile(catalogue.flux[:, 2], [0.05, 0.5, 0.95])
    np.testing.assert_allclose(np.quantile(drawn, [0.05, 0.5, 0.95]), ends, rtol=0.05)


def test_injected_noise_is_what_was_learned(learned):
    """Errors, the noise itself, and the outliers of coadds, all in closed form."""
    n = 40_000
    flux = np.full((n, 3), 50.0, np.float32)
    noisy, error = learned.observe(flux, NumpyDraws(np.random.default_rng(2)))
    pull = (noisy - flux) / error
    # outliers only add flux, so the lower half is the normal noise alone
    core = [np.sqrt(np.mean(p[p < 0] ** 2)) for p in pull.T]
    np.testing.assert_allclose(core, 1, atol=0.03)
    assert np.std(np.log(error[:, 2])) == pytest.approx(SCATTER, rel=0.1)
    counts = np.arange(3, 8)
    spread = np.std(np.log(error[:, 0]))
    assert spread == pytest.approx(0.5 * np.std(np.log(counts)), rel=0.15)
    # A coadd of c exposures holds one outlier of 9 sigma: 9 / sqrt(c) of its own error.
    for b in range(2):
        expected = np.mean(1 - (1 - RATE[b]) ** counts)
        # of those, normal noise keeps this share above 3: 9/sqrt(7) = 3.4, 9/sqrt(3) = 5.2
        share = np.mean(pull[:, b] > 3) / expected
        assert 0.7 < share < 0.95
        assert np.mean(pull[:, b] < -3) < 0.005
    assert np.mean(np.abs(pull[:, 2]) > 4) < 1e-3


def test_a_fold_learns_nothing_from_its_own_galaxies(catalogue):
    """Whatever happens to the test fold, its network's model keeps its bytes."""
    folds = np.random.default_rng(3).integers(0, 3, len(catalogue))
    model = learn_noise(catalogue, folds)
    assert model.n_networks == 3
    rng = np.random.default_rng(4)
    test = folds == 1
    shuffled = np.arange(len(catalogue))
    shuffled[test] = rng.permutation(shuffled[test])
    e = catalogue.exposures
    wrong = dataclasses.replace(
        catalogue,
        flux=np.where(test[:, None], np.nan, catalogue.flux).astype(np.float32),
        error=np.where(test[:, None], 7.0, catalogue.error).astype(np.float32),
        exposures=dataclasses.replace(
            e,
            flux=np.where(test[:, None, None], -99.0, e.flux).astype(np.float32),
            error=np.where(test[:, None, None], 1e3, e.error).astype(np.float32),
        ),
    )
    for changed in (catalogue.take(shuffled), wrong):
        other = learn_noise(changed, folds)
        for name in SHAPES:
            mine, theirs = getattr(model, name), getattr(other, name)
            assert mine[1].tobytes() == theirs[1].tobytes(), name
    # the other networks do learn from these galaxies
    assert model.log_error[0].tobytes() != other.log_error[0].tobytes()


def test_networks_have_their_own_noise(catalogue):
    folds = np.arange(len(catalogue)) % 2
    model = learn_noise(catalogue, folds)
    flux = np.full((2, 100, 3), 50.0, np.float32)
    error = model.error(flux)
    for network in range(2):
        np.testing.assert_array_equal(error[network], model.member(network).error(flux[network]))
    uniform = np.full((2, 1, 1), 0.5)
    both = model.brightness(uniform)
    assert both[1] == model.member(1).brightness(uniform[1])
    noisy, reported = model.observe(flux, NumpyDraws(np.random.default_rng(0)))
    assert noisy.shape == reported.shape == flux.shape
    with pytest.raises(InputError, match="2 networks needs arrays of"):
        model.error(flux[0])


class _Replay:
    """The same random numbers for numpy and torch."""

    def __init__(self, kind):
        self.kind, self.rng = kind, np.random.default_rng(5)

    def normal(self, shape):
        return self.kind(self.rng.standard_normal(shape, dtype=np.float32))

    def uniform(self, shape):
        return self.kind(self.rng.random(shape, dtype=np.float32))


def test_arrays_and_tensors_agree(catalogue):
    model = learn_noise(catalogue, np.arange(len(catalogue)) % 2)
    flux = np.random.default_rng(1).uniform(1, 500, (2, 400, 3)).astype(np.float32)
    ours = model.observe(flux, _Replay(np.asarray))
    theirs = model.observe(torch.from_numpy(flux), _Replay(torch.from_numpy))
    for a, b in zip(ours, theirs, strict=True):
        assert b.dtype == torch.float32
        np.testing.assert_allclose(b.numpy(), a, rtol=1e-4)
    uniform = np.random.default_rng(2).random((2, 400, 1)).astype(np.float32)
    np.testing.assert_allclose(
        model.brightness(torch.from_numpy(uniform)).numpy(), model.brightness(uniform), rtol=1e-4
    )


def test_a_catalogue_without_exposures_has_errors_only():
    plain = dataclasses.replace(make(500), exposures=None)
    learned = learn_noise(plain)
    assert (learned.outlier_rate == 0).all() and (learned.counts == 1).all()
    noisy, _ = learned.observe(plain.flux, NumpyDraws(np.random.default_rng(0)))
    assert np.isfinite(noisy).all()


def test_galaxies_with_missing_bands_are_not_patterns(catalogue):
    flux = catalogue.flux.copy()
    flux[::2, 0] = np.nan
    learned = learn_noise(dataclasses.replace(catalogue, flux=flux))
    assert np.isfinite(learned.log_error).all() and (learned.counts >= 1).all()


def test_too_few_galaxies_are_an_error(catalogue):
    with pytest.raises(InputError, match="only 40 galaxies with a flux in band N1"):
        learn_noise(catalogue.take(np.arange(40)))


def test_file_round_trip(tmp_path, catalogue):
    model = learn_noise(catalogue, np.arange(len(catalogue)) % 2)
    write_noise_model(tmp_path / "m.json", model, BANDS)
    again, bands = read_noise_model(tmp_path / "m.json")
    assert bands == BANDS and isinstance(again, EmpiricalNoise) and again.n_networks == 2
    for name in SHAPES:
        np.testing.assert_allclose(getattr(again, name), getattr(model, name), rtol=1e-6)
    write_noise_model(tmp_path / "again.json", again, bands)
    assert (tmp_path / "m.json").read_bytes() == (tmp_path / "again.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": [[1.0, 1.0]]}, "has shape|log_error"),
        ({"scale": [[-1.0, 1.0, 1.0]]}, "scale, node_step and counts must be positive"),
        ({"log_error": "many"}, "not a table of numbers"),
        ({"outlier_rate": [[0.1, None, 0.0]]}, "outlier_rate has shape|not finite"),
        ({"exposures": 3}, "unknown key 'exposures'"),
    ],
)
def test_wrong_descriptions_are_refused(learned, change, message):
    content = json.loads(json.dumps(learned.to_dict()))
    with pytest.raises(InputError, match=message):
        noise_model_from_dict(content | change)


def test_a_description_that_misses_something_says_what(learned):
    content = learned.to_dict()
    del content["counts"]
    with pytest.raises(InputError, match="counts missing"):
        noise_model_from_dict(content)


def test_wrong_number_of_bands(learned):
    with pytest.raises(InputError, match="does not have 3 bands"):
        learned.error(np.ones((4, 2)))
