"""Networks in lockstep are the same networks one by one, and prediction folds nothing away."""

import itertools

import pytest
import torch
from torch import nn

from photoz.networks import DeepZ, NetworkConfig, seeded_generators
from photoz.networks.density import negative_log_likelihood

ORDERS = ["linear_norm_relu", "norm_linear_relu"]
SEEDS = [11, 12, 13, 14]


def config(order):
    return NetworkConfig(
        encoder_layers=3, decoder_layers=2, photoz_layers=3, width=12, features=3, components=4,
        undropped_layers=1, layer_order=order,
    )  # fmt: skip


def losses_and_gradients(group, x, z, order):
    """Of the networks of a group, each on its own galaxies, by seed."""
    seeds = [SEEDS[k] for k in group]
    network = DeepZ(config(order), 6, seeded_generators(seeds)).double()
    rows = torch.tensor(group)
    generators = seeded_generators(seeds)
    features = network.features(x[rows], generators)
    reconstruction = (network.reconstruct(features, generators) - x[rows]).abs().mean((1, 2))
    density = network.density(x[rows], features, generators)
    loss = negative_log_likelihood(density, z[rows]) + reconstruction
    loss.sum().backward()
    result = {}
    for position, k in enumerate(group):
        gradients = {
            name: p.grad[position] for name, p in network.named_parameters() if p.grad is not None
        }
        result[k] = loss[position].detach(), gradients
    return result


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("groups", [[[0, 1, 2, 3]], [[0, 1], [2, 3]], [[3, 0, 2], [1]]])
def test_loss_and_gradients_do_not_depend_on_the_grouping(groups, order):
    g = torch.Generator().manual_seed(5)
    x = torch.rand(4, 30, 6, generator=g).double()
    z = torch.rand(4, 30, generator=g).double()
    grouped = {}
    for group in groups:
        grouped |= losses_and_gradients(group, x, z, order)
    for k in range(4):
        loss, gradients = losses_and_gradients([k], x, z, order)[k]
        torch.testing.assert_close(grouped[k][0], loss, rtol=1e-10, atol=0)
        assert gradients.keys() == grouped[k][1].keys()
        for name, gradient in gradients.items():
            # Relative to the largest entry: a bias before a normalisation has no gradient at all.
            scale = max(float(gradient.abs().max()), 1e-3)
            difference = float((grouped[k][1][name] - gradient).abs().max())
            assert difference < 1e-10 * scale, name


@pytest.mark.parametrize("order", ORDERS)
def test_folded_prediction_is_that_of_torchs_own_modules(order):
    network = DeepZ(config(order), 6, seeded_generators([1, 2])).double()
    g = torch.Generator().manual_seed(3)
    for layer in itertools.chain(*(s.hidden for s in (network.encoder, network.photoz))):
        with torch.no_grad():
            for values in (layer.gamma, layer.beta, layer.mean, layer.variance):
                values.copy_(torch.rand(values.shape, generator=g) + 0.3)
    x = torch.randn(2, 40, 6, generator=g).double()
    output = network.photoz(torch.cat((x, network.features(x)), -1), None)
    for k in range(2):
        encoder = modules(network.encoder, k, order)
        photoz = modules(network.photoz, k, order)
        expected = photoz(torch.cat((x[k], encoder(x[k])), -1))
        torch.testing.assert_close(output[k], expected, rtol=1e-11, atol=1e-11)


def modules(stack, k, order):
    """Network `k` of a stack as torch.nn modules in evaluation mode."""
    parts = []
    for layer in stack.hidden:
        weight = layer.weight if order == ORDERS[0] else layer.linear.weight
        n_in, n_out = weight.shape[1:]
        linear = nn.Linear(n_in, n_out, bias=order == ORDERS[1], dtype=torch.float64)
        norm = nn.BatchNorm1d(layer.gamma.shape[-1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(weight[k].T)
            if order == ORDERS[1]:
                linear.bias.copy_(layer.linear.bias[k, 0])
            norm.weight.copy_(layer.gamma[k, 0])
            norm.bias.copy_(layer.beta[k, 0])
            norm.running_mean.copy_(layer.mean[k, 0])
            norm.running_var.copy_(layer.variance[k, 0])
        parts += [linear, norm] if order == ORDERS[0] else [norm, linear]
        parts.append(nn.ReLU())
    last = nn.Linear(stack.output.weight.shape[1], stack.output.weight.shape[2]).double()
    with torch.no_grad():
        last.weight.copy_(stack.output.weight[k].T)
        last.bias.copy_(stack.output.bias[k, 0])
    return nn.Sequential(*parts, last).eval()
