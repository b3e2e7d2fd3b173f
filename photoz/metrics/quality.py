"""Quality cuts: scatter and outliers of the galaxies that a cut keeps (section 6.2, figure 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.files import InputError
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction

FloatArray = npt.NDArray[np.float64]

COMPLETENESS = np.round(np.arange(0.05, 1.001, 0.05), 2)


class BestHalf(NamedTuple):
    """sigma68 of the better half by a quality parameter, of all, and their ratio."""

    best: float
    all: float
    ratio: float


def completeness_curve(
    dz: npt.ArrayLike,
    quality: npt.ArrayLike,
    completeness: npt.ArrayLike = COMPLETENESS,
    higher_is_better: bool = True,
) -> pd.DataFrame:
    """Scatter and strict outliers against the fraction of galaxies that a quality cut keeps.

    Parameters
    ----------
    dz : (n,) array
        (z_p - z_s) / (1 + z_s).
    quality : (n,) array
        Quality parameter; galaxies where it or `dz` is NaN are the worst, and are kept only at
        the end.
    completeness : (m,) array
        Fractions to keep, in (0, 1].
    higher_is_better : bool
        True for ODDS, False for a width.

    Returns
    -------
    pandas.DataFrame
        Columns completeness, n (kept, with a redshift), n_invalid (kept, without), threshold (the
        worst quality kept), sigma68, strict_outliers.

    Raises
    ------
    InputError
        If lengths differ or a fraction is not in (0, 1].
    """
    dz, quality = np.asarray(dz, dtype=np.float64), np.asarray(quality, dtype=np.float64)
    fractions = np.atleast_1d(np.asarray(completeness, dtype=np.float64))
    if dz.ndim != 1 or dz.shape != quality.shape:
        raise InputError(f"quality: {dz.shape} errors but {quality.shape} quality parameters")
    if not np.all((fractions > 0) & (fractions <= 1)):
        raise InputError("quality: completeness must be fractions in (0, 1]")
    badness = -quality if higher_is_better else quality
    badness = np.where(np.isfinite(badness) & np.isfinite(dz), badness, np.inf)
    order = np.argsort(badness, kind="stable")
    rows = []
    for fraction in fractions:
        kept = order[: int(np.ceil(fraction * len(dz) - 1e-9))]
        valid = int(np.isfinite(dz[kept]).sum())
        threshold = float(quality[kept[-1]]) if len(kept) else float("nan")
        scatter, outliers = sigma68(dz[kept]), strict_outlier_fraction(dz[kept])
        rows.append((float(fraction), valid, len(kept) - valid, threshold, scatter, outliers))
    columns = ["completeness", "n", "n_invalid", "threshold", "sigma68", "strict_outliers"]
    return pd.DataFrame(rows, columns=columns)


def quality_curves(
    z_phot: npt.ArrayLike,
    z_spec: npt.ArrayLike,
    odds: npt.ArrayLike,
    width: npt.ArrayLike,
    completeness: npt.ArrayLike = COMPLETENESS,
) -> pd.DataFrame:
    """Completeness curves by ODDS, by the width of p(z) and by the true error (the optimal cut).

    Parameters
    ----------
    z_phot, z_spec, odds, width : (n,) array
        Galaxies without spectroscopic redshift are left out.
    completeness : (m,) array
        Fractions to keep.

    Returns
    -------
    pandas.DataFrame
        The columns of `completeness_curve` after `sort_by` (odds, width or optimal). As in the
        paper the optimal cut sorts by |z_p - z_s|.
    """
    spec = np.asarray(z_spec, dtype=np.float64)
    known = np.isfinite(spec)
    phot = np.asarray(z_phot, dtype=np.float64)
    keys: Mapping[str, tuple[npt.ArrayLike, bool]] = {
        "odds": (odds, True),
        "width": (width, False),
        "optimal": (np.abs(phot - spec), False),
    }
    dz = redshift_error(phot, spec)[known]
    curves = []
    for name, (values, higher) in keys.items():
        quality = np.asarray(values, dtype=np.float64)[known]
        curve = completeness_curve(dz, quality, completeness, higher)
        curve.insert(0, "sort_by", name)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)


def best_half(dz: npt.ArrayLike, quality: npt.ArrayLike, higher_is_better: bool = True) -> BestHalf:
    """sigma68 of the better half of all galaxies (the paper's target: 0.0035) against all."""
    curve = completeness_curve(dz, quality, (0.5, 1.0), higher_is_better)["sigma68"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return BestHalf(float(curve[0]), float(curve[1]), float(np.divide(curve[0], curve[1])))
