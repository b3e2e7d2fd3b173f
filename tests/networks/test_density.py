"""The density head against scipy."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from photoz.networks.density import (
    LOG_SIGMA_CEILING,
    LOG_SIGMA_FLOOR,
    log_density,
    mixture,
    negative_log_likelihood,
)


def random_output(n=5, k=3, seed=0):
    return torch.randn(n, 3 * k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_density_is_the_truncated_mixture_of_scipy_normals():
    p = mixture(random_output())
    z = torch.linspace(0.1, 1.2, 5, dtype=torch.float64)
    weight, mean, sigma = (t.numpy() for t in (p.log_weight.exp(), p.mean, p.log_sigma.exp()))
    density = (weight * stats.norm.pdf(z.numpy()[:, None], mean, sigma)).sum(1)
    above = (weight * stats.norm.sf(0, mean, sigma)).sum(1)
    np.testing.assert_allclose(log_density(p, z), np.log(density / above), rtol=1e-10)


def test_density_integrates_to_one_above_zero():
    p = mixture(random_output(n=1))

    def density(z):
        return log_density(p, torch.tensor([z], dtype=torch.float64)).exp().item()

    total, _ = integrate.quad(density, 0, 30, limit=500)
    assert abs(total - 1) < 1e-6


def test_sigma_has_a_floor_and_a_gradient_there():
    output = torch.zeros(1, 3, dtype=torch.float64)
    output[0, 2] = -50.0
    output.requires_grad_()
    p = mixture(output)
    assert p.log_sigma.item() >= LOG_SIGMA_FLOOR
    negative_log_likelihood(p, torch.tensor([0.0], dtype=torch.float64)).backward()
    assert torch.isfinite(output.grad).all()


def test_sigma_has_a_ceiling_and_a_gradient_there():
    output = torch.zeros(1, 3, dtype=torch.float64)
    output[0, 2] = 30.0
    output.requires_grad_()
    p = mixture(output)
    assert p.log_sigma.item() == pytest.approx(LOG_SIGMA_CEILING, abs=1e-3)
    p.log_sigma.sum().backward()
    assert output.grad[0, 2] > 0


def test_means_stay_above_the_truncation_and_are_untouched_far_from_it():
    output = torch.tensor([[0.0, 0.0, -3.0, 0.7, 0.0, 0.0]])
    low, high = mixture(output).mean[0].tolist()
    assert 0 <= low < 1e-6
    assert abs(high - 0.7) < 1e-6


def test_single_component_loss_is_the_gaussian_log_likelihood():
    output = torch.tensor([[0.0, 5.0, -3.0]], dtype=torch.float64)
    sigma = mixture(output).log_sigma.exp().item()
    loss = negative_log_likelihood(mixture(output), torch.tensor([5.02], dtype=torch.float64))
    np.testing.assert_allclose(loss, -stats.norm.logpdf(5.02, 5.0, sigma), rtol=1e-9)


def test_loss_and_gradient_stay_finite_for_extreme_outputs():
    """Components far below zero and far from the redshift, as a bad batch can make them."""
    for raw_sigma in (-60.0, -9.0, -8.9, 0.0, 5.0):
        for mean in (-1e3, -10.48, -0.1, 0.5, 1e3):
            output = torch.tensor([[0.0, -1.0, mean, 0.4, raw_sigma, 0.0]], requires_grad=True)
            loss = negative_log_likelihood(mixture(output), torch.tensor([0.3]))
            loss.backward()
            assert torch.isfinite(loss).all() and torch.isfinite(output.grad).all()
