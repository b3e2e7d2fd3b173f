"""The autoencoder on the simplest of simulations: one elliptical template (paper, Figure 4)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from photoz.metrics.denoising import observe_and_denoise, paper_noise, typical_galaxy
from photoz.metrics.point import sigma68
from photoz.networks.config import NetworkConfig
from photoz.networks.convolution import arranged
from photoz.networks.transform import FluxRatio
from photoz.simulations.single_template import ELLIPTICAL, template_fluxes
from photoz.survey.survey import Survey
from photoz.training.autoencoder import train_autoencoder
from photoz.training.config import PretrainingConfig

REDSHIFTS = (0.0, 1.2)
"""Of the simulated galaxies, uniform (Table 1)."""
SHOWN_REDSHIFTS = (0.3, 0.8)
"""Of the galaxy that is shown: the 4000 A break lies within the narrow bands."""
TRAINING, TEST = 20_000, 5_000  # galaxies


def single_template_example(
    survey: Survey, network: NetworkConfig, training: PretrainingConfig, seed: int
) -> pd.DataFrame:
    """Train an autoencoder on an elliptical galaxy at all redshifts and denoise new ones.

    Signal-to-noise is 10 in narrow and 35 in broad bands, as in the paper.

    Parameters
    ----------
    survey : Survey
    network : NetworkConfig
    training : PretrainingConfig
    seed : int

    Returns
    -------
    DataFrame
        The typical galaxy of those in `SHOWN_REDSHIFTS`: one row per band with band, kind,
        wavelength (A), true, input, error and denoised (over the measured flux in the reference
        band), ratio (sigma68 of denoised over input error of all test galaxies), and the same in
        every row redshift, template and reference_band.

    Raises
    ------
    InputError
        If the template does not cover the bands, or the network has no autoencoder.
    """
    rng = np.random.default_rng(seed)
    bands = survey.bands
    redshift = rng.uniform(*REDSHIFTS, TRAINING + TEST)
    flux = template_fluxes(bands, redshift)
    transform, noise = FluxRatio(bands.names, survey.reference_band), paper_noise(bands)[1]
    device = torch.device("cpu")  # a minute of one core; not worth a GPU
    network = arranged(network, bands)
    trained = train_autoencoder(flux[:TRAINING], transform, noise, network, training, seed, device)
    true, noisy, error, denoised = observe_and_denoise(trained, flux[TRAINING:], noise, rng)
    pull = (denoised - true) / error
    others = np.arange(len(bands)) != survey.reference_index
    # Judged by the bands that are drawn.
    judged = bands.is_narrow if bands.is_narrow.any() else others
    galaxy = typical_galaxy(pull[:, judged], redshift[TRAINING:], SHOWN_REDSHIFTS)
    return pd.DataFrame(
        {
            "band": bands.names,
            "kind": [band.kind for band in bands],
            "wavelength": bands.mean_wavelengths,
            "true": true[galaxy],
            "input": noisy[galaxy],
            "error": error[galaxy],
            "denoised": denoised[galaxy],
            "ratio": [sigma68(column) for column in pull.T],
            "redshift": redshift[TRAINING + galaxy],
            "template": ELLIPTICAL,
            "reference_band": survey.reference_band,
        }
    )
