"""Other coadds at test time: random ones, ones that lack an exposure, other orders of exposures."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from photoz.files import InputError
from photoz.networks import DeepZ, FluxRatio, NetworkConfig, seeded_generators
from photoz.survey.coadds import coadd
from photoz.survey.exposure_layout import lay_out
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.exposure_orders import predict_orders
from photoz.training.leave_one_out import (
    coadds_without_one,
    leave_one_out,
    leave_one_out_moves,
    most_moved,
)
from photoz.training.predict import predict_folds
from photoz.training.random_coadds import predict_random_coadds

CONFIG = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=8, features=2, components=3
)


def random_networks(catalogue, n=2):
    network = DeepZ(CONFIG, len(catalogue.bands), seeded_generators(range(1, n + 1)))
    transform = FluxRatio(catalogue.bands, catalogue.reference_band)
    network.settle(transform(torch.as_tensor(catalogue.flux)).expand(n, -1, -1))
    return TrainedNetworks(network, transform)


@pytest.fixture(scope="module")
def folds(catalogue):
    return np.arange(len(catalogue)) % 2


@pytest.fixture(scope="module")
def trained(catalogue):
    return random_networks(catalogue)


def without_exposures(catalogue):
    return dataclasses.replace(catalogue, exposures=None)


def test_random_coadds_are_about_the_full_one(catalogue, folds, trained):
    few = predict_random_coadds(trained, catalogue, folds, 3, 0.5, seed=1)
    usual = predict_folds(trained, catalogue, folds)
    np.testing.assert_allclose(few["z_mode"], usual.mode(), atol=1e-5)
    np.testing.assert_allclose(few["odds"], usual.odds(), atol=1e-5)
    assert (few["variation"] > 0).all()
    most = predict_random_coadds(trained, catalogue, folds, 3, 1 - 1e-7, seed=1)
    assert most["variation"].max() < 1e-4
    np.testing.assert_allclose(most["augmented_z_mode"], most["z_mode"], atol=1e-4)


def test_variation_grows_as_exposures_are_left_out(catalogue, folds, trained):
    variation = [
        np.median(predict_random_coadds(trained, catalogue, folds, 8, alpha, 1)["variation"])
        for alpha in (0.95, 0.7, 0.3)
    ]
    assert variation[0] < variation[1] < variation[2]


def test_the_same_seed_gives_the_same_and_a_galaxy_without_a_band_nothing(
    catalogue, folds, trained
):
    flux = catalogue.flux.copy()
    flux[7, 4] = np.nan
    damaged = dataclasses.replace(catalogue, flux=flux)
    first, again = (predict_random_coadds(trained, damaged, folds, 2, 0.6, 5) for _ in range(2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
        assert np.flatnonzero(~np.isfinite(values)).tolist() == [7]


def test_a_coadd_without_one_is_the_coadd_of_the_others(catalogue):
    flux, left_out = coadds_without_one(catalogue, 3)
    single, error = catalogue.exposures.flux[3], catalogue.exposures.error[3]
    taken = np.isfinite(single)
    assert len(left_out) == sum(n for n in taken.sum(-1) if n > 1)
    for row, (band, slot) in zip(flux, left_out, strict=True):
        assert taken[band, slot]
        others = np.delete(np.arange(4), slot)
        expected, _ = coadd(single[band, others], error[band, others])
        assert row[band] == pytest.approx(expected, rel=1e-6)
        untouched = np.delete(np.arange(5), band)
        np.testing.assert_array_equal(row[untouched], catalogue.flux[3, untouched])


def test_the_only_exposure_of_a_band_is_never_left_out(catalogue):
    error = catalogue.exposures.error.copy()
    error[0, 2, 1:] = np.nan
    exposures = dataclasses.replace(catalogue.exposures, error=error)
    flux, left_out = coadds_without_one(dataclasses.replace(catalogue, exposures=exposures), 0)
    assert np.isfinite(flux).all()
    assert 2 not in left_out[:, 0]


def test_leaving_out_compares_with_all_exposures(catalogue, folds, trained):
    usual = predict_folds(trained, catalogue, folds).mode()
    one = TrainedNetworks(trained.network.member(1), trained.transform)
    result = leave_one_out(one, catalogue, 5)
    assert len(result.pdf) == len(result.band) == len(result.exposure)
    assert result.band[0] == "" and result.exposure[0] == -1
    assert set(result.band[1:]) <= set(catalogue.exposures.bands)
    assert result.pdf.mode()[0] == pytest.approx(usual[5], abs=1e-5)
    moves = leave_one_out_moves(trained, catalogue, folds, most=8)
    assert moves["row"].tolist() == list(range(8))
    modes = result.pdf.mode()
    expected = np.abs(modes - modes[0]).max() / (1 + catalogue.redshift[5])
    assert moves["move"][5] == pytest.approx(expected, abs=1e-5)
    assert (moves["nearest"] <= moves["farthest"]).all()


def test_the_galaxy_of_the_figure_moves_most_of_those_with_a_good_redshift():
    moves = pd.DataFrame(
        {
            "row": [4, 5, 9, 7],
            "z_spec": [0.5] * 4,
            "z_mode": [0.7, 0.51, 0.5, 0.5],
            "width": [0.01, 0.01, 0.01, 0.3],
            "move": [9.0, 0.1, 0.2, 0.4],
        }
    )
    assert most_moved(moves) == 9
    assert most_moved(moves[:1]) == 4  # none is good
    with pytest.raises(InputError, match="nothing to leave exposures out"):
        most_moved(moves[:0])


def test_galaxies_without_redshift_or_band_are_not_chosen(catalogue, folds, trained):
    redshift, flux = catalogue.redshift.copy(), catalogue.flux.copy()
    redshift[0], flux[2, 0] = np.nan, np.nan
    damaged = dataclasses.replace(catalogue, redshift=redshift, flux=flux)
    assert leave_one_out_moves(trained, damaged, folds, 3)["row"].tolist() == [1, 3, 4]


def test_orders_change_redshifts_but_not_the_exposures(catalogue, folds):
    laid = lay_out(catalogue, 1.0, seed=0)
    networks = random_networks(laid)
    modes = predict_orders(networks, laid, folds, 4, seed=2)
    assert modes.shape == (300, 4)
    np.testing.assert_array_equal(modes[:, 0], predict_folds(networks, laid, folds).mode())
    assert (modes[:, 1:] != modes[:, :1]).mean() > 0.9
    # the order of exposures that are all alike does not matter
    alike = dataclasses.replace(laid, flux=np.where(np.arange(17) < 16, 1, laid.flux).astype("f4"))
    same = predict_orders(networks, alike, folds, 3, seed=2)
    np.testing.assert_allclose(same, same[:, :1].repeat(3, axis=1), atol=1e-6)


@pytest.mark.parametrize(
    "predict",
    [
        lambda trained, catalogue, folds: predict_random_coadds(
            trained, catalogue, folds, 2, 0.8, 0
        ),
        lambda trained, catalogue, folds: leave_one_out_moves(trained, catalogue, folds, 2),
    ],
)
def test_catalogues_without_exposures_are_refused(catalogue, folds, trained, predict):
    with pytest.raises(InputError, match="single exposures"):
        predict(trained, without_exposures(catalogue), folds)


def test_networks_of_other_folds_are_refused(catalogue, trained):
    folds = np.arange(len(catalogue)) % 3
    with pytest.raises(InputError, match="2 networks cannot predict 3 folds"):
        predict_random_coadds(trained, catalogue, folds, 2, 0.8, 0)
