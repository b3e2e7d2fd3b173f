from dataclasses import replace

import numpy as np
import pytest
import torch

from photoz.networks import NetworkConfig
from photoz.networks.density import Mixture
from photoz.survey.splits import make_splits
from photoz.training.calibrate import _fit, calibrate
from photoz.training.config import FinetuningConfig
from photoz.training.finetune import finetune
from photoz.training.predict import predict_folds

NETWORK = NetworkConfig(
    encoder_layers=1, decoder_layers=1, photoz_layers=2, width=16, features=2, components=3
)


def gaussians(n, factor, rng):
    """Claimed densities, and redshifts that scatter `factor` (n,) times as much."""
    sigma = 10 ** rng.uniform(-3, -1, n)
    mean = rng.uniform(1, 2, n)
    redshift = mean + sigma * factor(sigma) * rng.standard_normal(n)
    values = [torch.tensor(x)[None, :, None] for x in (np.zeros(n), mean, np.log(sigma))]
    return Mixture(*values), torch.tensor(redshift)[None]


def magnitudes(redshift):
    """Magnitudes that have nothing to do with the rest."""
    drawn = np.random.default_rng(9).uniform(18, 23, redshift.shape)
    return torch.tensor(drawn)


def test_a_known_error_of_the_width_is_found():
    p, redshift = gaussians(20_000, lambda sigma: 2.0, np.random.default_rng(1))
    (log_scale, slope, wings, _, tilt, _), before, after = _fit(p, magnitudes(redshift), redshift)
    assert log_scale == pytest.approx(np.log(2), abs=0.05)
    assert slope == pytest.approx(0, abs=0.02) and tilt == pytest.approx(0, abs=0.02)
    assert wings < 0.02
    # The gain in closed form: -ln 2 + (4 - 1) / 2.
    assert before - after == pytest.approx(-np.log(2) + 1.5, abs=0.05)


def test_an_error_that_grows_with_the_width_is_found():
    p, redshift = gaussians(20_000, lambda sigma: (sigma / 0.01) ** 0.3, np.random.default_rng(2))
    (_, slope, *_), _, _ = _fit(p, magnitudes(redshift), redshift)
    assert slope == pytest.approx(0.3, abs=0.02)


def test_an_error_that_grows_with_the_magnitude_is_found():
    p, redshift = gaussians(20_000, lambda sigma: 1.0, np.random.default_rng(6))
    magnitude = magnitudes(redshift)
    mean = p.mean.squeeze(-1)
    scattered = mean + (redshift - mean) * torch.exp(0.25 * (magnitude - 20.5))
    (log_scale, _, _, _, tilt, pivot), _, _ = _fit(p, magnitude, scattered)
    assert tilt == pytest.approx(0.25, abs=0.02)
    assert pivot == pytest.approx(20.5, abs=0.1)
    assert log_scale == pytest.approx(0, abs=0.05)


def test_a_bias_that_all_share_is_found():
    p, redshift = gaussians(20_000, lambda sigma: 1.0, np.random.default_rng(5))
    biased = p._replace(mean=(p.mean - 4e-4) / (1 + 4e-4))
    (_, _, _, shift, *_), _, _ = _fit(biased, magnitudes(redshift), redshift)
    # The narrowest tenth alone, of sigma 0.001, tells the shift to 2e-5 or so.
    assert shift == pytest.approx(4e-4, abs=5e-5)


def test_hardly_any_galaxies_hardly_any_correction():
    p, redshift = gaussians(3, lambda sigma: 1.0, np.random.default_rng(3))
    parameters, _, _ = _fit(p, magnitudes(redshift), redshift)
    assert torch.isfinite(parameters).all() and parameters[:2].abs().max() < 1


def test_the_redshifts_of_a_fold_are_left_out_of_its_fit(catalogue):
    folds = make_splits(catalogue.id, 1, 3, seed=4)[:, 0]
    config = FinetuningConfig(epochs=10, batch_size=50, quiet_epochs=1)
    trained, _ = finetune(catalogue, folds, None, NETWORK, config, [1], torch.device("cpu"))
    plain = predict_folds(trained, catalogue, folds)
    calibrate(trained, catalogue, folds, 1.0, [1])
    first = trained.network.calibration.clone()
    wider = predict_folds(trained, catalogue, folds)
    assert first.any(-1).all() and wider.means.shape[1] == 2 * plain.means.shape[1]

    trained.network.calibration.zero_()
    other = np.where(folds == 0, catalogue.redshift + 0.3, catalogue.redshift)
    calibrate(trained, replace(catalogue, redshift=other), folds, 1.0, [1])
    assert torch.equal(trained.network.calibration[0], first[0])
    assert not torch.equal(trained.network.calibration[1], first[1])
