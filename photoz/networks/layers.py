"""Layers that carry a leading network axis, so that several networks train in lockstep.

Every tensor is (network, galaxy, channel). The networks share nothing: network k reads its own
galaxies, its own weights and its own dropout, and its result does not depend on its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from photoz.networks.convolution import ConvolutionalFrontEnd

EPSILON = 1e-5  # added to the variance, as in torch.nn.BatchNorm1d


def initial_weight(
    n_networks: int, fan_in: int, shape: tuple[int, ...], generators: Sequence[torch.Generator]
) -> Tensor:
    """Uniform in +-1/sqrt(fan_in), the default of torch.nn.Linear, one generator per network."""
    bound = 1 / math.sqrt(fan_in)
    draws = [torch.rand(shape, generator=g) for g in generators]
    assert len(draws) == n_networks
    return torch.stack(draws) * (2 * bound) - bound


class Linear(nn.Module):
    """`n_networks` independent affine maps, (n, galaxy, in) -> (n, galaxy, out)."""

    def __init__(self, n_in: int, n_out: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        n = len(generators)
        self.weight = nn.Parameter(initial_weight(n, n_in, (n_in, n_out), generators))
        self.bias = nn.Parameter(initial_weight(n, n_in, (1, n_out), generators))

    def forward(self, x: Tensor) -> Tensor:
        """Always in the precision of the weights: this is where densities are made."""
        return torch.baddbmm(self.bias, x.to(self.weight.dtype), self.weight)


def side_by_side(device: torch.device) -> bool:
    """Whether a galaxy's activations in `NormalisedLayer` lie in a row for all networks.

    One kernel then normalises all networks, which a GPU wants; a processor prefers the activations
    of each network together.
    """
    return device.type == "cuda"


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Matrix products a b, (n, galaxy, out), laid out in memory as `side_by_side` says."""
    if not side_by_side(a.device):
        return torch.bmm(a, b)
    y = a.new_empty(a.shape[1], a.shape[0], b.shape[2]).transpose(0, 1)
    return torch.bmm(a, b, out=y)


