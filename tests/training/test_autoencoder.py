"""The autoencoder alone: it learns what a survey's galaxies look like, and says what it cannot."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks.config import NetworkConfig
from photoz.networks.transform import FluxRatio
from photoz.survey.noise import FixedSNR
from photoz.training.autoencoder import denoise, train_autoencoder
from photoz.training.config import PretrainingConfig

from .conftest import BANDS, break_fluxes

NETWORK = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=1, width=32, features=2, undropped_layers=2
)
TRAINING = PretrainingConfig(steps=1500, batch_size=200, learning_rate=5e-3)
TRANSFORM = FluxRatio(BANDS, "i")
NOISE = FixedSNR((5.0,) * 4 + (50.0,))


def train(network=NETWORK, training=TRAINING, seed=1, n=1000):
    flux = break_fluxes(np.random.default_rng(0).uniform(0, 1, n))
    return train_autoencoder(flux, TRANSFORM, NOISE, network, training, seed, torch.device("cpu"))


@pytest.fixture(scope="module")
def trained():
    return train()


def test_galaxies_of_one_parameter_lose_half_of_their_noise(trained):
    rng = np.random.default_rng(5)
    true = break_fluxes(rng.uniform(0.05, 0.95, 2000)) / 4.0  # over the reference band
    error = 0.2 * true[:, :4]
    noisy = true.copy()
    noisy[:, :4] += error * rng.standard_normal(error.shape)
    pull = (denoise(trained, noisy)[:, :4] - true[:, :4]) / error
    assert np.median(np.abs(pull)) < 0.5 * 0.674  # the median of a normal distribution


def test_the_unit_of_the_fluxes_does_not_matter(trained):
    flux = break_fluxes(np.linspace(0.1, 0.9, 20))
    np.testing.assert_allclose(denoise(trained, flux), denoise(trained, 1e3 * flux), rtol=1e-4)


def test_the_same_seed_gives_the_same_network():
    short = replace(TRAINING, steps=5)
    states = [train(training=short, seed=seed).network.state_dict() for seed in (3, 3, 4)]
    name = "encoder.output.weight"
    assert torch.equal(states[0][name], states[1][name])
    assert not torch.equal(states[0][name], states[2][name])


def test_the_photoz_network_is_left_as_it_was():
    trained = train(training=replace(TRAINING, steps=5))
    untouched = train(training=replace(TRAINING, steps=1))
    for a, b in zip(
        trained.network.photoz.parameters(), untouched.network.photoz.parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_few_bands_do_not_become_the_identity():
    # ten features for five bands: the noise must still be seen, as in pretraining
    wide = train(replace(NETWORK, features=10), replace(TRAINING, steps=300))
    rng = np.random.default_rng(5)
    true = break_fluxes(rng.uniform(0.05, 0.95, 2000)) / 4.0
    noisy = true.copy()
    noisy[:, :4] *= 1 + 0.2 * rng.standard_normal((2000, 4))
    pull = (denoise(wide, noisy)[:, :4] - true[:, :4]) / (0.2 * true[:, :4])
    assert np.median(np.abs(pull)) < 0.9 * 0.674


def test_no_galaxies_give_no_galaxies(trained):
    assert denoise(trained, np.empty((0, 5))).shape == (0, 5)


def test_unusable_input(trained):
    with pytest.raises(InputError, match="features is 0"):
        train(replace(NETWORK, features=0))
    flux = break_fluxes(np.linspace(0.1, 0.9, 20))
    for wrong in (np.nan, -1.0):
        bad = flux.copy()
        bad[3, 4] = wrong
        with pytest.raises(InputError, match="finite, and positive in the reference band"):
            train_autoencoder(bad, TRANSFORM, NOISE, NETWORK, TRAINING, 1, torch.device("cpu"))
    with pytest.raises(InputError, match="2 networks given"):
        denoise(replace(trained, network=trained.network.repeated(2)), flux)
