"""The nearest-neighbour baseline, on a toy survey and on real galaxies."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photoz.files import InputError
from photoz.survey.catalogue import Catalogue
from photoz.training.neighbours import (
    NeighbourConfig,
    asinh_magnitudes,
    default_bands,
    fit_predict,
    neighbour_scatter,
    predict_folds,
)


def toy(n=1500, seed=0, noise=0.02, shift=0.0):
    """Three bands whose two colours are linear in redshift and a nuisance."""
    rng = np.random.default_rng(seed)
    z, kind, mag = rng.uniform(0.1, 1, n), rng.uniform(-1, 1, n), rng.uniform(20, 22, n)
    magnitude = mag[:, None] + np.stack([2 * z + 0.3 * kind, z - 0.2 * kind, 0 * z], axis=1)
    flux = 10 ** (-0.4 * (magnitude - 26 - shift))
    error = noise * flux * np.log(10) / 2.5
    return flux + error * rng.normal(size=flux.shape), error, z


def split(data, at=1000):
    flux, error, z = data
    return (flux[:at], error[:at], z[:at], flux[at:], error[at:]), z[at:]


def test_a_plane_through_noiseless_colours_is_exact():
    inputs, z = split(toy(noise=1e-5))
    pdf = fit_predict(*inputs, 2, NeighbourConfig(magnitude_scale=None, ridge=1e-9))
    np.testing.assert_allclose(pdf.mode(), z, atol=2e-3)
    mean = fit_predict(*inputs, 2, NeighbourConfig(magnitude_scale=None, fit="mean"))
    assert np.std(mean.means[:, 0] - z) > 5 * np.std(pdf.means[:, 0] - z)


def test_density_is_calibrated_and_scatter_is_what_the_noise_allows():
    inputs, z = split(toy(4000, noise=0.05), 3000)
    pdf = fit_predict(*inputs, 2, NeighbourConfig(wide_weight=0.0))
    # Two colours fix z and kind; neighbouring colours share a band, so their errors correlate.
    a = np.array([[1, 0.5], [1, -0.2]])  # colours by (z, kind)
    covariance = 0.05**2 * np.array([[2, -1], [-1, 2]])
    inverse = np.linalg.inv(a)
    expected = np.sqrt((inverse @ covariance @ inverse.T)[0, 0])
    measured = np.std(pdf.means[:, 0] - z)
    assert 0.7 * expected < measured < 1.15 * expected  # below: kind and z are bounded
    assert stats.kstest(pdf.pit(z), "uniform").statistic < 0.06


def test_prediction_does_not_depend_on_the_zero_point_or_the_order_of_training():
    inputs, _ = split(toy())
    first = fit_predict(*inputs, 2).means
    scaled = [x * 40 for x in inputs[:2]] + [inputs[2]] + [x * 40 for x in inputs[3:]]
    np.testing.assert_allclose(fit_predict(*scaled, 2).means, first, rtol=1e-6)
    order = np.random.default_rng(1).permutation(1000)
    shuffled = [x[order] for x in inputs[:3]] + list(inputs[3:])
    np.testing.assert_allclose(fit_predict(*shuffled, 2).means, first, rtol=1e-6)


def test_galaxies_without_a_band_have_no_pdf_and_negative_fluxes_do():
    flux, error, z, new, new_error = split(toy())[0]
    new = new.copy()
    new[3, 1] = np.nan
    new[4, 0] = -0.5 * new_error[4, 0]
    flux = flux.copy()
    flux[:50, 0] = np.nan
    pdf = fit_predict(flux, error, z, new, new_error, 2)
    assert np.flatnonzero(~pdf.valid).tolist() == [3]
    used = fit_predict(flux, error, z, new, new_error, 2, NeighbourConfig(bands=(0, 2)))
    assert used.valid.all()


def test_mean_and_median_of_k():
    inputs, _ = split(toy())
    config = NeighbourConfig(n_neighbours=10, fit="mean", magnitude_scale=None)
    mean = fit_predict(*inputs, 2, config)
    median = fit_predict(*inputs, 2, replace(config, fit="median"))
    # Brute force for one galaxy.
    flux, error, z, new, new_error = inputs
    softening = np.median(error, axis=0)
    m, s = asinh_magnitudes(flux, error, softening)
    scale = np.median(np.hypot(s[:, 1:], s[:, :-1]), axis=0)
    query, _ = asinh_magnitudes(new[:1], new_error[:1], softening)
    distance = np.sum(((np.diff(m) - np.diff(query)) / scale) ** 2, axis=1)
    nearest = z[np.argsort(distance)[:10]]
    assert mean.means[0, 0] == pytest.approx(nearest.mean())
    assert median.means[0, 0] == pytest.approx(np.median(nearest))


def test_asinh_magnitudes_are_plain_ones_when_bright():
    magnitude, error = asinh_magnitudes(np.array([[1e4]]), np.array([[1e2]]), np.array([1.0]))
    assert magnitude[0, 0] == pytest.approx(-10.0, abs=1e-6)
    assert error[0, 0] == pytest.approx(2.5 / np.log(10) * 0.01, rel=1e-6)
    faint, _ = asinh_magnitudes(np.array([[-1.0], [0.0]]), np.ones((2, 1)), np.array([1.0]))
    assert faint[0, 0] > faint[1, 0]


def test_default_bands_are_the_broad_ones():
    assert default_bands([True] * 4 + [False] * 6) == tuple(range(4, 10))
    assert default_bands([True] * 4 + [False] * 2) == tuple(range(6))


def test_scatter_per_bin_and_its_seed():
    flux, error, z = toy(600)
    mag = -2.5 * np.log10(flux[:, 2]) + 26
    bins = [-np.inf, 21, 23, 30]
    first = neighbour_scatter(flux, error, z, mag, 2, bins)
    assert 0 < first[0] < 0.1
    assert np.isnan(first[2])
    np.testing.assert_array_equal(first, neighbour_scatter(flux, error, z, mag, 2, bins))


def toy_catalogue(n=300, seed=3):
    flux, error, z = toy(n, seed)
    mag = 26 - 2.5 * np.log10(flux[:, 2])
    bands = ("g", "r", "i")
    values = (flux.astype(np.float32), error.astype(np.float32), bands, "toy", 26.0, "i")
    return Catalogue(np.arange(n), z, mag, *values)


def outside(folds):
    """Every galaxy outside a fold, by fold."""
    return {int(fold): np.flatnonzero(folds != fold) for fold in np.unique(folds)}


def test_a_galaxys_own_label_never_reaches_its_prediction():
    catalogue = toy_catalogue()
    folds = (np.arange(300) % 3).astype(np.int8)
    config = NeighbourConfig(n_neighbours=20)
    before = predict_folds(catalogue, folds, outside(folds), config)
    relabelled = catalogue.redshift.copy()
    relabelled[folds == 1] += 5.0
    after = predict_folds(replace(catalogue, redshift=relabelled), folds, outside(folds), config)
    for name in ("weights", "means", "sigmas"):
        first, second = getattr(before, name), getattr(after, name)
        np.testing.assert_array_equal(first[folds == 1], second[folds == 1])
    assert (before.means[folds != 1] != after.means[folds != 1]).any()
    assert after.mode()[folds != 1].max() > 2  # the others do see those labels


def test_every_galaxy_is_predicted_as_by_its_own_training_set():
    catalogue = toy_catalogue()
    folds = np.random.default_rng(0).integers(0, 4, 300).astype(np.int8)
    training = {fold: index[::5] for fold, index in outside(folds).items()}  # few
    config = NeighbourConfig(n_neighbours=10)
    pdf = predict_folds(catalogue, folds, training, config)
    for fold, train in training.items():
        test = folds == fold
        known = (catalogue.flux[train], catalogue.error[train], catalogue.redshift[train])
        alone = fit_predict(*known, catalogue.flux[test], catalogue.error[test], 2, config)
        np.testing.assert_array_equal(pdf.means[test], alone.means)
    assert pdf.valid.all()


def test_folds_that_cannot_be_predicted_are_named():
    catalogue = toy_catalogue()
    folds = (np.arange(300) % 3).astype(np.int8)
    with pytest.raises(InputError, match="fold 2 would be predicted from its own galaxies"):
        predict_folds(catalogue, folds, outside(folds) | {2: np.arange(300)})
    few = {fold: index[:30] for fold, index in outside(folds).items()}
    with pytest.raises(InputError, match=r"fold 0: neighbours: 30 training galaxies .* lower it"):
        predict_folds(catalogue, folds, few)


def test_bad_input_is_told():
    flux, error, z, new, new_error = split(toy(200), 100)[0]
    with pytest.raises(InputError, match="more than n_neighbours"):
        fit_predict(flux[:50], error[:50], z[:50], new, new_error, 2)
    with pytest.raises(InputError, match="differ"):
        fit_predict(flux, error[:, :2], z, new, new_error, 2)
    with pytest.raises(InputError, match="two bands"):
        fit_predict(flux, error, z, new, new_error, 2, NeighbourConfig(bands=(0,)))
    with pytest.raises(InputError, match="linear, mean"):
        NeighbourConfig(fit="cubic")


def test_real_zcosmos_broad_bands(real_galaxies):
    """Measured elsewhere on these galaxies: sigma68 0.0140 (10 neighbours), 0.0142 (80, linear)."""
    table = pd.read_parquet(real_galaxies)
    names = ["u_cfht", *(f"subaru_{b}" for b in "BVriz")]
    keep = table.cc.between(3, 5, inclusive="left") & (table.zspec > 0.01)
    keep &= (table[["mask_b", "mask_v", "mask_i", "mask_z"]] == 0).all(axis=1)
    keep &= (table.mag_subaru_i < 22.5) & table[[f"magerr_{n}" for n in names]].notna().all(axis=1)
    table = table[keep]
    mag = table[[f"mag_{n}" for n in names]].to_numpy()
    flux = 10 ** (-0.4 * (mag - 26))
    error = flux * table[[f"magerr_{n}" for n in names]].to_numpy() * np.log(10) / 2.5
    z = table.zspec.to_numpy()
    fold = np.random.default_rng(1).permutation(len(z)) % 5
    mode, pit = np.empty(len(z)), np.empty(len(z))
    for f in range(5):
        train, test = fold != f, fold == f
        pdf = fit_predict(flux[train], error[train], z[train], flux[test], error[test], 4)
        mode[test], pit[test] = pdf.mode(), pdf.pit(z[test])
    dz = (mode - z) / (1 + z)
    low, high = np.percentile(dz, [15.9, 84.1])
    assert len(z) == 8313
    assert 0.5 * (high - low) == pytest.approx(0.0137, abs=0.0006)
    assert np.mean(np.abs(dz) > 0.15) < 0.01
    assert np.mean(np.abs(dz) > 0.02) == pytest.approx(0.185, abs=0.012)
    assert stats.kstest(pit, "uniform").statistic < 0.04
    plain = neighbour_scatter(flux, error, z, mag[:, 4], 4, [-np.inf, 20, 21.5, 22, 22.5])
    np.testing.assert_allclose(plain, [0.0175, 0.0142, 0.0133, 0.0148], atol=0.0009)
