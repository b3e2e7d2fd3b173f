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

    def dust2(self, ebv: ArrayLike) -> NDArray[np.float64]:
        """FSPS's ``dust2``, the optical depth at V, for a colour excess E(B - V)."""
        return 0.4 * np.log(10.0) * self.r_v * np.asarray(ebv, dtype=np.float64)


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


def calzetti_bump(wavelength: ArrayLike, strength: float = 1.0) -> NDArray[np.float64]:
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


def cardelli(wavelength: ArrayLike, r_v: float = 3.1) -> NDArray[np.float64]:
    """Milky Way extinction of Cardelli, Clayton & Mathis (1989), 1000 A - 3.3 micron.

    Beyond 3.3 micron the infrared power law is continued.
    """
    x = np.atleast_1d(1e4 / np.asarray(wavelength, dtype=np.float64))
    a, b = 0.574 * x**1.61, -0.527 * x**1.61
    y = x - 1.82
    optical = x > 1.1
    powers_a = [0.32999, -0.77530, 0.01979, 0.72085, -0.02427, -0.50447, 0.17699, 1.0]
    powers_b = [-2.09002, 5.30260, -0.62251, -5.38434, 1.07233, 2.28305, 1.41338, 0.0]
    a = np.where(optical, np.polyval(powers_a, y), a)
    b = np.where(optical, np.polyval(powers_b, y), b)
    far = np.where(x > 5.9, x - 5.9, 0.0)
    ultraviolet = x > 3.3
    blue_a = 1.752 - 0.316 * x - 0.104 / ((x - 4.67) ** 2 + 0.341)
    blue_b = -3.090 + 1.825 * x + 1.206 / ((x - 4.62) ** 2 + 0.263)
    a = np.where(ultraviolet, blue_a - 0.04473 * far**2 - 0.009779 * far**3, a)
    b = np.where(ultraviolet, blue_b + 0.2130 * far**2 + 0.1207 * far**3, b)
    z = x - 8.0
    a = np.where(x > 8.0, np.polyval([-0.070, 0.137, -0.628, -1.073], z), a)
    b = np.where(x > 8.0, np.polyval([0.374, -0.420, 4.257, 13.670], z), b)
    return (r_v * a + b).reshape(np.shape(wavelength))


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
    "calzetti_bump": DustLaw(partial(calzetti_bump, strength=3.3), 4.05),
    "calzetti_weak_bump": DustLaw(partial(calzetti_bump, strength=1.65), 4.05),
    "cardelli": DustLaw(cardelli, 3.1),
    "smc": DustLaw(smc, 2.93),
}
CALZETTI = DUST_LAWS["calzetti"]
