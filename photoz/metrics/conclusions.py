"""Does a conclusion of the paper hold on our galaxies? A number, its error and a verdict for each.

A conclusion says that one number is lower than another: the scatter of two variants of the same
galaxies, say. The paired bootstrap measures their ratio; the verdict follows from that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.files import InputError
from photoz.metrics.bootstrap import PairedDifference, Statistic, compare_numbers
from photoz.metrics.calibration import central_bins, ks_distance
from photoz.metrics.comparisons import SINGLE_SPLITS
from photoz.metrics.crowding import redshift_counts
from photoz.metrics.pairing import require_same_galaxies
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction

FloatArray = npt.NDArray[np.float64]
Expected = Literal["lower", "higher", "not lower"]

SIGNIFICANT = 0.05
"""Largest two-sided p-value of a difference that counts."""
NO_HELP = 0.02
"""A gain below this share is none: what "does not help" leaves room for."""
NOT_TESTED = "not tested"
TARGET = "target"
COLUMNS: tuple[str, ...] = (
    *("conclusion", "statement", "section", "paper", "catalogue", "verdict", "variant"),
    *("reference", "metric", "galaxies", "n", "value", "reference_value", "ratio"),
    *("ratio_error", "p_value", "expected", "missing"),
)


@dataclass(frozen=True)
class Conclusion:
    """One conclusion of the paper: which number is expected on which side of which other.

    Attributes
    ----------
    name, statement : str
        A short name, and the paper's sentence in short.
    section : str
        Where the paper has it.
    variant : str
        The first number's.
    reference : str or None
        The second number's; `SINGLE_SPLITS` is the mean over the variant's own splits, and None
        takes `target`.
    expected : {"lower", "higher", "not lower"}
        Where the paper has the first number. "not lower" is for what does not help.
    metric : str
        Of `METRICS`.
    reference_metric : str or None
        The second number's, where it is another.
    galaxies : str
        Of `SELECTIONS`.
    against : str or None
        Compare the ratio of variant and reference for `galaxies` with that for these instead.
    target : float or None
        The second number, where it is given.
    alike : bool
        Whether variants of different numbers of splits are compared by the splits that both have,
        each by itself: an ensemble beside one network would be no fair rival.
    paper : str
        The paper's number, or its words where it gives none.
    """

    name: str
    statement: str
    section: str
    variant: str
    reference: str | None
    expected: Expected
    metric: str = "sigma68"
    reference_metric: str | None = None
    galaxies: str = "all"
    against: str | None = None
    target: float | None = None
    alike: bool = True
    paper: str = "-"

    def __post_init__(self) -> None:
        if (self.reference is None) == (self.target is None):
            raise InputError(f"conclusion {self.name}: give a reference or a target")

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants that a run needs to test it."""
        second = self.reference if self.reference not in (None, SINGLE_SPLITS) else None
        return tuple(dict.fromkeys(name for name in (self.variant, second) if name))


