"""Galaxies computed by FSPS itself, one spectrum each, with our own filter integrals.

FSPS's ``get_mags`` is never used: it integrates on the library's wavelengths, which is wrong by
more than a magnitude for narrow bands where the library is sampled coarsely.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.sps.cosmology import luminosity_distance
from photoz.sps.fluxes import PARAMETERS
from photoz.sps.fsps.installation import find_installation
from photoz.sps.fsps.resolution import check_resolution
from photoz.sps.fsps.workers import Workers
from photoz.sps.grid import SOLAR_LUMINOSITY
from photoz.survey.bands import BandSet
from photoz.survey.photometry import AB_FLUX, SPEED_OF_LIGHT, band_flux, line_flux

if TYPE_CHECKING:
    from fsps import StellarPopulation

FSPS_SOLAR_LUMINOSITY = 3.839e33
"""erg/s per Lsun in FSPS."""
_MEGAPARSEC = 3.0856775814913673e24  # cm
_BATCH = 16  # galaxies per request: seconds of work
_SET_BY_US = ("logzsol", "tau", "const", "sf_start", "dust2", "gas_logu", "gas_logz")

OPTIONS: dict[str, Any] = {
    "zcontinuous": 1,  # logzsol between metallicities, linear in flux
    "imf_type": 1,  # Chabrier (2003)
    "sfh": 1,  # exponential plus constant
    "dust_type": 2,  # Calzetti et al. (2000), dust2 is the optical depth at 5500 A
    "add_neb_emission": True,
    "nebemlineinspec": False,  # lines apart: delta functions through the exact filter curve
    "add_dust_emission": False,  # beyond 1 micron in the rest frame only
    "zred": 0.0,  # redshift, distance and bands are ours
}
"""Arguments of `fsps.StellarPopulation` for the galaxies of section 3.2.2."""


def fsps_fluxes(
    parameters: Mapping[str, ArrayLike], bands: BandSet, *, processes: int | None = None
) -> NDArray[np.float32]:
    """Band fluxes of galaxies of 1 Msun formed, each computed by FSPS (section 3.2.2).

    Parameters
    ----------
    parameters : mapping of (n,) arrays
        redshift, logzsol, tage, tau, const, sf_start, dust2, gas_logu, gas_logz.
    bands : BandSet
    processes : int, optional
        FSPS processes side by side; default one per core.

    Returns
    -------
    (n, band) float32
        maggies (3631 Jy), in the order of the galaxies; as `photoz.sps.simulate_fluxes`.

    Raises
    ------
    InputError
        If FSPS or its data are missing, unfit or too coarse (before anything is computed), if a
        parameter is missing, or if FSPS ends its process.
    """
    values = _columns(parameters)
    redshift = values["redshift"]
    installation = find_installation()
    if redshift.size == 0:
        return np.empty((0, len(bands)), dtype=np.float32)
    check_resolution(installation, bands, float(redshift.max()))
    starts = range(0, redshift.size, _BATCH)
    batches = [{k: v[s : s + _BATCH] for k, v in values.items()} for s in starts]
    number = min(processes or len(os.sched_getaffinity(0)), len(batches))
    with Workers(OPTIONS, number) as workers:
        fluxes = workers.map(
            band_fluxes, ((batch, bands) for batch in batches), "FSPS", f"x {_BATCH} galaxies"
        )
    return np.concatenate(fluxes)


def spectrum(
    population: StellarPopulation, galaxy: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """One galaxy's spectrum in the rest frame, per Msun formed.

    Returns
    -------
    wavelength : (w,) float64
        A, vacuum.
    continuum : (w,) float64
        Stars and nebular continuum behind dust, Lsun / A (our Lsun, `SOLAR_LUMINOSITY`).
    line_wavelength, lines : (l,) float64
        A; luminosities behind dust, Lsun.
    """
    for name in _SET_BY_US:
        population.params[name] = float(galaxy[name])
    wavelength, per_hertz = population.get_spectrum(tage=float(galaxy["tage"]), peraa=False)
    unit = FSPS_SOLAR_LUMINOSITY / SOLAR_LUMINOSITY
    continuum = per_hertz * (unit * SPEED_OF_LIGHT) / wavelength**2
    lines = np.asarray(population.emline_luminosity) * unit
    return wavelength, continuum, population.emline_wavelengths, lines


def band_fluxes(
    population: StellarPopulation, batch: Mapping[str, NDArray[np.float64]], bands: BandSet
) -> NDArray[np.float32]:
    """Band fluxes of a batch of galaxies, maggies (n, band); runs in a worker."""
    number = batch["redshift"].size
    fluxes = np.empty((number, len(bands)))
    area = 4 * np.pi * (luminosity_distance(batch["redshift"]) * _MEGAPARSEC) ** 2
    for row in range(number):
        galaxy = {name: float(column[row]) for name, column in batch.items()}
        wavelength, continuum, line_wavelength, lines = spectrum(population, galaxy)
        stretch = 1 + galaxy["redshift"]
        observed = wavelength * stretch
        for k, band in enumerate(bands):
            first = np.searchsorted(observed, band.wavelength[0], side="right") - 1
            last = np.searchsorted(observed, band.wavelength[-1]) + 1
            part = slice(max(int(first), 0), int(last))
            f_nu = band_flux(observed[part], continuum[part] / stretch, band)
            f_nu += line_flux(line_wavelength * stretch, lines, band).sum()
            fluxes[row, k] = f_nu
    fluxes *= (SOLAR_LUMINOSITY / area)[:, None] / AB_FLUX
    return fluxes.astype(np.float32)


def _columns(parameters: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    missing = [name for name in PARAMETERS if name not in parameters]
    if missing:
        raise InputError(
            f"parameters: {', '.join(missing)} missing; {', '.join(PARAMETERS)} are needed"
        )
    values = {name: np.asarray(parameters[name], dtype=np.float64) for name in PARAMETERS}
    tage, sf_start = values["tage"], values["sf_start"]
    good = np.isfinite(np.stack(list(values.values()))).all(axis=0)
    good &= (sf_start >= 0) & (sf_start < tage)
    good &= (values["const"] >= 0) & (values["const"] <= 1) & (values["tau"] >= 1e-3)
    if not good.all():
        row = int(np.argmin(good))
        found = ", ".join(f"{name} = {values[name][row]:g}" for name in PARAMETERS)
        raise InputError(
            f"galaxy in row {row}: {found}; needs finite values, 0 <= sf_start < tage, const in "
            "[0, 1] and tau of at least 0.001"
        )
    return values
