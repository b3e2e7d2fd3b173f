"""Attenuation by dust: k(lambda) = A(lambda) / E(B - V) of the usual laws.

FSPS attenuates by exp(-dust2 * k(lambda) / R_V): its ``dust2`` is the optical depth at 5500 A.
Table 1 of the paper calls the same parameter E(B - V); the simulations follow FSPS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

Curve = Callable[[ArrayLike], NDArray[np.float64]]


@dataclass(frozen=True)
class DustLaw:
    """An attenuation law: its curve k(lambda) and R_V = A(V) / E(B - V)."""

    curve: Curve
    r_v: float

    def optical_depth(self, wavelength: ArrayLike) -> NDArray[np.float64]:
        """Optical depth at `wavelength` (A) relative to that at V: k(lambda) / R_V."""
        return self.curve(wavelength) / self.r_v


def calzetti(wavelength: ArrayLike) -> NDArray[np.float64]:
    """Starburst attenuation of Calzetti et al. (2000), R_V = 4.05, never below 0.

    Parameters
    ----------
    wavelength : array
        Rest frame, A. The fit spans 1200 A - 2.2 micron and is continued beyond.

    Returns
    -------
    array of the same shape
        k(lambda).
    """
    micron = np.asarray(wavelength, dtype=np.float64) / 1e4
    red = 2.659 * (-1.857 + 1.040 / micron)
    blue = 2.659 * (-2.156 + 1.509 / micron - 0.198 / micron**2 + 0.011 / micron**3)
    return np.maximum(np.where(micron < 0.63, blue, red) + 4.05, 0.0)


def calzetti_bump(wavelength: ArrayLike, strength: float) -> NDArray[np.float64]:
    """Calzetti's law plus the 2175 A bump (Drude profile, Fitzpatrick & Massa 1986).

    Parameters
    ----------
    wavelength : array
        Rest frame, A.
    strength : float
        Height of the bump in k(lambda); the Milky Way's is about 3.3.
    """
    angstrom = np.asarray(wavelength, dtype=np.float64)
    width, centre = 350.0, 2175.0
    profile = (angstrom * width) ** 2
    return calzetti(angstrom) + strength * profile / ((angstrom**2 - centre**2) ** 2 + profile)


def smc(wavelength: ArrayLike) -> NDArray[np.float64]:
    """Small Magellanic Cloud extinction of Pei (1992), scaled to its R_V = 2.93 at 5500 A."""
    return 2.93 * _pei_smc(wavelength) / _pei_smc(5500.0)


def _pei_smc(wavelength: ArrayLike) -> NDArray[np.float64]:
    """A(lambda) / A(B) of the Small Magellanic Cloud, sum of six terms."""
    micron = np.asarray(wavelength, dtype=np.float64) / 1e4
    amplitude = (185.0, 27.0, 0.005, 0.010, 0.012, 0.030)
    centre = (0.042, 0.08, 0.22, 9.7, 18.0, 25.0)
    offset = (90.0, 5.50, -1.95, -1.95, -1.80, 0.0)
    power = (2.0, 4.0, 2.0, 2.0, 2.0, 2.0)
    per_blue = np.zeros_like(micron)  # A(lambda) / A(B)
    for a, c, b, n in zip(amplitude, centre, offset, power, strict=True):
        per_blue = per_blue + a / ((micron / c) ** n + (c / micron) ** n + b)
    return per_blue


DUST_LAWS: dict[str, DustLaw] = {
    "calzetti": DustLaw(calzetti, 4.05),
    "calzetti_weak_bump": DustLaw(partial(calzetti_bump, strength=1.65), 4.05),
    "smc": DustLaw(smc, 2.93),
}
CALZETTI = DUST_LAWS["calzetti"]
