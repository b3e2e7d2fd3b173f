"""The hand-written layer against torch's own modules and against numerical differentiation."""

import pytest
import torch
from torch import nn

from photoz.networks import layers
from photoz.networks.deepz import seeded_generators
from photoz.networks.layers import DenseLayer, NormalisedLayer, PreNormLayer, dropped

NO_DROP = torch.empty(0, dtype=torch.long)


def reference_layer(weight, gamma, beta):
    """The same layer from torch.nn modules: Linear without bias, BatchNorm1d, ReLU."""
    n_in, n_out = weight.shape
    linear = nn.Linear(n_in, n_out, bias=False, dtype=weight.dtype)
    norm = nn.BatchNorm1d(n_out, dtype=weight.dtype)
    with torch.no_grad():
        linear.weight.copy_(weight.T)
        norm.weight.copy_(gamma)
        norm.bias.copy_(beta)
    return nn.Sequential(linear, norm, nn.ReLU())


def random_layer(n=3, galaxies=17, n_in=5, n_out=4):
    g = torch.Generator().manual_seed(1)
    x = torch.randn(n, galaxies, n_in, generator=g, dtype=torch.float64)
    weight = torch.randn(n, n_in, n_out, generator=g, dtype=torch.float64)
    gamma = torch.rand(n, 1, n_out, generator=g, dtype=torch.float64) + 0.5
    beta = torch.randn(n, 1, n_out, generator=g, dtype=torch.float64)
    return [t.requires_grad_() for t in (x, weight, gamma, beta)]


@pytest.fixture(params=["network by network", "side by side"])
def memory(request, monkeypatch):
    """Both orders of activations in memory: the processor's, and the GPU's."""
    together = request.param == "side by side"
    monkeypatch.setattr(layers, "side_by_side", lambda device: together)


@pytest.mark.usefixtures("memory")
def test_lockstep_layer_equals_torch_modules_one_by_one():
    x, weight, gamma, beta = random_layer()
    y = NormalisedLayer.apply(x, weight, gamma, beta, NO_DROP, 0.0)
    y.sin().sum().backward()
    for k in range(3):
        reference = reference_layer(weight[k].detach(), gamma[k, 0], beta[k, 0])
        xk = x[k].detach().requires_grad_()
        yk = reference(xk)
        yk.sin().sum().backward()
        torch.testing.assert_close(y[k], yk, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(x.grad[k], xk.grad, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(
            weight.grad[k], reference[0].weight.grad.T, rtol=1e-10, atol=1e-10
        )
        torch.testing.assert_close(gamma.grad[k, 0], reference[1].weight.grad)
        torch.testing.assert_close(beta.grad[k, 0], reference[1].bias.grad)


@pytest.mark.usefixtures("memory")
def test_gradient_agrees_with_finite_differences_under_dropout():
    inputs = random_layer(n=2, galaxies=6, n_in=3, n_out=2)
    drop = torch.tensor([0, 5, 13, 20])
    assert torch.autograd.gradcheck(
        lambda *t: NormalisedLayer.apply(*t, drop, 0.25), inputs, atol=1e-7
    )


@pytest.mark.parametrize("seeds", [[1], [1, 2, 3]])
def test_both_orders_in_memory_give_the_same(monkeypatch, seeds):
    stack = layers.DenseStack(
        6, 3, [8, 5], [0.1, 0.2], "linear_norm_relu", seeded_generators(seeds)
    )
    x = torch.randn(len(seeds), 40, 6, generator=torch.Generator().manual_seed(0))
    results = []
    for together in (False, True):
        monkeypatch.setattr(layers, "side_by_side", lambda device, together=together: together)
        stack.zero_grad()
        y = stack(x, seeded_generators(seeds))
        y.sin().sum().backward()
        results.append([y.detach(), *(p.grad.clone() for p in stack.parameters())])
    torch.testing.assert_close(*results)


def test_side_by_side_a_galaxy_has_all_networks_in_a_row(monkeypatch):
    monkeypatch.setattr(layers, "side_by_side", lambda device: True)
    x, *weights = random_layer()
    y = NormalisedLayer.apply(x, *weights, NO_DROP, 0.0)
    assert y.shape == (3, 17, 4) and y.stride() == (4, 12, 1)


def test_dropout_zeroes_the_asked_fraction_and_keeps_networks_apart():
    shape = torch.Size((2, 100, 50))
    drop = dropped(shape, 0.02, seeded_generators([3, 4]))
    assert len(drop) == 2 * round(0.02 * 100 * 50)
    first, second = drop[:100], drop[100:]
    assert first.max() < 5000 <= second.min()
    alone = dropped(torch.Size((1, 100, 50)), 0.02, seeded_generators([4]))
    torch.testing.assert_close(second - 5000, alone)


@pytest.mark.parametrize("kind", [DenseLayer, PreNormLayer])
def test_settled_layer_repeats_the_batch_result_without_dropout(kind):
    layer = kind(6, 4, 0.0, seeded_generators([1, 2]))
    x = torch.randn(2, 64, 6, generator=torch.Generator().manual_seed(0))
    batch = layer(x, seeded_generators([1, 2]))
    settled = layer.settle(x)
    torch.testing.assert_close(settled, batch, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(layer(x, None), settled, rtol=1e-4, atol=1e-5)


def test_weights_that_grew_get_their_first_scale_back_and_give_the_same():
    layer = DenseLayer(50, 40, 0.0, seeded_generators([1, 2]))
    x = torch.randn(2, 200, 50, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        layer.weight *= torch.tensor([3.0, 7.0]).view(2, 1, 1)
    before = layer.settle(x)
    layer.restore_scale()
    # Uniform in +-1 / sqrt(50): its rms is 1 / sqrt(150).
    rms = layer.weight.square().mean((1, 2)).sqrt()
    torch.testing.assert_close(rms, torch.full((2,), 150**-0.5))
    torch.testing.assert_close(layer(x, None), before, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(layer.settle(x), before, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("memory")
def test_bfloat16_products_stay_close_to_float32():
    x, weight, gamma, beta = (t.detach().float() for t in random_layer(galaxies=200, n_in=64))
    exact = NormalisedLayer.apply(x, weight, gamma, beta, NO_DROP, 0.0)
    rough = NormalisedLayer.apply(x.bfloat16(), weight, gamma, beta, NO_DROP, 0.0)
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().max() < 0.05
