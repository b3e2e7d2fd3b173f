"""What photoz is timed against: the same network, as the public DEEPZ code runs it and plainly.

Both are made of torch's own modules and train one network at a time. The public code's habits are
those that cost time: a data loader that collates tensors galaxy by galaxy, p(z) on a grid of 2100
redshifts inside the loss where nobody reads it (and, in pretraining, a second pass through the
photo-z network for another one), and an optimiser that updates tensor by tensor. All of it was
written anew from a description; no line comes from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ

GRID = torch.linspace(0, 2.1, 2100)
BIN = 0.001  # the public code decodes bin i as a redshift of 0.001 i
ODDS_BINS = 1  # bins on either side of the mode: an interval of 0.003

Step = Callable[[], float]


class Parameters(NamedTuple):
    """Mixture of each galaxy, every tensor (galaxy, component)."""

    log_weight: Tensor
    mean: Tensor
    log_sigma: Tensor


class Galaxies(NamedTuple):
    """Training galaxies: coadds (n, band), exposures and their inverse variances (n, narrow
    band, exposure), redshifts (n,). Bands with exposures come first."""

    flux: Tensor
    exposures: Tensor
    inverse_variance: Tensor
    redshift: Tensor


class Network(nn.Module):
    """DEEPZ from torch's own modules: linear, batch normalisation, ReLU and dropout."""

    def __init__(self, config: NetworkConfig, n_bands: int) -> None:
        super().__init__()
        c = config
        self.encoder = _stack(
            n_bands, c.features, c.encoder_layers, c.width, c.autoencoder_dropout,
            c.undropped_layers,
        )  # fmt: skip
        self.decoder = _stack(
            c.features, n_bands, c.decoder_layers, c.width, c.autoencoder_dropout,
            c.undropped_layers,
        )  # fmt: skip
        self.photoz = _stack(
            n_bands + c.features, 3 * c.components, c.photoz_layers, c.width, c.photoz_dropout,
            c.photoz_undropped_layers,
        )  # fmt: skip

    def density(self, x: Tensor, features: Tensor) -> Parameters:
        logit, mean, log_sigma = self.photoz(torch.cat((x, features), 1)).chunk(3, 1)
        return Parameters(torch.log_softmax(logit, 1), mean, log_sigma)

    def forward(self, x: Tensor) -> Parameters:
        return self.density(x, self.encoder(x))


def _stack(
    n_in: int, n_out: int, layers: int, width: int, dropout: float, undropped: int
) -> nn.Sequential:
    modules: list[nn.Module] = []
    for number, (i, o) in enumerate(pairwise([n_in] + [width] * layers)):
        modules += [nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU()]
        if number < layers - undropped:
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules, nn.Linear(width, n_out))


def log_density(p: Parameters, redshift: Tensor) -> Tensor:
    """Logarithm of the density of each galaxy at redshifts (galaxy, point)."""
    distance = (redshift[:, :, None] - p.mean[:, None]).square()
    exponent = p.log_weight[:, None] - 0.5 * distance / (2 * p.log_sigma[:, None]).exp()
    return torch.logsumexp(exponent - p.log_sigma[:, None], 2) - 0.5 * math.log(2 * math.pi)


def random_coadds(g: Galaxies, rows: Tensor, alpha: float) -> Tensor:
    """Coadds of exposures that each enter with probability alpha, one of a band at least."""
    return _coadd(g.flux[rows], g.exposures[rows], g.inverse_variance[rows], alpha)


def _coadd(flux: Tensor, exposures: Tensor, inverse_variance: Tensor, alpha: float) -> Tensor:
    taken = inverse_variance > 0
    chosen = torch.bernoulli(torch.full_like(exposures, alpha)) * taken
    last = (torch.rand_like(exposures) * taken).argmax(2, keepdim=True)
    chosen += (chosen.sum(2, keepdim=True) == 0) * torch.zeros_like(chosen).scatter_(2, last, 1.0)
    weight = inverse_variance * chosen
    narrow = (weight * exposures).sum(2) / weight.sum(2)
    return torch.cat((narrow, flux[:, narrow.shape[1] :]), 1)