def best_half(dz: FloatArray, quality: FloatArray) -> float:
    """`sigma68` of the half of the galaxies with the highest quality."""
    return sigma68(dz[np.argsort(-quality, kind="stable")[: -(-len(dz) // 2)]])


def best_half_low(dz: FloatArray, width: FloatArray) -> float:
    """`sigma68` of the half of the galaxies with the smallest widths."""
    return best_half(dz, -width)


def pit_centre(pit: FloatArray) -> float:
    """Largest deviation of the PIT from flat between 0.05 and 0.95, in six bins.

    Wide ones: the largest of many narrow ones is noise, and that of a resample more so.
    """
    return central_bins(pit, n_bins=6).deviation


def pit_ends(pit: FloatArray) -> float:
    """Fraction of galaxies with a PIT below 0.05 or above 0.95; 0.1 for perfect densities."""
    return float(np.mean(np.abs(pit - 0.5) > 0.45))


METRICS: dict[str, tuple[tuple[str, ...], Statistic]] = {
    "sigma68": (("dz",), sigma68),
    "strict_outliers": (("dz",), strict_outlier_fraction),
    "best half by ODDS": (("dz", "odds"), best_half),
    "best half by width": (("dz", "width"), best_half_low),
    "varying half": (("dz", "variation"), best_half),
    "steady half": (("dz", "variation"), best_half_low),
    "PIT, KS": (("pit",), ks_distance),
    "PIT, centre": (("pit",), pit_centre),
    "PIT, ends": (("pit",), pit_ends),
}
"""Columns of a galaxy that each metric reads, and the metric of them."""

BRIGHT = 21.8  # where unpretrained networks and BCNz2 cross in Fig. 2
SELECTIONS: dict[str, Callable[[pd.DataFrame], npt.NDArray[np.bool_]]] = {
    "all": lambda table: np.ones(len(table), dtype=bool),
    "i < 21.8": lambda table: (table["mag_i"] < BRIGHT).to_numpy(),
    "i > 21.8": lambda table: (table["mag_i"] >= BRIGHT).to_numpy(),
    "i > 22.25": lambda table: (table["mag_i"] >= 22.25).to_numpy(),
    "at most 5 in dz = 0.001": lambda table: redshift_counts(table["z_spec"]) <= 5,
    "at least 20 in dz = 0.001": lambda table: redshift_counts(table["z_spec"]) >= 20,
}
"""Galaxies that a conclusion speaks of."""


def conclude(
    conclusions: Sequence[Conclusion],
    tables: Mapping[str, Mapping[str, pd.DataFrame]],
    splits: Mapping[str, Mapping[str, pd.DataFrame]],
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Test conclusions on every catalogue that has the variants they speak of.

    Parameters
    ----------
    conclusions : sequence of Conclusion
    tables : mapping of catalogue to mapping of variant to DataFrame
        Photo-z tables of the same galaxies in the same order.
    splits : the same
        The tables of every split, one below the other, with a column `split`.
    n_boot, seed : int
        Of the bootstrap; every conclusion has the same resamples.

    Returns
    -------
    DataFrame
        `COLUMNS`. One row per conclusion and catalogue, or one row with the verdict "not tested"
        and the variants that are `missing`. The verdict is `yes` where the expected side is clear
        (p < 0.05), `no` where the other one is, else `within errors`; what the paper finds not to
        help is a `yes` where a gain of two per cent is outside two errors.

    Raises
    ------
    InputError
        If the tables of a catalogue differ in their galaxies.
    """
    for catalogue, variants in tables.items():
        require_same_galaxies({f"{catalogue}, {v}": t["id"] for v, t in variants.items()})
    rows = []
    for item in conclusions:
        tested, missing = [], {} if tables else dict.fromkeys(item.variants)
        for catalogue, variants in tables.items():
            if absent := _absent(item, variants, splits[catalogue]):
                missing |= dict.fromkeys(absent)
            else:
                tested.append(_row(item, catalogue, variants, splits[catalogue], n_boot, seed))
        rows += tested or [_untested(item, list(missing))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdict(expected: Expected, result: PairedDifference) -> str:
    """What a measured ratio says of the side on which it was expected."""
    if not np.isfinite(result.p_value):
        return NOT_TESTED
    clear = result.p_value < SIGNIFICANT
    if expected == "not lower":
        if clear and result.difference < 0:
            return "no"
        return "yes" if result.ratio - 2 * result.ratio_error > 1 - NO_HELP else "within errors"
    if not clear:
        return "within errors"
    return "yes" if (result.difference < 0) == (expected == "lower") else "no"


def measure(
    item: Conclusion,
    variants: Mapping[str, pd.DataFrame],
    splits: Mapping[str, pd.DataFrame],
    n_boot: int,
    seed: int,
) -> PairedDifference:
    """The two numbers of a conclusion on one catalogue, their ratio and errors."""
    table = variants[item.variant]
    chosen = SELECTIONS[item.galaxies](table)
    other = SELECTIONS[item.against](table) if item.against else np.zeros(len(table), dtype=bool)
    other_metric, shared = item.reference_metric or item.metric, _shared_splits(item, splits)
    first = _columns(table, item.metric)
    if item.reference is None:
        second = []
    elif item.reference == SINGLE_SPLITS:
        second = _split_columns(splits[item.variant], other_metric)
    elif shared:
        first = _split_columns(splits[item.variant], item.metric, shared)
        second = _split_columns(splits[item.reference], other_metric, shared)
    else:
        second = _columns(variants[item.reference], other_metric)
    inside = chosen | other
    arrays = [array[inside] for array in (*first, *second)]
    marks = [mark[inside].astype(np.float64) for mark in (chosen, other)]

    def numbers(drawn: list[FloatArray]) -> tuple[float, float]:
        *values, is_chosen, is_other = drawn

        def pair(mark: FloatArray) -> tuple[float, float]:
            kept = [value[mark > 0] for value in values]
            a = _mean_statistic(item.metric, kept[: len(first)])
            if item.target is not None:
                return a, item.target
            return a, _mean_statistic(other_metric, kept[len(first) :])

        if item.against is None:
            return pair(is_chosen)
        (a, b), (c, d) = pair(is_chosen), pair(is_other)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.divide(a, b)), float(np.divide(c, d))

    return compare_numbers(numbers, [*arrays, *marks], seed, n_boot)


def _columns(table: pd.DataFrame, metric: str) -> list[FloatArray]:
    """Columns (n,) of a photo-z table that a metric reads."""
    known = {"dz": lambda: redshift_error(table["z_mode"], table["z_spec"])}
    names = METRICS[metric][0]
    return [
        np.asarray(known[name]() if name in known else table[name], dtype=np.float64)
        for name in names
    ]


def _shared_splits(item: Conclusion, splits: Mapping[str, pd.DataFrame]) -> int:
    """How many splits are compared by themselves; 0 where the variants are, as they are."""
    if not item.alike or item.reference in (None, SINGLE_SPLITS):
        return 0
    a, b = (splits[name]["split"].nunique() for name in (item.variant, item.reference))
    return 0 if a == b else int(min(a, b))


def _split_columns(table: pd.DataFrame, metric: str, most: int | None = None) -> list[FloatArray]:
    """The same of every split, or of the first ones, (n, split)."""
    parts = [_columns(part, metric) for _, part in table.groupby("split")][:most]
    return [np.stack(column, axis=1) for column in zip(*parts, strict=True)]


def _mean_statistic(metric: str, values: Sequence[FloatArray]) -> float:
    """A metric, or its mean over the splits."""
    statistic = METRICS[metric][1]
    columns = [value[:, None] if value.ndim == 1 else value for value in values]
    if len(columns[0]) == 0:
        return float("nan")
    each = zip(*(column.T for column in columns), strict=True)
    return float(np.mean([statistic(*arrays) for arrays in each]))


def _absent(
    item: Conclusion, variants: Mapping[str, pd.DataFrame], splits: Mapping[str, pd.DataFrame]
) -> list[str]:
    """What is not there: variants, several splits of one, or a column of the photo-z table."""
    if absent := [name for name in item.variants if name not in variants]:
        return absent
    if item.reference == SINGLE_SPLITS and splits[item.variant]["split"].nunique() < 2:
        return [f"{item.variant} of several splits"]
    metrics = (item.metric, item.reference_metric or item.metric)
    columns = dict.fromkeys(name for metric in metrics for name in METRICS[metric][0])
    known = {"dz", *variants[item.variant].columns}
    return [f"a column {name}" for name in columns if name not in known]


def _row(
    item: Conclusion,
    catalogue: str,
    variants: Mapping[str, pd.DataFrame],
    splits: Mapping[str, pd.DataFrame],
    n_boot: int,
    seed: int,
) -> tuple[object, ...]:
    result = measure(item, variants, splits, n_boot, seed)
    galaxies = f"{item.galaxies} beside {item.against}" if item.against else item.galaxies
    metric = item.metric
    if item.reference_metric is not None:
        metric = f"{metric} beside {item.reference_metric}"
    if shared := _shared_splits(item, splits):
        metric += ", one split each" if shared == 1 else f", mean of {shared} splits each"
    return (
        *(item.name, item.statement, item.section, item.paper, catalogue),
        verdict(item.expected, result),
        *(item.variant, item.reference or TARGET, metric, galaxies, result.n),
        *(result.value_a, result.value_b, result.ratio, result.ratio_error, result.p_value),
        *(item.expected, ""),
    )


def _untested(item: Conclusion, missing: Sequence[str]) -> tuple[object, ...]:
    nan = float("nan")
    galaxies = f"{item.galaxies} beside {item.against}" if item.against else item.galaxies
    return (
        *(item.name, item.statement, item.section, item.paper, "", NOT_TESTED, item.variant),
        *(item.reference or TARGET, item.metric, galaxies, 0, nan, nan, nan, nan, nan),
        *(item.expected, ", ".join(missing)),
    )