def _matrices(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Views of tensors (n, galaxy, channel) for each kernel: a network's, or all side by side.

    Matrices (galaxy, channel), or vectors where there is one value per network and channel. All
    must lie in memory as `_product` makes them.
    """
    if side_by_side(tensors[0].device):
        rows = (x.transpose(0, 1) for x in tensors)
        return iter([tuple(row.view(len(row), -1).squeeze(0) for row in rows)])
    return zip(*(x.squeeze(1).unbind() for x in tensors), strict=True)


def _zero(y: Tensor, index: Tensor) -> None:
    """Zero y (n, galaxy, channel) at flat indices, wherever it keeps these in memory."""
    if not y.is_contiguous():
        n, galaxies, width = y.shape
        network, galaxy = index // (galaxies * width), index // width % galaxies
        index = (galaxy * n + network) * width + index % width
        y = y.transpose(0, 1)
    y.view(-1).index_fill_(0, index, 0.0)


class NormalisedLayer(torch.autograd.Function):
    """Linear map, batch normalisation, ReLU and dropout as one step with its gradient.

    With h = x W, the batch mean m and variance v over galaxies, u = (h - m) / sqrt(v + eps) and
    s = 1 / (1 - p), the output is y = s relu(gamma u + beta), zeroed where dropped. Then

        g      = dL/dy where y > 0, else 0            (covers ReLU and dropout at once)
        dL/dbeta = s sum g,   dL/dgamma = s sum g u
        dL/dh  = s gamma / sqrt(v + eps) (g - mean g - u mean(g u))

    A bias before a batch normalisation has no effect, so there is none. Products run in the
    precision of `x` (float32 or bfloat16), statistics in that of `weight`. The normalisation and
    its gradient are torch's fused kernels: they read h once or twice where the equations written
    out read it a dozen times.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, gamma: Tensor, beta: Tensor, drop: Tensor, p: float
    ) -> Tensor:
        """Return y, (n, galaxy, out)."""
        w, s = weight.to(x.dtype), 1 / (1 - p)
        h, scale, shift = _product(x, w), s * gamma, s * beta
        y, mean, rstd = torch.empty_like(h), torch.empty_like(scale), torch.empty_like(scale)
        for h_, scale_, shift_, *out in _matrices(h, scale, shift, y, mean, rstd):
            torch.native_batch_norm(
                h_, scale_, shift_, None, None, True, 0.0, EPSILON, out=(out[0], out[1], out[2])
            )
        y.relu_()
        if drop.numel():
            _zero(y, drop)
        ctx.save_for_backward(x, w, h, y, scale, mean, rstd)
        ctx.s = s
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by the equations of the class docstring."""
        x, w, h, y, scale, mean, rstd = ctx.saved_tensors
        g = torch.empty_like(y)
        torch.ops.aten.threshold_backward.grad_input(gradient, y, 0, grad_input=g)
        gh, sum_gu, sum_g = torch.empty_like(h), torch.empty_like(scale), torch.empty_like(scale)
        for g_, h_, scale_, mean_, rstd_, *out in _matrices(
            g, h, scale, mean, rstd, gh, sum_gu, sum_g
        ):
            torch.ops.aten.native_batch_norm_backward.out(
                g_, h_, scale_, None, None, mean_, rstd_, True, EPSILON, [True] * 3,
                out0=out[0], out1=out[1], out2=out[2],
            )  # fmt: skip
        grad_x = _product(gh, w.transpose(1, 2)) if ctx.needs_input_grad[0] else None
        grad_w = torch.bmm(x.transpose(1, 2), gh).to(scale.dtype)
        return grad_x, grad_w, ctx.s * sum_gu, ctx.s * sum_g, None, None


def dropped(shape: torch.Size, p: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Flat indices of the activations to drop: round(p galaxies width) of them per network.

    Drawing positions costs a fraction p of drawing a Bernoulli variable per activation.
    """
    size = shape[1] * shape[2]
    count = round(p * size)
    device = generators[0].device
    draws = [
        torch.randint(k * size, (k + 1) * size, (count,), generator=g, device=device)
        for k, g in enumerate(generators)
    ]
    return torch.cat(draws)


class DenseLayer(nn.Module):
    """Linear, batch normalisation, ReLU and dropout (paper, section 2.2).

    Maps (n, galaxy, in) to (n, galaxy, out).

    The population statistics used for prediction are not running averages: `settle` measures
    them once after training, on the training galaxies and without dropout.
    """

    def __init__(
        self, n_in: int, n_out: int, p: float, generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        n = len(generators)
        self.p = p
        self.weight = nn.Parameter(initial_weight(n, n_in, (n_in, n_out), generators))
        self.gamma = nn.Parameter(torch.ones(n, 1, n_out))
        self.beta = nn.Parameter(torch.zeros(n, 1, n_out))
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(n, 1, n_out))
        self.register_buffer("variance", torch.ones(n, 1, n_out))

    def forward(self, x: Tensor, dropout: Sequence[torch.Generator] | None) -> Tensor:
        """One step: with batch statistics and dropout if generators are given, else as settled."""
        if dropout is None:
            scale = self.gamma * (self.variance + EPSILON).rsqrt()
            shift = self.beta - self.mean * scale
            return torch.baddbmm(shift, x, self.weight * scale).relu_()
        shape = torch.Size((x.shape[0], x.shape[1], self.weight.shape[2]))
        drop = dropped(shape, self.p, dropout)
        return NormalisedLayer.apply(x, self.weight, self.gamma, self.beta, drop, self.p)

    @torch.no_grad()
    def settle(self, x: Tensor) -> Tensor:
        """Store the statistics of `x` as the population's and return the layer's output for it."""
        h = torch.bmm(x, self.weight)
        self.mean.copy_(h.mean(1, keepdim=True))
        self.variance.copy_(h.var(1, correction=0, keepdim=True))
        return self(x, None)

    @torch.no_grad()
    def restore_scale(self) -> None:
        """Give the weights the size they are born with; batch normalisation takes it out again.

        The function stays the same but for `EPSILON`. What changes is how far a step of a given
        learning rate turns them: less, the larger they have grown.
        """
        born = 1 / math.sqrt(3 * self.weight.shape[1])  # rms of `initial_weight`
        factor = born / self.weight.square().mean((1, 2), keepdim=True).sqrt()
        self.weight.mul_(factor)
        self.mean.mul_(factor)
        self.variance.mul_(factor.square())


