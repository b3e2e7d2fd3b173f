"""Randomised coadds against the catalogue's own coadds and the binomial distribution."""

import dataclasses

import numpy as np
import torch

from photoz.networks import seeded_generators
from photoz.training.coadds import RandomCoadds

CPU = torch.device("cpu")


def test_alpha_one_gives_the_catalogue_coadds(catalogue):
    index = torch.arange(10).view(1, 10)
    flux, complete = RandomCoadds(catalogue, CPU).draw(index, 1.0, seeded_generators([0]))
    np.testing.assert_array_equal(flux[0], catalogue.flux[:10])
    assert complete.all()


def test_alpha_near_one_reproduces_the_inverse_variance_coadd(catalogue):
    index = torch.arange(len(catalogue)).view(1, -1)
    flux, _ = RandomCoadds(catalogue, CPU).draw(index, 1 - 1e-7, seeded_generators([0]))
    np.testing.assert_allclose(flux[0], catalogue.flux, rtol=1e-5)


def test_tiny_alpha_keeps_exactly_one_measured_exposure(catalogue):
    index = torch.arange(len(catalogue)).view(1, -1)
    flux, complete = RandomCoadds(catalogue, CPU).draw(index, 1e-9, seeded_generators([0]))
    assert torch.isfinite(flux).all()
    assert not complete.any()
    distance = np.abs(catalogue.exposures.flux - flux[0, :, :4, None].numpy())
    assert np.nanmin(distance, axis=-1).max() < 1e-5


def test_the_number_of_complete_galaxies_follows_the_binomial(catalogue):
    index = torch.arange(len(catalogue)).repeat(20).view(1, -1)
    alpha = 0.6
    _, complete = RandomCoadds(catalogue, CPU).draw(index, alpha, seeded_generators([0]))
    taken = np.isfinite(catalogue.exposures.flux).sum(-1)
    expected = np.prod(1 - (1 - alpha) ** taken, axis=1).mean()
    assert abs(complete.float().mean().item() - expected) < 0.02


def test_a_band_without_exposures_does_not_make_a_galaxy_incomplete(catalogue):
    error = catalogue.exposures.error.copy()
    error[0, 2] = np.nan
    exposures = dataclasses.replace(catalogue.exposures, error=error)
    never_taken = dataclasses.replace(catalogue, exposures=exposures)
    index = torch.zeros((1, 200), dtype=torch.long)
    flux, complete = RandomCoadds(never_taken, CPU).draw(index, 0.9, seeded_generators([0]))
    assert complete.any()
    assert (flux[0, :, 2] == catalogue.flux[0, 2]).all()


def test_each_network_draws_its_own(catalogue):
    index = torch.arange(50).repeat(2, 1)
    coadds = RandomCoadds(catalogue, CPU)
    both, _ = coadds.draw(index, 0.5, seeded_generators([1, 2]))
    alone, _ = coadds.draw(index[:1], 0.5, seeded_generators([2]))
    torch.testing.assert_close(both[1], alone[0])
    assert not torch.equal(both[0], both[1])
