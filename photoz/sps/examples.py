"""Example galaxies: what history, dust and gas do to a spectrum and to its band fluxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoz.sps.cosmology import age_at_redshift, luminosity_distance
from photoz.sps.fluxes import simulate_fluxes
from photoz.sps.grid import SOLAR_LUMINOSITY, SSPGrid
from photoz.sps.history import age_weights
from photoz.sps.population import PopulationModel, Spectra, attenuate
from photoz.sps.projection import BandProjector
from photoz.survey.bands import BandSet
from photoz.survey.photometry import AB_FLUX, SPEED_OF_LIGHT

_MEGAPARSEC = 3.0856775814913673e24  # cm
_FWHM = 2 * np.sqrt(2 * np.log(2))

#: Gyr of star formation so far, e-folding time (Gyr), constant part, log10 Z/Zsun, log10 U:
#: all within Table 1.
EXAMPLES: Mapping[str, tuple[float, float, float, float, float]] = {
    "Young": (0.3, 10.0, 0.2, -0.3, -2.5),
    "Intermediate": (5.0, 3.0, 0.05, -0.1, -3.0),
    "Old": (10.0, 0.7, 0.0, 0.1, -3.0),
}


@dataclass(frozen=True)
class ExampleSpectrum:
    """One galaxy as it is observed.

    Attributes
    ----------
    name : str
    duration : float
        Gyr since star formation began.
    tau : float
        e-folding time, Gyr.
    dust2 : float
        Optical depth at 5500 A.
    wavelength : (w,) array
        Observed, A.
    f_nu : (w,) array
        maggies, with emission lines.
    continuum : (w,) array
        The same without them.
    flux : (band,) array
        maggies, of the delta-function lines and the continuum.
    """

    name: str
    duration: float
    tau: float
    dust2: float
    wavelength: NDArray[np.float64]
    f_nu: NDArray[np.float64]
    continuum: NDArray[np.float64]
    flux: NDArray[np.float64]


def broadened(spectra: Spectra, fwhm: float) -> NDArray[np.float64]:
    """Spectra with their lines as Gaussians, (n, w), Lsun / A.

    Parameters
    ----------
    spectra : Spectra
    fwhm : float
        Full width at half maximum in velocity, km/s; at least two pixels of the spectra.
    """
    wavelength = np.asarray(spectra.wavelength, dtype=np.float64)
    total = spectra.continuum.astype(np.float64)
    sigma = spectra.line_wavelength * (fwhm * 1e13 / SPEED_OF_LIGHT) / _FWHM
    for k, (centre, width) in enumerate(zip(spectra.line_wavelength, sigma, strict=True)):
        near = np.abs(wavelength - centre) < 5 * width
        profile = np.exp(-0.5 * ((wavelength[near] - centre) / width) ** 2)
        total[:, near] += spectra.lines[:, [k]] * profile / (np.sqrt(2 * np.pi) * width)
    return total


def example_spectra(
    grid: SSPGrid,
    bands: BandSet,
    redshift: float = 0.25,
    dust2: tuple[float, ...] = (0.0, 0.6),
    fwhm: float = 500.0,
) -> list[ExampleSpectrum]:
    """Compute young, intermediate and old galaxies with less and more dust.

    Parameters
    ----------
    grid : SSPGrid
    bands : BandSet
    redshift : float
    dust2 : tuple of float
        Optical depths; every example has each.
    fwhm : float
        Width at which the emission lines are drawn, km/s. Band fluxes do not depend on it.

    Returns
    -------
    list of ExampleSpectrum
        In the order of `EXAMPLES`, every one with each `dust2`.
    """
    settings = np.array([(*values, dust) for values in EXAMPLES.values() for dust in dust2])
    duration, tau, const, metal, log_u, dust = settings.T
    tage = np.full(len(settings), float(age_at_redshift(np.array([redshift]))[0]))
    start = tage - duration
    weights = age_weights(tage, tau, const, start, grid.log_age)
    spectra = PopulationModel(grid).spectra(weights, metal, log_u, metal)
    spectra = attenuate(spectra, dust)
    parameters = {
        "redshift": np.full_like(tage, redshift),
        "tage": tage,
        "tau": tau,
        "const": const,
        "sf_start": start,
        "logzsol": metal,
        "gas_logz": metal,
        "gas_logu": log_u,
        "dust2": dust,
    }
    projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, redshift)
    flux = simulate_fluxes(grid, projector, parameters).astype(np.float64)
    wavelength = spectra.wavelength * (1 + redshift)
    # f_nu = f_lambda lambda^2 / c, at the distance and in the unit of the band fluxes
    distance = float(luminosity_distance(np.array([redshift]))[0]) * _MEGAPARSEC
    dimming = SOLAR_LUMINOSITY / (4 * np.pi * distance**2 * (1 + redshift))
    scale = dimming * wavelength**2 / (SPEED_OF_LIGHT * AB_FLUX)
    with_lines = broadened(spectra, fwhm) * scale
    without = spectra.continuum * scale
    names = [name for name in EXAMPLES for _ in dust2]
    return [
        ExampleSpectrum(
            names[k],
            float(duration[k]),
            float(tau[k]),
            float(dust[k]),
            wavelength,
            with_lines[k],
            without[k],
            flux[k],
        )
        for k in range(len(settings))
    ]
