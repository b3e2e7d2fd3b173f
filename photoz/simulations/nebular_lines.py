"""Emission lines of the template simulation (paper, section 3.2.1).

H-alpha follows from the star-formation rate, the other lines from observed ratios with scatter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Array = NDArray[np.float64]

#: Star-formation rate (Msun/yr, Salpeter) per ultraviolet L_nu in erg/s/Hz, 1500-2800 A, and per
#: H-alpha luminosity in erg/s (Kennicutt 1998, equations 1 and 2).
SFR_PER_UV, SFR_PER_HALPHA = 1.4e-28, 7.9e-42
UV_RANGE = (1500.0, 2800.0)
#: Rest wavelengths in air (A), in the order of `line_luminosities`.
LINES: dict[str, float] = {
    "Ha": 6562.8,
    "Hb": 4861.3,
    "Hg": 4340.5,
    "Hd": 4101.7,
    "[OII]3727": 3727.5,
    "[OIII]4959": 4958.9,
    "[OIII]5007": 5006.8,
    "[NII]6548": 6548.1,
    "[NII]6583": 6583.4,
    "[SII]6716": 6716.4,
    "[SII]6731": 6730.8,
}
#: Recombination, case B at 10^4 K and 100 cm^-3 (Osterbrock & Ferland 2006), relative to H-beta.
BALMER = {"Ha": 2.86, "Hb": 1.0, "Hg": 0.468, "Hd": 0.259}
#: Fixed by atomic physics (Storey & Zeippen 2000).
OIII_DOUBLET, NII_DOUBLET = 2.98, 3.05
#: Low-density [SII] 6716 / 6731 (Osterbrock & Ferland 2006).
SII_DOUBLET = 1.35
#: Intrinsic [OII] / H-alpha of nearby galaxies (Kewley, Geller & Jansen 2004: 1.2 +- 0.3).
OII_TO_HALPHA = 1.2
#: log10 of both [SII] lines over H-alpha, typical of star-forming galaxies (Kewley et al. 2006).
LOG_SII_TO_HALPHA = -0.55
#: log10 [NII]6583 / H-alpha at M*, and its change per magnitude: luminous galaxies are metal-rich
#: (Tremonti et al. 2004; Moustakas et al. 2006 show the trend, the line through it is ours).
LOG_NII_AT_KNEE, NII_PER_MAGNITUDE = -0.5, -0.16
#: The star-forming sequence in the diagram of Baldwin, Phillips & Terlevich flattens here.
LOG_NII_RANGE = (-1.6, -0.35)


def star_formation_rate(uv_luminosity: ArrayLike) -> _Array:
    """Msun/yr from the dust-free L_nu at 1500-2800 A in erg/s/Hz (Kennicutt 1998, equation 1)."""
    return SFR_PER_UV * np.asarray(uv_luminosity, dtype=np.float64)


def halpha_luminosity(rate: ArrayLike) -> _Array:
    """H-alpha luminosity in erg/s from Msun/yr (Kennicutt 1998, equation 2)."""
    return np.asarray(rate, dtype=np.float64) / SFR_PER_HALPHA


def log_nii_ratio(relative_magnitude: ArrayLike) -> _Array:
    """log10 [NII]6583 / H-alpha from M - M*(z)."""
    ratio = LOG_NII_AT_KNEE + NII_PER_MAGNITUDE * np.asarray(relative_magnitude, dtype=np.float64)
    return np.clip(ratio, *LOG_NII_RANGE)


def log_oiii_ratio(log_nii: ArrayLike) -> _Array:
    """log10 [OIII]5007 / H-beta of star-forming galaxies (Kewley et al. 2013)."""
    return 0.61 / (np.asarray(log_nii, dtype=np.float64) + 0.08) + 1.1


def line_luminosities(
    halpha: _Array, relative_magnitude: _Array, scatter: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Luminosities of all lines, before dust.

    Parameters
    ----------
    halpha : (n,) array
        H-alpha in any unit.
    relative_magnitude : (n,) array
        M - M*(z), the proxy of metallicity.
    scatter : float
        Standard deviation of every observed ratio, dex. Those set by atomic physics have none.

    Returns
    -------
    (n, line) array
        In the unit of `halpha`, in the order of `LINES`.
    """
    noise = scatter * rng.standard_normal((4, halpha.size))
    log_nii = log_nii_ratio(relative_magnitude)
    nii = halpha * 10.0 ** (log_nii + noise[0])
    hbeta = halpha / BALMER["Ha"]
    oiii = hbeta * 10.0 ** (log_oiii_ratio(log_nii) + noise[1])
    oii = halpha * OII_TO_HALPHA * 10.0 ** noise[2]
    sii = halpha * 10.0 ** (LOG_SII_TO_HALPHA + noise[3])
    by_name = {name: hbeta * ratio for name, ratio in BALMER.items()}
    by_name |= {"[OII]3727": oii, "[OIII]5007": oiii, "[OIII]4959": oiii / OIII_DOUBLET}
    by_name |= {"[NII]6583": nii, "[NII]6548": nii / NII_DOUBLET}
    by_name |= {"[SII]6716": sii * SII_DOUBLET / (1.0 + SII_DOUBLET)}
    by_name |= {"[SII]6731": sii / (1.0 + SII_DOUBLET)}
    return np.stack([by_name[name] for name in LINES], axis=1)