class PreNormLayer(nn.Module):
    """The public code's order: batch normalisation, linear, dropout, ReLU."""

    def __init__(
        self, n_in: int, n_out: int, p: float, generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        n = len(generators)
        self.p = p
        self.gamma = nn.Parameter(torch.ones(n, 1, n_in))
        self.beta = nn.Parameter(torch.zeros(n, 1, n_in))
        self.linear = Linear(n_in, n_out, generators)
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(n, 1, n_in))
        self.register_buffer("variance", torch.ones(n, 1, n_in))

    def forward(self, x: Tensor, dropout: Sequence[torch.Generator] | None) -> Tensor:
        """One step: with batch statistics and dropout if generators are given, else as settled."""
        x = x.to(self.gamma.dtype)
        if dropout is None:
            scale = self.gamma * (self.variance + EPSILON).rsqrt()
            shift = self.beta - self.mean * scale
            bias = self.linear(shift)
            return torch.baddbmm(bias, x, self.linear.weight * scale.transpose(1, 2)).relu_()
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).square().mean(1, keepdim=True)
        y = self.linear((x - mean) * (variance + EPSILON).rsqrt() * self.gamma + self.beta)
        drop = dropped(y.shape, self.p, dropout)
        keep = torch.full_like(y, 1 / (1 - self.p)).view(-1).index_fill_(0, drop, 0.0).view_as(y)
        return (y * keep).relu()

    @torch.no_grad()
    def settle(self, x: Tensor) -> Tensor:
        """Store the statistics of `x` as the population's and return the layer's output for it."""
        self.mean.copy_(x.mean(1, keepdim=True))
        self.variance.copy_((x - self.mean).square().mean(1, keepdim=True))
        return self(x, None)


LAYERS = {"linear_norm_relu": DenseLayer, "norm_linear_relu": PreNormLayer}


class DenseStack(nn.Module):
    """Hidden layers of given widths and dropouts, and a linear output layer.

    Behind a front end, if there is one, that reads the input first.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        widths: Sequence[int],
        dropouts: Sequence[float],
        layer_order: str,
        generators: Sequence[torch.Generator],
        front: ConvolutionalFrontEnd | None = None,
    ) -> None:
        super().__init__()
        layer = LAYERS[layer_order]
        self.front = front
        self.hidden = nn.ModuleList(
            layer(i, o, p, generators)
            for (i, o), p in zip(pairwise([n_in, *widths]), dropouts, strict=True)
        )
        self.output = Linear(widths[-1], n_out, generators)

    def forward(self, x: Tensor, dropout: Sequence[torch.Generator] | None) -> Tensor:
        """Map (n, galaxy, in) to (n, galaxy, out)."""
        if self.front is not None:
            x = self.front(x, dropout)
        for layer in self.hidden:
            x = layer(x, dropout)
        return self.output(x)

    @torch.no_grad()
    def settle(self, x: Tensor) -> Tensor:
        """Settle every layer on `x` in turn and return the stack's output."""
        if self.front is not None:
            x = self.front.settle(x)
        for layer in self.hidden:
            assert isinstance(layer, DenseLayer | PreNormLayer)
            x = layer.settle(x)
        return self.output(x)
