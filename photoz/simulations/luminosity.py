"""Luminosity functions: how many galaxies of which luminosity at which redshift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.sps.cosmology import luminosity_distance
from photoz.survey.keys import as_number, check_keys

_Array = NDArray[np.float64]
#: M - M* over which a Schechter function is tabulated; brighter galaxies do not exist.
_BRIGHTEST, _FAINTEST, _STEP = -6.0, 16.0, 0.01


@dataclass(frozen=True)
class LuminosityFunction:
    """An evolving Schechter function of absolute AB magnitudes M.

    phi(M, z) = 0.4 ln 10 phi*(z) x^(slope + 1) exp(-x),  x = 10^(-0.4 (M - M*(z)))
    M*(z) = magnitude + magnitude_evolution z,  phi*(z) = density exp(density_evolution z)

    Attributes
    ----------
    slope : float
        Faint-end slope alpha.
    magnitude, magnitude_evolution : float
        Knee at redshift 0, and its change per unit redshift.
    density, density_evolution : float
        phi* at redshift 0, per Mpc^3 and magnitude, and the change of its logarithm.
    """

    slope: float
    magnitude: float
    magnitude_evolution: float
    density: float
    density_evolution: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = as_number(getattr(self, field.name), f"luminosity function: {field.name}")
            object.__setattr__(self, field.name, value)
        if not -2.0 < self.slope <= 2.0:
            raise InputError(f"luminosity function: slope {self.slope:g} must lie in (-2, 2]")
        if self.density <= 0:
            raise InputError(f"luminosity function: density {self.density:g} must be above 0")

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, Any] | None, default: LuminosityFunction
    ) -> LuminosityFunction:
        """Build from configuration keys; those left out are `default`'s.

        Raises
        ------
        InputError
            For an unknown key or an impossible value.
        """
        names = [field.name for field in fields(cls)]
        return cls(**(asdict(default) | check_keys(mapping, names, "luminosity function")))

    def knee(self, redshift: ArrayLike) -> _Array:
        """M*(z)."""
        return self.magnitude + self.magnitude_evolution * np.asarray(redshift, dtype=np.float64)

    def __call__(self, magnitude: ArrayLike, redshift: ArrayLike) -> _Array:
        """phi(M, z), galaxies per comoving Mpc^3 and magnitude."""
        redshift = np.asarray(redshift, dtype=np.float64)
        offset = np.asarray(magnitude, dtype=np.float64) - self.knee(redshift)
        return self._normalisation(redshift) * _shape(offset, self.slope)

    def brighter_than(self, magnitude: ArrayLike, redshift: ArrayLike) -> _Array:
        """Galaxies per comoving Mpc^3 brighter than M at redshift z."""
        redshift = np.asarray(redshift, dtype=np.float64)
        nodes, counts = _cumulative(self.slope)
        offset = np.asarray(magnitude, dtype=np.float64) - self.knee(redshift)
        return self._normalisation(redshift) * np.interp(offset, nodes, counts, left=0.0)

    def _normalisation(self, redshift: _Array) -> _Array:
        return self.density * np.exp(self.density_evolution * redshift)

    def draw(
        self, redshift: ArrayLike, faintest: ArrayLike, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Absolute magnitudes of galaxies at `redshift` (n,) that are brighter than `faintest`."""
        redshift = np.asarray(redshift, dtype=np.float64)
        nodes, counts = _cumulative(self.slope)
        limit = np.interp(np.asarray(faintest) - self.knee(redshift), nodes, counts, left=0.0)
        return self.knee(redshift) + np.interp(rng.random(redshift.size) * limit, counts, nodes)


def _shape(offset: _Array, slope: float) -> _Array:
    luminosity = 10.0 ** (-0.4 * offset)
    return 0.4 * np.log(10.0) * luminosity ** (slope + 1.0) * np.exp(-luminosity)


@lru_cache(maxsize=8)
def _cumulative(slope: float) -> tuple[_Array, _Array]:
    """M - M* from bright to faint, and the integral of the Schechter function up to there."""
    nodes = np.arange(_BRIGHTEST, _FAINTEST, _STEP)
    ends, middle = _shape(nodes, slope), _shape(nodes[:-1] + 0.5 * _STEP, slope)
    pieces = _STEP / 6.0 * (ends[:-1] + 4.0 * middle + ends[1:])  # Simpson
    # A hint of growth everywhere makes the integral invertible.
    return nodes, np.append(0.0, np.cumsum(pieces)) + 1e-12 * np.arange(nodes.size)


def redshift_counts(
    function: LuminosityFunction, redshift: _Array, faintest: _Array
) -> NDArray[np.float64]:
    """Galaxies per steradian and unit redshift that are brighter than a limit.

    dN/dz = dV/dz n(< M_faint(z), z) with the comoving volume V = D_M(z)^3 / 3 (Planck 2015).

    Parameters
    ----------
    redshift : (node,) array, ascending
    faintest : (node,) array
        Faintest absolute magnitude that is seen at each node.
    """
    edges = np.concatenate([redshift[:1], 0.5 * (redshift[1:] + redshift[:-1]), redshift[-1:]])
    volume = (luminosity_distance(edges) / (1.0 + edges)) ** 3 / 3.0
    return np.diff(volume) / np.diff(edges) * function.brighter_than(faintest, redshift)


def draw_redshifts(
    redshift: _Array, counts: _Array, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw `n` redshifts from counts at nodes, straight lines in between."""
    cumulative = np.append(0.0, np.cumsum(0.5 * (counts[1:] + counts[:-1]) * np.diff(redshift)))
    return np.interp(rng.random(n) * cumulative[-1], cumulative, redshift)
