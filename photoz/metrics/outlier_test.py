"""What a wrong flux does to template fits and networks (paper, appendix B and Figure B1).

Elliptical galaxies of eight templates, without dust and emission lines, at the paper's
signal-to-noise ratios. To all test galaxies flux is added in one band, of which the errors say
nothing. The template fit knows the templates and the noise; one network learns from the same
galaxies as they are, another from galaxies of which a tenth of the fluxes are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from photoz.metrics.bootstrap import bootstrap_error
from photoz.metrics.denoising import paper_noise
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction
from photoz.networks.config import NetworkConfig
from photoz.networks.transform import FluxRatio
from photoz.simulations.noisy_sample import observed
from photoz.simulations.single_template import template_fluxes
from photoz.survey.bands import BandSet
from photoz.survey.catalogue import Catalogue
from photoz.survey.outlying_noise import OutlyingNoise
from photoz.survey.survey import Survey
from photoz.templates.config import TemplateFitConfig
from photoz.templates.fit import fit_catalogue
from photoz.templates.model import ModelConfig, build_model
from photoz.templates.runs import elliptical_run
from photoz.training.config import PretrainingConfig
from photoz.training.predict import predict_ensemble
from photoz.training.pretrain import pretrain

ADDED = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Flux that is added, as a share of the band's."""
METHODS = ("Template fit", "Network", "Network trained with outliers")
REDSHIFTS = (0.02, 1.2)
GRID_END = 1.25  # of the template fit: galaxies at the end have room to be wrong
TEST_SHARE = 0.2
#: Smaller than the paper's network: eight templates are soon learned.
NETWORK = NetworkConfig(encoder_layers=5, decoder_layers=5, photoz_layers=5, width=128)


def outlier_test(
    survey: Survey,
    n_galaxies: int = 10_000,
    steps: int = 4000,
    redshift_step: float = 0.001,
    seed: int = 0,
    added: Sequence[float] = ADDED,
) -> pd.DataFrame:
    """Photo-z of ellipticals with a wrong flux in the bluest broad band (u for PAUS).

    Parameters
    ----------
    survey : Survey
    n_galaxies : int
        A fifth of them is tested; the networks learn from the others, under new noise at every
        step.
    steps : int
        Of the training of each network.
    redshift_step : float
        Of the template fit's grid.
    seed : int
    added : sequence of float
        Shares of its flux to add to the band.

    Returns
    -------
    DataFrame
        Columns method, band, added, n, strict_outliers and sigma68 with their bootstrap errors
        strict_outliers_error and sigma68_error.

    Raises
    ------
    InputError
        If the templates do not cover a band, or there are fewer galaxies than a batch.
    """
    rng = np.random.default_rng(seed)
    bands, noise = survey.bands, paper_noise(survey.bands)[1]
    flux, redshift = _ellipticals(bands, n_galaxies, rng)
    n_test = round(TEST_SHARE * n_galaxies)
    ratio = flux[:n_test] / flux[:n_test, [survey.reference_index]]
    test = observed(ratio, redshift[:n_test], noise, survey, rng)
    band = disturbed_band(bands)
    transform = FluxRatio(bands.names, survey.reference_band)
    batch = min(500, n_galaxies - n_test)
    training = PretrainingConfig(steps=steps, batch_size=batch, dropout=False, precision="auto")
    networks = [
        pretrain(
            *(flux[n_test:], redshift[n_test:], transform, own, NETWORK, training, seed),
            torch.device("cpu"),  # a minute of one core each; not worth a GPU
        )[0]
        for own in (noise, OutlyingNoise(noise))
    ]
    grid = ModelConfig(redshift_max=GRID_END, redshift_step=redshift_step, runs="ellipticals")
    model = build_model(bands, grid)
    fit = TemplateFitConfig(fit_scale=False)  # these galaxies have no other scale than 1
    rows = []
    for share in added:
        wrong = _with_added(test, bands.index(band), share)
        estimates = [fit_catalogue(model, wrong.flux, wrong.error, fit).pdf.mode()]
        estimates += [predict_ensemble([network], wrong).mode() for network in networks]
        for method, estimate in zip(METHODS, estimates, strict=True):
            dz = redshift_error(estimate, test.redshift)
            rows.append((method, band, share, int(np.isfinite(dz).sum()), *_measured(dz, seed)))
    names = ("strict_outliers", "strict_outliers_error", "sigma68", "sigma68_error")
    return pd.DataFrame(rows, columns=["method", "band", "added", "n", *names])


def disturbed_band(bands: BandSet) -> str:
    """The band to which flux is added: the bluest broad one, or the bluest of all."""
    broad = np.flatnonzero(~bands.is_narrow)
    candidates = broad if broad.size else np.arange(len(bands))
    return bands.names[candidates[np.argmin(bands.mean_wavelengths[candidates])]]


def _ellipticals(
    bands: BandSet, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Noiseless fluxes (n, band) of the eight templates in equal parts, and redshifts (n,)."""
    (run,) = elliptical_run()
    redshift = rng.uniform(*REDSHIFTS, n)
    template = rng.integers(len(run.templates), size=n)
    flux = np.empty((n, len(bands)), dtype=np.float32)
    for k, name in enumerate(run.templates):
        own = template == k
        flux[own] = template_fluxes(bands, redshift[own], name)
    return flux, redshift


def _with_added(catalogue: Catalogue, band: int, share: float) -> Catalogue:
    flux = catalogue.flux.copy()
    flux[:, band] *= 1 + share
    return replace(catalogue, flux=flux)


def _measured(dz: NDArray[np.float64], seed: int) -> tuple[float, float, float, float]:
    numbers: list[float] = []
    for statistic in (strict_outlier_fraction, sigma68):
        numbers += [statistic(dz), bootstrap_error(statistic, dz, rng=seed)]
    return numbers[0], numbers[1], numbers[2], numbers[3]
