import numpy as np
import pytest
import torch
from scipy.stats import norm

from photoz.networks.calibration import REACH, TYPICAL_LOG_SIGMA, WINGS, calibrated
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators, stacked
from photoz.networks.density import Mixture, log_density


def one_gaussian(mean=0.5, sigma=0.02):
    values = [torch.tensor([[[x]]], dtype=torch.float64) for x in (0.0, mean, np.log(sigma))]
    return Mixture(*values)


def magnitudes(*values):
    return torch.tensor([values], dtype=torch.float64)


def test_core_and_wings_are_gaussians_of_the_given_widths():
    parameters = torch.tensor([[0.3, 0.2, 0.1, 0.01, 0.15, 21.0]], dtype=torch.float64)
    z = np.linspace(0.4, 0.6, 9)
    p = calibrated(one_gaussian(), magnitudes(22.0), parameters)
    ours = log_density(p, torch.tensor(z)[None]).exp()[0].numpy()
    sigma = 0.02 * np.exp(0.3 + 0.2 * (np.log(0.02) - TYPICAL_LOG_SIGMA) + 0.15)
    mean = 0.5 + 0.01 * 1.5
    expected = 0.9 * norm.pdf(z, mean, sigma) + 0.1 * norm.pdf(z, mean, WINGS * sigma)
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_no_parameters_no_change():
    p = calibrated(one_gaussian(), magnitudes(22.0), torch.zeros(1, 6, dtype=torch.float64))
    z = torch.tensor([[0.47]], dtype=torch.float64)
    torch.testing.assert_close(log_density(p, z), log_density(one_gaussian(), z))


def test_a_network_predicts_with_its_own_calibration_and_trains_without():
    config = NetworkConfig(encoder_layers=1, decoder_layers=1, photoz_layers=1, width=4, features=2)
    network = DeepZ(config, 3, seeded_generators([1, 2]))
    x = torch.randn(2, 8, 3)
    plain = network(x)
    network.calibration[1] = torch.tensor([0.5, 0.0, 0.1, 0.0, 0.0, 21.0])
    assert network.n_components == 20
    magnitude = torch.full((2, 8), 20.0)
    p = network.predict(x, magnitude)
    torch.testing.assert_close(p.log_sigma[1, :, :10], plain.log_sigma[1] + 0.5)
    torch.testing.assert_close(p.log_sigma[0, :, :10], plain.log_sigma[0])
    again = stacked([network.member(0), network.member(1)])
    torch.testing.assert_close(again.predict(x, magnitude).log_sigma, p.log_sigma)
    training = network(x, seeded_generators([3, 4]))
    assert training.mean.shape[-1] == 10


def test_galaxies_far_from_the_pivot_are_treated_as_those_at_the_end_of_its_reach():
    parameters = torch.tensor([[0.0, 0.0, 0.1, 0.0, 0.2, 21.0]], dtype=torch.float64)
    near, far = (
        calibrated(one_gaussian(), magnitudes(m), parameters).log_sigma
        for m in (21 + REACH, 21 + 2 * REACH)
    )
    assert torch.equal(near, far)
    assert near[0, 0, 0].item() == pytest.approx(np.log(0.02) + 0.2 * REACH)


@pytest.mark.parametrize("wings", [0.0, 0.3])
def test_weights_still_sum_to_one(wings):
    parameters = torch.tensor([[0.1, 0.1, wings, 0.0, 0.1, 21.0]], dtype=torch.float64)
    p = calibrated(one_gaussian(), magnitudes(22.0), parameters)
    assert p.log_weight.exp().sum().item() == pytest.approx(1)
