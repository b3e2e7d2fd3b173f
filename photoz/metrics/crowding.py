"""Scatter against the number of galaxies with nearly the same redshift (paper, section 3.4).

A network knows redshifts of which it has seen galaxies; a template fit does not care. Galaxies are
counted in narrow bins of spectroscopic redshift, and each belongs to the class of its bin's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.files import InputError
from photoz.metrics.bootstrap import N_BOOT, bootstrap_errors
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction

BIN_WIDTH = 0.001
"""Width of the redshift bins (paper, Fig. 3)."""
STATISTICS = {"sigma68": sigma68, "strict_outliers": strict_outlier_fraction}
COLUMNS = ("count_low", "count_high", "galaxies", "n", "metric", "value", "error")
_FEWEST = 200  # galaxies in a class, for a scatter with a useful error


def redshift_counts(redshift: npt.ArrayLike, bin_width: float = BIN_WIDTH) -> npt.NDArray[np.int64]:
    """Number of galaxies in the redshift bin of each galaxy, itself included.

    Parameters
    ----------
    redshift : (n,) array
        Spectroscopic; NaN counts as no galaxy.
    bin_width : float
        Bins are [k, k + 1) `bin_width`.

    Returns
    -------
    (n,) int array
        0 for NaN.
    """
    z = np.asarray(redshift, dtype=np.float64)
    known = np.isfinite(z)
    counts = np.zeros(z.shape, dtype=np.int64)
    # Redshifts are often rounded to the bins' edges: these must not fall below them.
    bins = np.floor(z[known] / bin_width + 1e-6).astype(np.int64)
    _, index, number = np.unique(bins, return_inverse=True, return_counts=True)
    counts[known] = number[index]
    return counts


def count_classes(counts: npt.ArrayLike, fewest: int = _FEWEST) -> list[int]:
    """Edges of classes of counts, [low, high), with enough galaxies in each.

    Classes are as narrow as whole numbers and a quarter of their value allow; each has at least
    `fewest` galaxies, or all there are.

    Parameters
    ----------
    counts : (n,) array
        Of `redshift_counts`.
    fewest : int
    """
    present = np.asarray(counts)
    present = np.sort(present[present > 0])
    if not present.size:
        raise InputError("no galaxy has a spectroscopic redshift, so none can be counted")
    edges = [int(present[0])]
    last = int(present[-1]) + 1
    while edges[-1] < last:
        low = edges[-1]
        high = max(low + 1, round(1.25 * low))
        inside = np.searchsorted(present, high) - np.searchsorted(present, low)
        while inside < fewest and high < last:
            high += 1
            inside = np.searchsorted(present, high) - np.searchsorted(present, low)
        edges.append(min(high, last))
    rest = present.size - np.searchsorted(present, edges[-2])
    if rest < fewest and len(edges) > 2:
        del edges[-2]
    return edges


def crowding_metrics(
    z_phot: Mapping[str, npt.ArrayLike],
    z_spec: npt.ArrayLike,
    n_boot: int = N_BOOT,
    seed: int = 0,
    bin_width: float = BIN_WIDTH,
) -> pd.DataFrame:
    """Metrics of several methods by the number of galaxies at a redshift.

    Parameters
    ----------
    z_phot : mapping of str to (n,) array
        Point estimates of each method for the same galaxies.
    z_spec : (n,) array
        Spectroscopic redshifts of all galaxies of the catalogue.
    n_boot, seed : int
        Of the bootstrap; the same galaxies are drawn for every method.
    bin_width : float

    Returns
    -------
    DataFrame
        Columns variant, count_low and count_high (the class [low, high)), galaxies (in the class),
        n (of these with a photometric redshift), metric, value, error.

    Raises
    ------
    InputError
        If no galaxy has a redshift.
    """
    truth = np.asarray(z_spec, dtype=np.float64)
    counts = redshift_counts(truth, bin_width)
    rows = []
    for low, high in pairwise(count_classes(counts)):
        inside = (counts >= low) & (counts < high)
        for variant, estimates in z_phot.items():
            dz = redshift_error(np.asarray(estimates)[inside], truth[inside])
            errors = bootstrap_errors(STATISTICS, dz, n_boot=n_boot, rng=seed)
            members = (low, high, int(inside.sum()), int(np.isfinite(dz).sum()))
            rows += [
                (variant, *members, metric, statistic(dz), errors[metric])
                for metric, statistic in STATISTICS.items()
            ]
    return pd.DataFrame(rows, columns=["variant", *COLUMNS])
