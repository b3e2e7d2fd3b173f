"""The references do what they say, so that beating them means something."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import references
from benchmarks.references import Galaxies, Network, Parameters
from photoz.networks import DeepZ, NetworkConfig, seeded_generators

SMALL = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=3, width=16, features=3, components=4,
    undropped_layers=1,
)  # fmt: skip


def galaxies(n=60, narrow=5, broad=2, exposures=3):
    rng = np.random.default_rng(0)
    flux = rng.uniform(1, 2, (n, narrow + broad))
    single = flux[:, :narrow, None] * rng.uniform(0.9, 1.1, (n, narrow, exposures))
    variance = rng.uniform(1, 4, single.shape)
    variance[0, 0, 1:] = 0  # one exposure taken
    arrays = (flux, single, variance, rng.uniform(0.1, 1, n))
    return Galaxies(*(torch.tensor(a, dtype=torch.float32) for a in arrays))


def test_network_has_the_papers_modules():
    network = Network(NetworkConfig(), 46)
    for stack, dropped in ((network.encoder, 7), (network.decoder, 7), (network.photoz, 10)):
        kinds = [type(module).__name__ for module in stack]
        assert kinds.count("Linear") == 11
        assert kinds.count("BatchNorm1d") == kinds.count("ReLU") == 10
        assert kinds.count("Dropout") == dropped
        assert kinds[:4] == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]


def test_density_is_scipys():
    rng = np.random.default_rng(1)
    weight, mean, sigma = rng.dirichlet(np.ones(3), 4), rng.random((4, 3)), rng.random((4, 3)) + 0.1
    p = Parameters(*(torch.tensor(a) for a in (np.log(weight), mean, np.log(sigma))))
    z = np.linspace(0, 1, 7)
    truth = (weight[:, None] * stats.norm.pdf(z[:, None], mean[:, None], sigma[:, None])).sum(2)
    density = references.log_density(p, torch.tensor(z)[None])
    np.testing.assert_allclose(density, np.log(truth), rtol=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_random_coadds_are_means_of_taken_exposures(alpha):
    torch.manual_seed(0)
    g = galaxies()
    coadd = references.random_coadds(g, torch.arange(60), alpha)
    torch.testing.assert_close(coadd[:, 5:], g.flux[:, 5:])
    narrow = coadd[:, :5]
    assert torch.isfinite(narrow).all()
    assert (narrow >= g.exposures.amin(2) - 1e-6).all()
    assert (narrow <= g.exposures.amax(2) + 1e-6).all()
    torch.testing.assert_close(narrow[0, 0], g.exposures[0, 0, 0])
    full = (g.exposures * g.inverse_variance).sum(2) / g.inverse_variance.sum(2)
    assert torch.allclose(narrow, full) == (alpha == 1)


@pytest.mark.parametrize("make", [references.public_step, references.plain_step])
def test_finetuning_steps_learn(make):
    torch.manual_seed(0)
    step = make(Network(SMALL, 7), galaxies(), 30, 6, alpha=0.9)
    losses = [step() for _ in range(150)]
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) - 0.05


@pytest.mark.parametrize(
    "make", [references.public_pretraining_step, references.plain_pretraining_step]
)
def test_pretraining_steps_learn_reconstruction_and_redshift(make):
    torch.manual_seed(0)
    g = galaxies()
    network = Network(SMALL, 7)
    step = make(network, g.flux, 0.1 * g.flux, g.redshift, 30)
    losses = [step() for _ in range(80)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.5
    assert all(p.grad is not None for p in network.parameters())


def test_only_the_public_step_loads_galaxy_by_galaxy_and_evaluates_a_grid(monkeypatch):
    calls = []
    grid = references._grid_density
    monkeypatch.setattr(references, "_grid_density", lambda p: calls.append(p) or grid(p))
    loads = []
    loaded = references._loaded
    monkeypatch.setattr(references, "_loaded", lambda *a: loads.append(a) or loaded(*a))
    g = galaxies()
    references.public_step(Network(SMALL, 7), g, 30, 6)()
    assert (len(calls), len(loads)) == (1, 1)
    references.public_pretraining_step(Network(SMALL, 7), g.flux, g.flux, g.redshift, 30)()
    assert (len(calls), len(loads)) == (3, 2)
    references.plain_step(Network(SMALL, 7), g, 30, 6)()
    references.plain_pretraining_step(Network(SMALL, 7), g.flux, g.flux, g.redshift, 30)()
    assert (len(calls), len(loads)) == (3, 2)


@pytest.mark.parametrize("predict", [references.public_prediction, references.plain_prediction])
def test_prediction_from_bins_of_a_gaussian(predict):
    class Sharp(torch.nn.Module):
        def forward(self, x):
            ones = torch.ones(len(x), 1)
            return Parameters(0 * ones, x[:, :1], np.log(0.01) * ones)

    z = torch.linspace(0.3, 0.9, 25)[:, None]
    result = predict(Sharp(), z, batch=10)
    assert result["pz"].shape == (25, 2100)
    torch.testing.assert_close(result["pz"].sum(1), torch.ones(25))
    np.testing.assert_allclose(result["z_mode"], z[:, 0], atol=2e-3)
    spacing = 2.1 / 2099
    np.testing.assert_allclose(
        result["odds"], 2 * stats.norm.cdf(1.5 * spacing / 0.01) - 1, rtol=0.02
    )
    np.testing.assert_allclose(result["width"], 2 * 2.3263 * 0.01, atol=2e-3)


def test_our_network_as_torch_modules_predicts_alike():
    network = DeepZ(SMALL, 7, seeded_generators([1])).double()
    x = torch.rand(1, 50, 7, generator=torch.Generator().manual_seed(2)).double()
    network.settle(x)
    modules = references.as_modules(network).eval()
    with torch.no_grad():
        theirs = modules(x[0])
        ours = network(x)
    torch.testing.assert_close(ours.log_weight[0], theirs.log_weight, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match="single network"):
        references.as_modules(network.repeated(2))


def test_bare_products_are_those_of_the_network():
    counted = {}
    for backward in (False, True):
        products = references.bare_matmuls(
            SMALL, 7, 10, 2, torch.float32, torch.device("cpu"), ("encoder", "photoz"), backward
        )
        with FlopCounterMode(display=False) as counter:
            products()
        counted[backward] = counter.get_total_flops()
    sizes = [(7, 16), (16, 16), (16, 3), (10, 16), (16, 16), (16, 16), (16, 12)]
    forward = 2 * 2 * 10 * sum(i * o for i, o in sizes)
    assert counted[False] == forward
    assert counted[True] == 3 * forward - 2 * 2 * 10 * 7 * 16
