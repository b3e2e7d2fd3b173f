"""How much noise an autoencoder takes away (paper, section 4 and Figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.metrics.bootstrap import bootstrap_error
from photoz.metrics.point import sigma68
from photoz.networks.transform import check_bands
from photoz.sps.template_library import EMISSION_LINES
from photoz.survey.bands import BandSet
from photoz.survey.noise import FixedSNR, NoiseModel, add_noise
from photoz.training.autoencoder import denoise
from photoz.training.checkpoints import TrainedNetworks

PAPER_BROAD_BANDS = {"u": 1.04, "B": 0.72, "V": 0.66, "r": 0.61, "i": 0.22, "z": 0.97}
"""Denoised over input error that the paper prints for its broad bands (section 4.2)."""
PEAK_FRACTION = 0.05
"""A line is in a band where the response is above this part of the band's peak."""
FEWEST_GALAXIES = 50
"""Below so many galaxies a scatter is not given."""
_CLIP = 5.0  # errors beyond so many sigma68 do not decide a correlation


@dataclass(frozen=True)
class Denoising:
    """Errors of denoised fluxes.

    Attributes
    ----------
    table : DataFrame
        One row per band: band, kind, wavelength (mean, A), ratio (denoised over input error) with
        its bootstrap ratio_error, ratio_no_lines (where no emission line falls in the band; NaN
        for fewer than `FEWEST_GALAXIES`) and line_fraction (of the galaxies with one that does).
    correlation : (band, band) array
        Correlation coefficients of the errors of the denoised fluxes.
    """

    table: pd.DataFrame
    correlation: NDArray[np.float64]


def paper_noise(bands: BandSet) -> tuple[str, FixedSNR]:
    """The paper's noise for its simulations (section 2.4), and a label for it."""
    values = []
    if bands.is_narrow.any():
        values.append("10")
    if not bands.is_narrow.all():
        values.append("35")
    return f"SNR {' and '.join(values)}", FixedSNR.for_bands(bands, narrow=10.0, broad=35.0)


