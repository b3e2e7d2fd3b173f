"""What no library of populations contains: smooth continuum deviations, line scatter, other dust.

Real spectra differ from any model by several per cent over a thousand angstrom or so, and their
line ratios scatter more than one photoionisation sequence does. Without this a network trained on
the simulations would meet a mock survey that is too easy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from photoz.sps.dust import DUST_LAWS

#: Names of the attenuation laws of the mocks, in the order of `attenuation_curves`.
MOCK_DUST_LAWS = ("calzetti", "calzetti_weak_bump", "smc")


def attenuation_curves(wavelength: np.ndarray) -> np.ndarray:
    """k(lambda) = A / E(B-V) of every law of `MOCK_DUST_LAWS`: (law, wavelength)."""
    return np.stack([DUST_LAWS[name].curve(wavelength) for name in MOCK_DUST_LAWS])


def draw_dust_law(n: int, other_fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Index into `MOCK_DUST_LAWS`, (n,): Calzetti, or one of the others for `other_fraction`."""
    law = 1 + (rng.uniform(size=n) < 0.5).astype(int)
    return np.where(rng.uniform(size=n) < other_fraction, law, 0)


def smooth_deviations(
    wavelength: np.ndarray, n: int, rms: float, length: float, rng: np.random.Generator
) -> np.ndarray:
    """Multiplicative continuum deviations: exp of a Gaussian process in ln(wavelength).

    Parameters
    ----------
    wavelength : (w,)
        Rest wavelength, A.
    rms : float
        Standard deviation of the logarithm.
    length : float
        Correlation length in ln(wavelength); 0.5 is 2500 A at 5000 A.

    Returns
    -------
    (n, w)
    """
    x = np.log(wavelength)
    nodes = np.arange(x[0] - length, x[-1] + length, length / 3.0)
    distance = (nodes[:, None] - nodes) / length
    covariance = np.exp(-0.5 * distance**2) + 1e-8 * np.eye(len(nodes))
    values = rng.standard_normal((n, len(nodes))) @ np.linalg.cholesky(covariance).T
    to_grid = CubicSpline(nodes, np.eye(len(nodes)))(x)  # (w, node): a spline is linear in values
    return np.exp(rms * values @ to_grid.T)


def line_group(name: str, wavelength: float) -> str:
    """Group of lines that scatters together: Balmer, [OII], [OIII], [NII], [SII] or other."""
    balmer = ((6562.8, 6.0), (4861.3, 4.0), (4340.5, 4.0), (4101.7, 4.0), (3970.1, 2.0))
    groups = {
        "[OII]": ((3727.5, 4.0),),
        "[OIII]": ((4959.0, 4.0), (5007.0, 4.0)),
        "[NII]": ((6548.0, 3.0), (6583.5, 3.0)),
        "[SII]": ((6716.5, 4.0), (6730.8, 4.0)),
        "Balmer": balmer,
    }
    for group, centres in groups.items():
        if any(abs(wavelength - centre) < width for centre, width in centres):
            return group
    return name if name.startswith("Ly") else "other"


def line_scatter(groups: Sequence[str], n: int, dex: float, rng: np.random.Generator) -> np.ndarray:
    """Factors for the line luminosities, (n, line).

    All lines of a galaxy share a factor of `dex`/2 (escape and age of the youngest stars); each
    group of lines has its own factor of `dex`. Balmer lines keep their ratios, set by physics.
    """
    names = sorted(set(groups))
    common = 0.5 * dex * rng.standard_normal((n, 1))
    own = dex * rng.standard_normal((n, len(names)))
    own[:, [name == "Balmer" for name in names]] *= 0.5
    return 10.0 ** (common + own[:, [names.index(group) for group in groups]])
