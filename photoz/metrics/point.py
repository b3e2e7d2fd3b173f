"""Scatter, bias and outliers of point estimates (section 3.3, equations 4 and 5).

Every statistic takes dz = (z_p - z_s) / (1 + z_s), leaves out what is not finite, and is NaN if
nothing is left; `n_invalid` says how many were left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

OUTLIER_LIMIT = 0.15  # the common definition of a catastrophic outlier
STRICT_OUTLIER_LIMIT = 0.02  # equation 5


def redshift_error(z_phot: npt.ArrayLike, z_spec: npt.ArrayLike) -> FloatArray:
    """(z_p - z_s) / (1 + z_s), shape (n,); NaN where either redshift is NaN."""
    z_spec = np.asarray(z_spec, dtype=np.float64)
    return (np.asarray(z_phot, dtype=np.float64) - z_spec) / (1 + z_spec)


def n_invalid(dz: npt.ArrayLike) -> int:
    """Number of galaxies whose error is not finite."""
    return int(np.sum(~np.isfinite(np.asarray(dz, dtype=np.float64))))


def sigma68(dz: npt.ArrayLike) -> float:
    """Half the distance between the 84.1 and 15.9 percentiles (equation 4)."""
    dz = _finite(dz)
    if dz.size == 0:
        return float("nan")
    low, high = np.percentile(dz, [15.9, 84.1])
    return float(0.5 * (high - low))


def nmad(dz: npt.ArrayLike) -> float:
    """Normalised median absolute deviation, 1.4826 median |dz - median(dz)|."""
    dz = _finite(dz)
    return float(1.4826 * np.median(np.abs(dz - np.median(dz)))) if dz.size else float("nan")


def bias(dz: npt.ArrayLike) -> float:
    """Median error."""
    dz = _finite(dz)
    return float(np.median(dz)) if dz.size else float("nan")


def outlier_fraction(dz: npt.ArrayLike, limit: float = STRICT_OUTLIER_LIMIT) -> float:
    """Fraction with |dz| > `limit` (equation 5 for the default)."""
    dz = _finite(dz)
    return float(np.mean(np.abs(dz) > limit)) if dz.size else float("nan")


def strict_outlier_fraction(dz: npt.ArrayLike) -> float:
    """Fraction with |dz| > 0.02 (equation 5)."""
    return outlier_fraction(dz, STRICT_OUTLIER_LIMIT)


def catastrophic_outlier_fraction(dz: npt.ArrayLike) -> float:
    """Fraction with |dz| > 0.15."""
    return outlier_fraction(dz, OUTLIER_LIMIT)


def _finite(dz: npt.ArrayLike) -> FloatArray:
    dz = np.ravel(np.asarray(dz, dtype=np.float64))
    return dz[np.isfinite(dz)]