def bands_with_lines(bands: BandSet, redshift: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether an emission line of `EMISSION_LINES` falls in a band, (n, band).

    Parameters
    ----------
    bands : BandSet
    redshift : (n,) array
    """
    lines = np.array([line.wavelength for line in EMISSION_LINES])
    observed = lines * (1 + np.asarray(redshift, dtype=np.float64)[:, None])
    inside = [
        (band.response(observed) > PEAK_FRACTION * band.transmission.max()).any(axis=1)
        for band in bands
    ]
    return np.stack(inside, axis=1)


def observe_and_denoise(
    trained: TrainedNetworks,
    flux: NDArray[np.floating],
    noise: NoiseModel,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Put noise on simulated galaxies and denoise them.

    All results are in units of the measured flux in the reference band, as the network sees them,
    and errors are without those of that flux. In these units its value is 1 before and after the
    noise, and what the autoencoder adds to it is an error of the reconstruction.

    Parameters
    ----------
    trained : TrainedNetworks
        A single network with an autoencoder.
    flux : (n, band) array
        Noiseless fluxes in any unit.
    noise : NoiseModel
        Draws brightness and noise.
    rng : numpy Generator

    Returns
    -------
    true, noisy, error, denoised : (n, band) array
    """
    reference = trained.transform.reference_index
    bright = flux / flux[:, [reference]] * noise.brightness(rng.random((len(flux), 1)))
    noisy, error = add_noise(bright, noise, rng)
    unit = noisy[:, [reference]].astype(np.float64)
    true = bright / unit
    true[:, reference] = 1.0
    return true, noisy / unit, error / np.abs(unit), denoise(trained, noisy).astype(np.float64)


def measure(
    trained: TrainedNetworks,
    bands: BandSet,
    flux: NDArray[np.floating],
    redshift: NDArray[np.floating],
    noise: NoiseModel,
    rng: np.random.Generator,
    n_boot: int = 50,
) -> Denoising:
    """Compare the errors of denoised fluxes with those of the input (paper, Figure 5).

    Parameters
    ----------
    trained : TrainedNetworks
        A single network with an autoencoder.
    bands : BandSet
        Of the network, in its order.
    flux : (n, band) array
        Noiseless fluxes of simulated galaxies, in any unit.
    redshift : (n,) array
    noise : NoiseModel
    rng : numpy Generator
    n_boot : int
        Resamples for the errors.

    Raises
    ------
    InputError
        If the bands are not those of the network, there are fewer than `FEWEST_GALAXIES`, or the
        network has no autoencoder.
    """
    check_bands(trained.transform, bands.names, "the survey")
    if len(flux) < FEWEST_GALAXIES:
        raise InputError(
            f"denoising: {len(flux)} galaxies; at least {FEWEST_GALAXIES} are needed for a scatter"
        )
    true, _, error, denoised = observe_and_denoise(trained, flux, noise, rng)
    pull = (denoised - true) / error
    has_line = bands_with_lines(bands, redshift)
    rows = []
    for k, band in enumerate(bands):
        free = pull[~has_line[:, k], k]
        rows.append(
            {
                "band": band.name,
                "kind": band.kind,
                "wavelength": band.mean_wavelength,
                "ratio": sigma68(pull[:, k]),
                "ratio_error": bootstrap_error(sigma68, pull[:, k], n_boot=n_boot, rng=rng),
                "ratio_no_lines": sigma68(free) if free.size >= FEWEST_GALAXIES else np.nan,
                "line_fraction": has_line[:, k].mean(),
            }
        )
    return Denoising(pd.DataFrame(rows), correlation(pull))


def correlation(pull: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlation matrix of errors, (band, band), that outliers do not decide.

    Every band is clipped at `_CLIP` times its sigma68 around its median; one without errors has
    NaN.

    Parameters
    ----------
    pull : (n, band) array
    """
    middle = np.median(pull, axis=0)
    width = _CLIP * np.array([sigma68(column) for column in pull.T])
    clipped = np.clip(pull, middle - width, middle + width)
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.corrcoef(clipped, rowvar=False)
    return np.asarray(matrix).reshape(pull.shape[1], -1)


def broad_band_table(table: pd.DataFrame, bands: BandSet) -> pd.DataFrame:
    """The rows of the broad bands beside the paper's numbers.

    Parameters
    ----------
    table : DataFrame
        Of `measure`, with the column noise: the label of `paper_noise`, or another, for which
        the paper has no numbers.
    bands : BandSet
        Of the survey. The paper's numbers are for six broad bands beside narrow ones, so they are
        left empty for others.

    Returns
    -------
    DataFrame
        With the column paper.
    """
    broad = table[table["kind"] == "broad"].drop(columns=["kind"]).reset_index(drop=True)
    comparable = bool(bands.is_narrow.any()) and set(PAPER_BROAD_BANDS) <= set(bands.names)
    paper = broad["band"].map(PAPER_BROAD_BANDS)
    same_noise = broad["noise"] == paper_noise(bands)[0]
    return broad.assign(paper=paper.where(same_noise & comparable))


def typical_galaxy(
    pull: NDArray[np.floating], redshift: NDArray[np.floating], between: Sequence[float]
) -> int:
    """Index of the galaxy with the median rms error, of those in a redshift interval.

    Parameters
    ----------
    pull : (n, band) array
        Errors of denoised fluxes over those of the input.
    redshift : (n,) array
    between : (low, high)

    Raises
    ------
    InputError
        If no galaxy is in the interval.
    """
    rows = np.flatnonzero((redshift >= between[0]) & (redshift <= between[1]))
    if not rows.size:
        raise InputError(f"denoising: no galaxy between redshift {between[0]:g} and {between[1]:g}")
    rms = np.sqrt(np.mean(np.square(pull[rows]), axis=1))
    return int(rows[np.argsort(rms, kind="stable")[(rows.size - 1) // 2]])
