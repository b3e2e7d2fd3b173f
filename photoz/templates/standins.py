"""Stand-ins for the six BC03 populations of BCNz2's fifth run, made from our own SSP grid.

BCNz2 uses files of the COSMOS collaboration (BC03 low-resolution populations with an exponential
star formation of 0.3 Gyr, Chabrier IMF) that are not distributed. The same histories on the
shipped grid (Bruzual & Charlot 2016 with MILES, Kroupa IMF; linear in log Z between its nodes) are
their like, not their copy. Stars only: the run has no emission lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.grid import SSPGrid, load_grid
from photoz.sps.history import age_weights

TAU = 0.3
"""e-folding time of the star formation, Gyr."""
_SOLAR_METALLICITY = 0.02
_BLUE_END = 900.0  # A: the grid's first value is held down to here, for ultraviolet filter tails
_NAME = re.compile(r"Z(\d*\.?\d+)-age(\d*\.?\d+)")


@dataclass(frozen=True)
class Population:
    """Metallicity and age (Gyr) of a stand-in."""

    metallicity: float
    age: float


def parse_population(name: str) -> Population | None:
    """What a stand-in's name (``Z0.02-age2.1``) says; None if it is not one."""
    match = _NAME.fullmatch(name)
    return Population(float(match[1]), float(match[2])) if match else None


def population_spectra(
    names: tuple[str, ...], grid: SSPGrid | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spectra of stand-ins.

    Parameters
    ----------
    names : tuple of str
        ``Z<metallicity>-age<Gyr>``.
    grid : SSPGrid, optional
        None is the shipped grid.

    Returns
    -------
    wavelength : (w,)
        Rest frame, A.
    f_lambda : (name, w)
        Lsun / A per Msun formed.

    Raises
    ------
    InputError
        If a name is not of that form or its age or metallicity is outside the grid.
    """
    grid = grid or load_grid()
    populations = []
    for name in names:
        population = parse_population(name)
        if population is None:
            raise InputError(f"template '{name}' is neither a COSMOS template nor Z<..>-age<..>")
        populations.append(population)
    age = np.array([p.age for p in populations])
    log_z = np.log10([p.metallicity / _SOLAR_METALLICITY for p in populations])
    if (log_z < grid.log_z[0] - 1e-6).any() or (log_z > grid.log_z[-1] + 1e-6).any():
        raise InputError(f"templates {names}: a metallicity is outside the grid's")
    n = len(populations)
    weights = age_weights(age, np.full(n, TAU), np.zeros(n), np.zeros(n), grid.log_age)
    left = np.clip(np.searchsorted(grid.log_z, log_z, side="right") - 1, 0, grid.log_z.size - 2)
    part = np.clip((log_z - grid.log_z[left]) / np.diff(grid.log_z)[left], 0.0, 1.0)[:, None]
    low = np.einsum("na,naw->nw", weights, grid.spectrum[left])
    high = np.einsum("na,naw->nw", weights, grid.spectrum[left + 1])
    spectra = (1 - part) * low + part * high
    wavelength = np.append(_BLUE_END, grid.wavelength)
    return wavelength, np.concatenate([spectra[:, :1], spectra], axis=1).astype(np.float64)
