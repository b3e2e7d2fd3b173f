"""Simulated galaxies as a noise model lets them be seen, to look at (paper, section 2.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from photoz.simulations.simulation import Simulation
from photoz.survey.catalogue import Catalogue
from photoz.survey.noise import NoiseModel, add_noise
from photoz.survey.photometry import ab_magnitude
from photoz.survey.survey import Survey

SAMPLE = 1000  # galaxies, enough to see the noise


def noisy_sample(
    simulation: Simulation, model: NoiseModel, survey: Survey, seed: int, n: int = SAMPLE
) -> Catalogue:
    """The first `n` galaxies at brightnesses and with noise drawn from a model of one network.

    A simulation's own brightness does not count: the noise model draws one, as in training.
    """
    rng = np.random.default_rng(seed)
    flux = simulation.flux[:n]
    ratio = flux / flux[:, [survey.reference_index]]
    bright = ratio * model.brightness(rng.random((len(flux), 1)))
    return observed(bright, simulation.redshift[:n], model, survey, rng)


def observed(
    flux: NDArray, redshift: NDArray, model: NoiseModel, survey: Survey, rng: np.random.Generator
) -> Catalogue:
    """Simulated galaxies as a catalogue: true fluxes (n, band) under the noise of a model."""
    noisy, error = add_noise(flux, model, rng)
    return Catalogue(
        id=np.arange(len(noisy)),
        redshift=redshift,
        mag_i=ab_magnitude(noisy[:, survey.reference_index], survey.zero_point),
        flux=noisy,
        error=error,
        bands=survey.bands.names,
        survey=survey.name,
        zero_point=survey.zero_point,
        reference_band=survey.reference_band,
    )