def _ratios(flux: Tensor, reference: int) -> Tensor:
    return flux / flux[:, reference : reference + 1]


def _rows(n: int, batch: int, device: torch.device) -> Iterator[Tensor]:
    """Indices of whole batches for ever, reshuffled every epoch."""
    while True:
        order = torch.randperm(n, device=device)
        yield from (part for part in order.split(batch) if len(part) == batch)


def _loaded(tensors: tuple[Tensor, ...], batch: int) -> Iterator[list[Tensor]]:
    """Whole batches for ever from torch's data loader, which collates them galaxy by galaxy."""
    loader = DataLoader(TensorDataset(*tensors), batch_size=batch, shuffle=True, drop_last=True)
    while True:
        yield from loader


def _grid_density(p: Parameters) -> Tensor:
    return log_density(p, GRID.to(p.mean)[None])


def _update(optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def public_step(
    network: Network, galaxies: Galaxies, batch: int, reference: int, alpha: float = 0.8
) -> Step:
    """A fine-tuning step as in the public code, to be called again and again."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, weight_decay=1e-4, foreach=False)
    batches = _loaded(tuple(galaxies), batch)

    def step() -> float:
        flux, exposures, inverse_variance, redshift = next(batches)
        p = network(_ratios(_coadd(flux, exposures, inverse_variance, alpha), reference))
        loss = -log_density(p, redshift[:, None]).mean()
        _grid_density(p)
        return _update(optimiser, loss)

    return step


def plain_step(
    network: Network, galaxies: Galaxies, batch: int, reference: int, alpha: float = 0.8
) -> Step:
    """A fine-tuning step written the obvious good way: tensors in memory and no grid."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, weight_decay=1e-4)
    batches = _rows(len(galaxies.flux), batch, galaxies.flux.device)

    def step() -> float:
        rows = next(batches)
        p = network(_ratios(random_coadds(galaxies, rows, alpha), reference))
        loss = -log_density(p, galaxies.redshift[rows, None]).mean()
        return _update(optimiser, loss)

    return step


def _reconstruction(network: Network, features: Tensor, x: Tensor, error: Tensor) -> Tensor:
    return ((network.decoder(features) - x).abs() / error).mean()


def public_pretraining_step(
    network: Network, flux: Tensor, error: Tensor, redshift: Tensor, batch: int
) -> Step:
    """A pretraining step as in the public code: two passes through the photo-z network, two grids.

    `flux` and `error` (n, band) are ratios to the reference band, without noise.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, foreach=False)
    batches = _loaded((flux, error, redshift), batch)

    def step() -> float:
        x, scale, z = next(batches)
        x = x + scale * torch.randn_like(x)
        features = network.encoder(x)
        grid = _grid_density(network.density(x, features)).exp()
        grid = grid / grid.sum(1, keepdim=True)
        p = network.density(x, features)
        loss = -log_density(p, z[:, None]).mean()
        _grid_density(p)
        return _update(optimiser, loss + _reconstruction(network, features, x, scale))

    return step


def plain_pretraining_step(
    network: Network, flux: Tensor, error: Tensor, redshift: Tensor, batch: int
) -> Step:
    """A pretraining step written the obvious good way."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    batches = _rows(len(flux), batch, flux.device)

    def step() -> float:
        rows = next(batches)
        x, scale = flux[rows], error[rows]
        x = x + scale * torch.randn_like(x)
        features = network.encoder(x)
        loss = -log_density(network.density(x, features), redshift[rows, None]).mean()
        return _update(optimiser, loss + _reconstruction(network, features, x, scale))

    return step


@torch.no_grad()
def public_prediction(network: Network, x: Tensor, batch: int = 100) -> dict[str, Tensor]:
    """Predict as the public code: normalised p(z) in 2100 bins and the highest bin.

    ODDS and the 1 to 99 per cent width, which it does not compute, are read off cumulative sums.
    """
    network.eval()
    parts = []
    for (flux,) in DataLoader(TensorDataset(x), batch_size=batch):
        pz = _grid_density(network(flux)).exp()
        parts.append(_from_bins(pz / pz.sum(1, keepdim=True)))
    return _joined(parts)


@torch.no_grad()
def plain_prediction(network: Network, x: Tensor, batch: int = 100) -> dict[str, Tensor]:
    """Predict the obvious good way: tensors in memory, the same grid and what follows from it."""
    network.eval()
    return _joined([_from_bins(_grid_density(network(flux)).softmax(1)) for flux in x.split(batch)])


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _from_bins(pz: Tensor) -> dict[str, Tensor]:
    top = pz.argmax(1)
    cumulative = pz.cumsum(1)
    high = cumulative.gather(1, (top + ODDS_BINS).clamp(max=pz.shape[1] - 1)[:, None])
    low = cumulative.gather(1, (top - ODDS_BINS - 1).clamp(min=0)[:, None])
    odds = (high - low * (top > ODDS_BINS)[:, None])[:, 0]
    first, last = ((cumulative < q).sum(1) for q in (0.01, 0.99))
    return {"pz": pz, "z_mode": BIN * top, "odds": odds, "width": BIN * (last - first)}


@torch.no_grad()
def as_modules(network: DeepZ) -> Network:
    """The same network, trained, of torch's modules; it has no bias before a normalisation."""
    (n_bands, n_networks), config = (network.n_bands, network.n_networks), network.config
    if n_networks != 1 or config.layer_order != "linear_norm_relu":
        raise ValueError("only a single network in the paper's order of layers can be translated")
    result = Network(config, n_bands).to(network.photoz.output.weight.dtype)
    for name in ("encoder", "decoder", "photoz"):
        ours, theirs = getattr(network, name), getattr(result, name)
        linears = [m for m in theirs if isinstance(m, nn.Linear)]
        norms = [m for m in theirs if isinstance(m, nn.BatchNorm1d)]
        for layer, linear, norm in zip(ours.hidden, linears[:-1], norms, strict=True):
            linear.weight.copy_(layer.weight[0].T)
            linear.bias.zero_()
            norm.weight.copy_(layer.gamma[0, 0])
            norm.bias.copy_(layer.beta[0, 0])
            norm.running_mean.copy_(layer.mean[0, 0])
            norm.running_var.copy_(layer.variance[0, 0])
        linears[-1].weight.copy_(ours.output.weight[0].T)
        linears[-1].bias.copy_(ours.output.bias[0, 0])
    return result


def bare_matmuls(
    config: NetworkConfig,
    n_bands: int,
    batch: int,
    n_networks: int,
    dtype: torch.dtype,
    device: torch.device,
    stacks: tuple[str, ...],
    backward: bool,
) -> Callable[[], None]:
    """The matrix products of a step (or of a prediction) and nothing else: the limit."""
    c = config
    ends = {
        "encoder": (n_bands, c.features, c.encoder_layers),
        "decoder": (c.features, n_bands, c.decoder_layers),
        "photoz": (n_bands + c.features, 3 * c.components, c.photoz_layers),
    }
    products: list[tuple[Tensor, Tensor, Tensor]] = []
    for name in stacks:
        n_in, n_out, layers = ends[name]
        for number, (i, o) in enumerate(pairwise([n_in] + [c.width] * layers + [n_out])):
            x = torch.randn(n_networks, batch, i, device=device, dtype=dtype)
            w = torch.randn(n_networks, i, o, device=device, dtype=dtype)
            y = torch.empty(n_networks, batch, o, device=device, dtype=dtype)
            products.append((x, w, y))
            if backward:
                products.append((x.transpose(1, 2), y, torch.empty_like(w)))
                # Inputs need no gradient, but the features of a galaxy do.
                if number or name != "encoder":
                    products.append((y, w.transpose(1, 2), torch.empty_like(x)))
    for _, _, out in products:
        out.normal_()

    def run() -> None:
        for a, b, out in products:
            torch.bmm(a, b, out=out)

    return run
