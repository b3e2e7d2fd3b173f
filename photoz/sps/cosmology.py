"""Distances and ages in the Planck (2015) cosmology, from tables made by astropy."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

MINIMUM_DISTANCE = 1e-5  # Mpc (10 pc): keeps fluxes at redshift 0 finite
_REDSHIFT_MAX = 8.0
_STEP = 5e-4


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Redshifts, comoving distances (Mpc) and ages (Gyr)."""
    from astropy.cosmology import Planck15  # slow to import

    redshift = np.arange(0.0, _REDSHIFT_MAX + _STEP, _STEP)
    points, weights = np.polynomial.legendre.leggauss(3)
    inside = redshift[:-1, None] + 0.5 * _STEP * (points + 1)
    # astropy integrates point by point, which takes seconds; its integrand is all we need.
    inverse = Planck15.inv_efunc(inside.ravel()).reshape(inside.shape) * (0.5 * _STEP * weights)
    distance = Planck15.hubble_distance.value * np.cumsum(inverse.sum(axis=1))
    elapsed = Planck15.hubble_time.value * np.cumsum((inverse / (1 + inside)).sum(axis=1))
    today = float(Planck15.age(0.0).value)
    return redshift, np.append(0.0, distance), today - np.append(0.0, elapsed)


def luminosity_distance(redshift: ArrayLike) -> NDArray[np.float64]:
    """Luminosity distance, Mpc, never below 10 pc; accurate to 1e-5.

    Raises
    ------
    ValueError
        If a redshift is outside [0, 8].
    """
    redshift = _inside(redshift)
    nodes, distance, _ = _tables()
    return np.maximum(np.interp(redshift, nodes, distance) * (1 + redshift), MINIMUM_DISTANCE)


def age_at_redshift(redshift: ArrayLike) -> NDArray[np.float64]:
    """Age of the universe, Gyr.

    Raises
    ------
    ValueError
        If a redshift is outside [0, 8].
    """
    nodes, _, age = _tables()
    return np.interp(_inside(redshift), nodes, age)


def _inside(redshift: ArrayLike) -> NDArray[np.float64]:
    redshift = np.asarray(redshift, dtype=np.float64)
    if not np.all((redshift >= 0) & (redshift <= _REDSHIFT_MAX)):
        raise ValueError(f"redshifts must lie in [0, {_REDSHIFT_MAX:g}]")
    return redshift
