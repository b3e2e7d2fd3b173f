"""Variants compared galaxy by galaxy: pairs, ensembles with their members, ratios of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.metrics.binned import METRICS
from photoz.metrics.bootstrap import PairedDifference, paired_difference, ratio_contrast

COMPARED = ("sigma68", "nmad", "strict_outliers", "outliers")
COLUMNS = ("kind", "variant", "reference", "metric", *PairedDifference._fields)
SINGLE_SPLITS = "mean of its splits"


def compare_variants(
    errors: Mapping[str, npt.ArrayLike],
    splits: Mapping[str, npt.ArrayLike],
    pairs: Sequence[tuple[str, str]],
    contrasts: Sequence[Sequence[str]] = (),
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare variants on one catalogue, with a paired bootstrap.

    Parameters
    ----------
    errors : mapping of str to (n,) array
        dz by variant, for the same galaxies in the same order.
    splits : mapping of str to (n, s) array
        dz of every split of a variant by itself. Variants of one split are not compared with it.
    pairs : sequence of (variant, reference)
        Pairs with a variant that is not in `errors` are left out.
    contrasts : sequence of four variants (a, b, c, d)
        Ratio a / b compared with c / d; left out where a variant is missing.
    n_boot, seed : int
        Every row has the same resamples.

    Returns
    -------
    DataFrame
        One row per comparison and metric: kind (pair, singles, ensemble or contrast), variant,
        reference, metric and the fields of `PairedDifference`. A pair whose variants both have
        several splits is also compared by their single networks. Of a contrast `value_a` and
        `value_b` are the two ratios.
    """
    rows: list[tuple[object, ...]] = []

    def add(kind: str, variant: str, reference: str, metric: str, result: PairedDifference) -> None:
        rows.append((kind, variant, reference, metric, *result))

    for a, b in pairs:
        if a in errors and b in errors:
            for metric in COMPARED:
                result = paired_difference(METRICS[metric], errors[a], errors[b], seed, n_boot)
                add("pair", a, b, metric, result)
    for a, b in pairs:
        if min(_n_splits(splits, a), _n_splits(splits, b)) > 1:
            for metric in COMPARED:
                result = paired_difference(METRICS[metric], splits[a], splits[b], seed, n_boot)
                add("singles", f"{a}, {SINGLE_SPLITS}", f"{b}, {SINGLE_SPLITS}", metric, result)
    for name, members in splits.items():
        if _n_splits(splits, name) > 1:
            for metric in COMPARED:
                result = paired_difference(METRICS[metric], errors[name], members, seed, n_boot)
                add("ensemble", name, SINGLE_SPLITS, metric, result)
    for a, b, c, d in contrasts:
        if {a, b, c, d} <= set(errors):
            first, second = (errors[a], errors[b]), (errors[c], errors[d])
            for metric in COMPARED:
                result = ratio_contrast(METRICS[metric], first, second, seed, n_boot)
                add("contrast", f"{a} / {b}", f"{c} / {d}", metric, result)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _n_splits(splits: Mapping[str, npt.ArrayLike], variant: str) -> int:
    return int(np.shape(splits[variant])[1]) if variant in splits else 0
