"""Autoencoders that learn from galaxies whose redshifts play no part."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks import FluxRatio, NetworkConfig
from photoz.training.config import FinetuningConfig
from photoz.training.finetune import finetune
from photoz.training.galaxies import training_galaxies
from photoz.training.predict import predict_folds
from tests.training.conftest import BANDS

CPU = torch.device("cpu")
NETWORK = NetworkConfig(
    encoder_layers=1, decoder_layers=1, photoz_layers=2, width=16, features=2, components=2
)
PLAIN = FinetuningConfig(epochs=6, batch_size=20, quiet_epochs=1)


@pytest.fixture(scope="module")
def folds(catalogue):
    return np.arange(len(catalogue)) % 3


def train(catalogue, folds, which, **more):
    config = replace(PLAIN, unlabelled=which, **more)
    return finetune(catalogue, folds, None, NETWORK, config, [1, 0], CPU, 0.3)[0]


def misfit(trained, catalogue, chosen):
    """Mean |reconstruction - coadd| / error of the first network."""
    transform = FluxRatio(BANDS, "i")
    network = trained.network.member(0)
    flux = torch.as_tensor(catalogue.flux[chosen]).unsqueeze(0)
    error = transform.error(flux, torch.as_tensor(catalogue.error[chosen]))
    x = transform(flux)
    with torch.no_grad():
        reconstruction = network.reconstruct(network.features(x))
    return float(((reconstruction - x).abs() / error).mean())


def test_the_autoencoder_learns_what_coadds_look_like(catalogue, folds):
    unseen = np.flatnonzero(folds == 0)
    longer = {"epochs": 60, "learning_rate": 0.01}
    without = train(catalogue, folds, "none", **longer)
    trained = train(catalogue, folds, "outside_fold", **longer)
    assert misfit(trained, catalogue, unseen) < 0.5 * misfit(without, catalogue, unseen)


def brighter(catalogue, chosen):
    """The same catalogue, but that some galaxies have another colour."""
    flux = catalogue.flux.copy()
    flux[chosen, 0] *= 1.5
    return replace(catalogue, flux=flux, exposures=None)


@pytest.mark.parametrize(("which", "reaches"), [("outside_fold", False), ("all", True)])
def test_the_fold_that_is_predicted_is_left_out_unless_asked_for(catalogue, folds, which, reaches):
    here = folds == 0
    plain = replace(catalogue, exposures=None)
    networks = [
        train(sky, folds, which).network.member(0) for sky in (plain, brighter(plain, here))
    ]
    same = [torch.equal(a, b) for a, b in zip(*(n.parameters() for n in networks), strict=True)]
    assert all(same) != reaches


def test_redshifts_of_unlabelled_galaxies_are_not_read(catalogue, folds):
    """Other redshifts of galaxies that no network has a label for leave all weights as they are."""
    labelled = np.concatenate(
        [training_galaxies(catalogue, folds, k, 0.3, [1, 0]) for k in range(3)]
    )
    others = np.setdiff1d(np.arange(len(catalogue)), labelled)
    assert len(others) > 50
    changed = catalogue.redshift.copy()
    changed[others] = changed[others][::-1]
    networks = [
        train(sky, folds, "all").network
        for sky in (catalogue, replace(catalogue, redshift=changed))
    ]
    for a, b in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(a, b)


def test_galaxies_without_redshifts_may_be_among_them(catalogue, folds):
    hidden = catalogue.redshift.copy()
    hidden[::2] = np.nan
    sky = replace(catalogue, redshift=hidden)
    trained = train(sky, folds, "outside_fold")
    assert np.isfinite(predict_folds(trained, sky, folds).means).all()


def test_a_network_without_autoencoder_has_nothing_to_learn_from_them(catalogue, folds):
    config = replace(PLAIN, unlabelled="all")
    with pytest.raises(InputError, match=r"finetuning\.unlabelled: .* no autoencoder"):
        finetune(catalogue, folds, None, replace(NETWORK, features=0), config, [1], CPU)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"unlabelled": "some"}, "must be one of"), ({"unlabelled": "all", "train": "head"}, "train")],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **settings)
