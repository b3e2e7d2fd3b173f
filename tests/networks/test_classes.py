"""The classifier head against torch's cross entropy, scipy and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch.nn.functional import cross_entropy

from photoz.files import InputError
from photoz.networks import DeepZ, NetworkConfig, seeded_generators
from photoz.networks.classes import (
    Classes,
    check_redshifts,
    class_nodes,
    class_of,
    class_pdf,
    classes,
    sigma68,
)
from photoz.networks.density import log_density, negative_log_likelihood
from photoz.pdf.io import read_pdf, write_pdf

WIDTH = 0.01


def outputs(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)).double()


def test_the_loss_is_the_cross_entropy_of_the_density():
    output = outputs(2, 30, 50)
    z = 0.5 * torch.rand(2, 30, generator=torch.Generator().manual_seed(2)).double()
    loss = negative_log_likelihood(classes(output, WIDTH), z)
    for k in range(2):
        entropy = cross_entropy(output[k], (z[k] / WIDTH).long())
        torch.testing.assert_close(loss[k], entropy + math.log(WIDTH))


def test_its_gradient_agrees_with_finite_differences():
    output, z = outputs(1, 4, 6).requires_grad_(), torch.tensor([[0.001, 0.012, 0.035, 0.059]])
    assert torch.autograd.gradcheck(lambda o: log_density(classes(o, WIDTH), z), output)


def test_redshifts_on_and_beyond_the_ends_have_a_class():
    z = torch.tensor([-0.2, 0.0, 0.0149, 0.0151, 0.0999, 0.1, 3.0])
    assert class_of(z, 10, WIDTH).tolist() == [0, 0, 1, 1, 9, 9, 9]


@pytest.mark.parametrize("sigma", [0.004, 0.05])
def test_the_width_of_a_gaussian_is_its_sigma(sigma):
    edges = np.arange(0, 1001) * 0.001
    probability = np.diff(norm.cdf(edges, 0.4, sigma))
    p = Classes(torch.tensor(probability).log().view(1, 1, -1), 0.001)
    assert sigma68(p).item() == pytest.approx(sigma * norm.ppf(0.84), rel=0.02)


def test_the_width_of_a_uniform_density_is_its_34_per_cent():
    p = Classes(torch.full((1, 1, 8), 1 / 8).log(), 0.5)
    assert sigma68(p).item() == pytest.approx(0.34 * 4.0, abs=1e-5)
    certain = torch.full((1, 1, 8), -math.inf)
    certain[..., 3] = 0.0
    assert sigma68(Classes(certain, 0.5)).item() == pytest.approx(0.34 * 0.5, abs=1e-6)


def test_the_grid_holds_all_probability_and_the_densities_of_the_bins(tmp_path):
    rng = np.random.default_rng(3)
    probability = rng.dirichlet(np.ones(20), size=5)
    probability[2] = np.nan
    pdf = class_pdf(probability, WIDTH)
    assert pdf.valid.tolist() == [True, True, False, True, True]
    np.testing.assert_allclose(pdf.z, [0, *np.arange(0.005, 0.2, 0.01), 0.2])
    known = pdf.valid
    middles = pdf.pdf(class_nodes(20, WIDTH)[1:-1])
    # the grid is scaled to an integral of one: that this changes nothing is the test
    np.testing.assert_allclose(middles[known], probability[known] / WIDTH, rtol=1e-12)
    assert (pdf.zmin, pdf.z[-1]) == (0.0, pytest.approx(0.2))
    write_pdf(tmp_path / "p.hdf5", pdf)
    again, _ = read_pdf(tmp_path / "p.hdf5")
    np.testing.assert_allclose(again.density[known], pdf.density[known], rtol=1e-6)
    np.testing.assert_allclose(
        pdf.mean()[known], probability[known] @ class_nodes(20, WIDTH)[1:-1], atol=2e-3
    )


def test_a_network_of_classes_has_an_output_for_each():
    config = NetworkConfig(
        encoder_layers=1, decoder_layers=1, photoz_layers=1, width=4, features=2, head="classes",
        class_width=0.1, class_redshift_max=0.75,
    )  # fmt: skip
    network = DeepZ(config, 5, seeded_generators([1, 2]))
    assert config.n_classes == 8  # the last one reaches beyond
    p = network(torch.rand(2, 3, 5))
    assert isinstance(p, Classes) and p.width == 0.1
    torch.testing.assert_close(p.log_probability.exp().sum(-1), torch.ones(2, 3))
    assert NetworkConfig(head="classes").n_classes == 1500


def test_redshifts_that_no_class_holds_are_refused():
    config = NetworkConfig(head="classes", class_redshift_max=1.0)
    check_redshifts(config, 0.99)
    check_redshifts(NetworkConfig(), 7.0)
    with pytest.raises(InputError, match=r"redshift 1\.2.*raise its class_redshift_max, now 1"):
        check_redshifts(config, 1.2)


@pytest.mark.parametrize(
    "wrong", [{"head": "quantiles"}, {"class_width": 0.0}, {"class_width": 1.0}]
)
def test_impossible_heads_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NetworkConfig(**wrong)
