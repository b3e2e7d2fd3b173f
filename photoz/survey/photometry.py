"""Band fluxes of spectra, and magnitudes.

Spectrum and response are both linear between their own nodes, so every integrand is a cubic on
the union of the nodes and Simpson's rule is exact: the result does not depend on how finely
either is sampled. (Integrating on the spectrum's own grid is wrong by up to a magnitude for
13 nm bands on 20 A pixels.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.survey.bands import Band

SPEED_OF_LIGHT = 2.99792458e18
"""Angstrom per second."""
AB_FLUX = 10 ** (-48.6 / 2.5)
"""f_nu of magnitude zero in the AB system, erg/s/cm2/Hz."""


def band_weights(wavelength: ArrayLike, band: Band) -> NDArray[np.float64]:
    """Weights that turn f_lambda on a wavelength grid into the band's mean f_nu.

    Parameters
    ----------
    wavelength : (w,) array
        Nodes of the spectrum in angstrom, ascending; it must cover the band.
    band : Band

    Returns
    -------
    (w,) array
        In A/(A/s): `f_lambda @ weights` is in f_lambda's unit x angstrom / Hz, that is
        erg/s/cm2/Hz for erg/s/cm2/A.

    Raises
    ------
    InputError
        If the wavelengths do not ascend or leave part of the band uncovered.
    """
    grid = np.asarray(wavelength, dtype=np.float64)
    if grid.ndim != 1 or grid.size < 2 or not (np.diff(grid) > 0).all():
        raise InputError(f"band {band.name}: the spectrum's wavelengths must ascend")
    low, high = band.wavelength[0], band.wavelength[-1]
    if low < grid[0] or high > grid[-1]:
        raise InputError(
            f"band {band.name} covers {low:.0f}-{high:.0f} A, the spectrum only "
            f"{grid[0]:.0f}-{grid[-1]:.0f} A; extend the spectrum"
        )
    inside = grid[(grid > low) & (grid < high)]
    nodes = np.union1d(inside, band.wavelength)
    middle = (nodes[:-1] + nodes[1:]) / 2
    step = np.diff(nodes)
    # Simpson: nodes get 1/6 from each neighbouring interval, midpoints 4/6.
    edge = np.zeros(nodes.size)
    edge[:-1] += step / 6
    edge[1:] += step / 6
    points = np.concatenate([nodes, middle])
    measure = np.concatenate([edge, step * (4 / 6)]) * points * band.response(points)
    # the spectrum at each point is a linear combination of its two neighbouring nodes
    left = np.clip(np.searchsorted(grid, points, side="right") - 1, 0, grid.size - 2)
    fraction = (points - grid[left]) / (grid[left + 1] - grid[left])
    weights = np.bincount(left, measure * (1 - fraction), minlength=grid.size)
    weights += np.bincount(left + 1, measure * fraction, minlength=grid.size)
    return weights / (SPEED_OF_LIGHT * band.integral_per_wavelength)


def band_flux(wavelength: ArrayLike, f_lambda: ArrayLike, band: Band) -> NDArray[np.float64]:
    """Photon-counting mean f_nu of spectra through a band, exact for piecewise-linear curves.

    <f_nu> = integral(f_lambda T lambda dlambda) / (c integral(T dlambda / lambda))

    Parameters
    ----------
    wavelength : (w,) array
        Angstrom, ascending.
    f_lambda : (..., w) array
        Flux density per angstrom, linear between the nodes.
    band : Band

    Returns
    -------
    (...,) array
        f_nu in erg/s/cm2/Hz for f_lambda in erg/s/cm2/A.

    Raises
    ------
    InputError
        If the spectrum does not cover the band.
    """
    return np.asarray(f_lambda, dtype=np.float64) @ band_weights(wavelength, band)


def line_flux(wavelength: ArrayLike, flux: ArrayLike, band: Band) -> NDArray[np.float64]:
    """Mean f_nu that unresolved emission lines add to a band.

    Parameters
    ----------
    wavelength : (...,) array
        Observed wavelength of each line, angstrom.
    flux : (...,) array
        Line flux, erg/s/cm2.
    band : Band

    Returns
    -------
    (...,) array
        erg/s/cm2/Hz.
    """
    where = np.asarray(wavelength, dtype=np.float64)
    normalisation = SPEED_OF_LIGHT * band.integral_per_wavelength
    return np.asarray(flux) * band.response(where) * where / normalisation


def ab_magnitude(flux: ArrayLike, zero_point: float) -> NDArray[np.float64]:
    """Magnitude, zero_point - 2.5 log10(flux); NaN where the flux is not positive."""
    flux = np.asarray(flux, dtype=np.float64)
    positive = np.where(flux > 0, flux, np.nan)
    return zero_point - 2.5 * np.log10(positive)


def flux_from_magnitude(magnitude: ArrayLike, zero_point: float) -> NDArray[np.float64]:
    """Flux in the zero-point's unit, 10^(0.4 (zero_point - magnitude))."""
    return 10 ** (0.4 * (zero_point - np.asarray(magnitude, dtype=np.float64)))
