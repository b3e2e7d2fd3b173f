"""Metrics of the whole sample and in bins of magnitude and redshift, as one tidy table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.files import InputError
from photoz.metrics.bootstrap import N_BOOT, Statistic, bootstrap_error, bootstrap_errors
from photoz.metrics.point import (
    bias,
    catastrophic_outlier_fraction,
    nmad,
    redshift_error,
    sigma68,
    strict_outlier_fraction,
)

FloatArray = npt.NDArray[np.float64]

METRICS: dict[str, Statistic] = {
    "sigma68": sigma68,
    "nmad": nmad,
    "bias": bias,
    "strict_outliers": strict_outlier_fraction,
    "outliers": catastrophic_outlier_fraction,
}
COLUMNS = ("bin_by", "bin_low", "bin_high", "n", "n_invalid", "metric", "value", "error")


def binned_metrics(
    z_phot: npt.ArrayLike,
    z_spec: npt.ArrayLike,
    mag_i: npt.ArrayLike,
    mag_edges: npt.ArrayLike = (),
    redshift_edges: npt.ArrayLike = (),
    averages: Mapping[str, npt.ArrayLike] | None = None,
    n_boot: int = N_BOOT,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """Metrics with bootstrap errors for all galaxies, by magnitude and by redshift.

    Parameters
    ----------
    z_phot, z_spec, mag_i : (n,) array
        Point estimates (NaN without p(z)), spectroscopic redshifts, reference magnitudes. A
        galaxy without spectroscopic redshift is left out.
    mag_edges, redshift_edges : (b + 1,) array
        Edges of half-open bins [low, high) in `mag_i` and `z_spec`; empty for none.
    averages : mapping of name to (n,) array, optional
        Numbers per galaxy whose mean is reported too (crps, negative log likelihood, odds ...).
    n_boot : int
        Bootstrap resamples.
    rng : numpy Generator or int
        Generator, or the seed of one.

    Returns
    -------
    pandas.DataFrame
        One row per bin and metric. Columns: bin_by (all, mag_i or redshift), bin_low and bin_high
        (NaN for all), n (galaxies that count), n_invalid (galaxies in the bin without value),
        metric, value, error.

    Raises
    ------
    InputError
        If the columns differ in length or edges do not ascend.
    """
    z_phot, z_spec, mag = (np.asarray(x, dtype=np.float64) for x in (z_phot, z_spec, mag_i))
    extra = {name: np.asarray(v, dtype=np.float64) for name, v in (averages or {}).items()}
    for name, column in {"z_phot": z_phot, "mag_i": mag, **extra}.items():
        if column.shape != z_spec.shape or z_spec.ndim != 1:
            raise InputError(f"metrics: {name} has shape {column.shape}, z_spec {z_spec.shape}")
    dz = redshift_error(z_phot, z_spec)
    generator = np.random.default_rng(rng)
    known = np.isfinite(z_spec)
    rows: list[tuple[Any, ...]] = []
    edges = (("mag_i", mag, mag_edges), ("redshift", z_spec, redshift_edges))
    for bin_by, low, high, inside in _bins(edges, known):
        for entry in _bin_rows(
            dz[inside], {k: v[inside] for k, v in extra.items()}, n_boot, generator
        ):
            rows.append((bin_by, low, high, *entry))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _bins(
    edges: tuple[tuple[str, FloatArray, npt.ArrayLike], ...], known: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, float, float, npt.NDArray[np.bool_]]]:
    yield "all", float("nan"), float("nan"), known
    for name, values, limits in edges:
        ends = np.asarray(limits, dtype=np.float64)
        if ends.ndim != 1 or np.any(np.diff(ends) <= 0):
            raise InputError(f"metrics: edges of the {name} bins must ascend, got {ends.tolist()}")
        for low, high in pairwise(ends):
            yield name, float(low), float(high), known & (values >= low) & (values < high)


def _bin_rows(
    dz: FloatArray, extra: Mapping[str, FloatArray], n_boot: int, rng: np.random.Generator
) -> Iterator[tuple[int, int, str, float, float]]:
    errors = bootstrap_errors(METRICS, dz, n_boot=n_boot, rng=rng)
    n = int(np.isfinite(dz).sum())
    for name, statistic in METRICS.items():
        yield n, len(dz) - n, name, statistic(dz), errors[name]
    for name, values in extra.items():
        finite = values[np.isfinite(values)]
        mean = float(finite.mean()) if finite.size else float("nan")
        error = bootstrap_error(_mean, finite, n_boot=n_boot, rng=rng)
        yield len(finite), len(values) - len(finite), name, mean, error


def _mean(values: FloatArray) -> float:
    return float(np.mean(values))
