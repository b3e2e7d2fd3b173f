"""Mixtures of galaxies: their shares, partners and losses."""

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest
from torch.nn.functional import cross_entropy, one_hot

from photoz.networks import DeepZ, NetworkConfig, seeded_generators
from photoz.networks.density import log_density, negative_log_likelihood
from photoz.training.config import FinetuningConfig
from photoz.training.mixup import Pairs, draw_pairs
from photoz.training.objective import finetuning_loss

SMALL = {"encoder_layers": 1, "decoder_layers": 1, "photoz_layers": 1, "width": 8, "features": 2,
         "undropped_layers": 1, "photoz_undropped_layers": 1}  # fmt: skip
SEEDS = [3, 4]


def batch(n=2, galaxies=40, bands=5):
    g = torch.Generator().manual_seed(1)
    x = torch.rand(n, galaxies, bands, generator=g)
    z = torch.rand(n, galaxies, generator=g)
    return x, z, torch.rand(n, galaxies, generator=g) < 0.7


def loss_of(network, mixup, **config):
    x, z, complete = batch()
    generators = seeded_generators(SEEDS)
    settings = FinetuningConfig(**config)
    dtype = torch.float32
    return finetuning_loss(network, x, z, complete, settings, mixup, dtype, generators)


@pytest.mark.parametrize("parameter", [0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(parameter):
    pairs = draw_pairs((2, 5000), parameter, seeded_generators(SEEDS))
    shares = pairs.share.flatten().numpy()
    assert kstest(shares, beta(parameter, parameter).cdf).pvalue > 1e-3
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * parameter + 1)), rel=0.05)


def test_every_galaxy_is_partner_once_and_networks_keep_apart():
    pairs = draw_pairs((2, 30), 0.4, seeded_generators(SEEDS))
    assert torch.equal(pairs.partner.sort(-1).values, torch.arange(30).expand(2, 30))
    alone = draw_pairs((1, 30), 0.4, seeded_generators(SEEDS[1:]))
    assert torch.equal(alone.partner[0], pairs.partner[1])
    assert torch.equal(alone.share[0], pairs.share[1])


def test_inputs_and_losses_are_mixed_alike():
    pairs = Pairs(torch.tensor([[1.0, 0.25]]), torch.tensor([[1, 0]]))
    x = torch.tensor([[[1.0, 2.0], [5.0, 10.0]]])
    assert pairs.inputs(x).tolist() == [[[1.0, 2.0], [2.0, 4.0]]]
    labels = torch.tensor([[3.0, 7.0]])
    assert pairs.of_partner(labels).tolist() == [[7.0, 3.0]]
    assert pairs.loss(labels, pairs.of_partner(labels)).tolist() == [[3.0, 4.0]]


def test_without_mixup_the_loss_is_the_plain_one_to_the_bit():
    network = DeepZ(NetworkConfig(**SMALL), 5, seeded_generators([7, 8]))
    x, z, _ = batch()
    plain = negative_log_likelihood(network(x, seeded_generators(SEEDS)), z)
    assert torch.equal(loss_of(network, 0.0), plain)


def test_galaxies_with_an_emptied_band_are_left_out():
    network = DeepZ(NetworkConfig(**SMALL), 5, seeded_generators([7, 8]))
    x, z, complete = batch()
    loss = -log_density(network(x, seeded_generators(SEEDS)), z)
    expected = torch.stack([loss[k][complete[k]].mean() for k in range(2)])
    torch.testing.assert_close(loss_of(network, 0.0, empty_bands="drop_galaxy"), expected)


@pytest.mark.parametrize("empty_bands", ["keep_one", "drop_galaxy"])
def test_a_classifier_has_the_cross_entropy_with_mixed_labels(empty_bands):
    # Labels as two-spike distributions, as in the paper of mixup; batch statistics aside, which
    # are those of the mixed inputs in both.
    config = NetworkConfig(**SMALL, head="classes", class_width=0.05, class_redshift_max=1.0)
    network = DeepZ(config, 5, seeded_generators([7, 8]))
    x, z, complete = batch()
    generators = seeded_generators(SEEDS)
    pairs = draw_pairs((2, 40), 0.5, generators)
    p = network(pairs.inputs(x), generators)
    label = one_hot((z / 0.05).long(), 20).float()
    partner = torch.stack([label[k][pairs.partner[k]] for k in range(2)])
    target = pairs.share[..., None] * label + (1 - pairs.share[..., None]) * partner
    used = torch.ones_like(complete)
    if empty_bands == "drop_galaxy":
        used = complete & torch.stack([complete[k][pairs.partner[k]] for k in range(2)])
    for k, loss in enumerate(loss_of(network, 0.5, empty_bands=empty_bands)):
        entropy = cross_entropy(p.log_probability[k][used[k]], target[k][used[k]])
        torch.testing.assert_close(loss, entropy + np.log(0.05))


def test_a_negative_parameter_is_refused():
    with pytest.raises(ValueError, match="mixup"):
        FinetuningConfig(mixup=-0.1)
