"""Quality cuts: scatter and outliers of the galaxies that a cut keeps (section 6.2, figure 9)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.files import InputError
from photoz.metrics.bootstrap import N_BOOT, resamples
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction

FloatArray = npt.NDArray[np.float64]

COMPLETENESS = np.round(np.arange(0.05, 1.001, 0.05), 2)


def completeness_curve(
    dz: npt.ArrayLike,
    quality: npt.ArrayLike,
    completeness: npt.ArrayLike = COMPLETENESS,
    higher_is_better: bool = True,
    n_boot: int = N_BOOT,
    rng: np.random.Generator | int = 0,
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
    n_boot : int
        Bootstrap resamples of all galaxies; the cut is made anew in each.
    rng : numpy Generator or int
        Generator, or the seed of one.

    Returns
    -------
    pandas.DataFrame
        Columns completeness, n (kept, with a redshift), n_invalid (kept, without), threshold (the
        worst quality kept), sigma68, sigma68_error, strict_outliers, strict_outliers_error.

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
    sizes = np.ceil(fractions * len(dz) - 1e-9).astype(int)
    errors = _curve_errors(dz[order], sizes, n_boot, rng)
    rows = []
    for fraction, size, error in zip(fractions, sizes, errors, strict=True):
        kept = order[:size]
        valid = int(np.isfinite(dz[kept]).sum())
        threshold = float(quality[kept[-1]]) if len(kept) else float("nan")
        values = (sigma68(dz[kept]), error[0], strict_outlier_fraction(dz[kept]), error[1])
        rows.append((float(fraction), valid, len(kept) - valid, threshold, *values))
    columns = ["completeness", "n", "n_invalid", "threshold"]
    columns += ["sigma68", "sigma68_error", "strict_outliers", "strict_outliers_error"]
    return pd.DataFrame(rows, columns=columns)


def _curve_errors(
    ranked: FloatArray, sizes: npt.NDArray[np.int_], n_boot: int, rng: np.random.Generator | int
) -> FloatArray:
    """Errors (m, 2) of sigma68 and strict outliers of the first `sizes` (m,) of ranked errors."""
    samples = []
    for drawn in resamples(len(ranked), n_boot, rng):
        values = ranked[np.sort(drawn)]  # ranks: in order of quality again
        samples.append([(sigma68(values[:k]), strict_outlier_fraction(values[:k])) for k in sizes])
    if len(samples) < 2:
        return np.full((len(sizes), 2), np.nan)
    return np.std(samples, axis=0, ddof=1)


def quality_curves(
    z_phot: npt.ArrayLike,
    z_spec: npt.ArrayLike,
    odds: npt.ArrayLike,
    width: npt.ArrayLike,
    completeness: npt.ArrayLike = COMPLETENESS,
    n_boot: int = N_BOOT,
    seed: int = 0,
) -> pd.DataFrame:
    """Completeness curves by ODDS, by the width of p(z) and by the true error (the optimal cut).

    Parameters
    ----------
    z_phot, z_spec, odds, width : (n,) array
        Galaxies without spectroscopic redshift are left out.
    completeness : (m,) array
        Fractions to keep.
    n_boot, seed : int
        Bootstrap resamples; every curve has the same.

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
        curve = completeness_curve(dz, quality, completeness, higher, n_boot, seed)
        curve.insert(0, "sort_by", name)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)
