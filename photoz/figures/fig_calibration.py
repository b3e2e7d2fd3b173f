"""Calibration of p(z) by magnitude: PIT, coverage and CRPS (beyond the paper's Fig. 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from photoz.figures.fig2 import draw_bins
from photoz.figures.inputs import in_order, require_columns, table_name
from photoz.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    ORANGE,
    PAGE_WIDTH,
    SOLID,
    catalogue_title,
    figure,
    legend_above,
    magnitude_label,
    paper_style,
    ratio_scale,
)
from photoz.files import InputError
from photoz.metrics.calibration import coverage, pit_histogram

COLUMNS = ("pit", "mag_i")
METRIC_COLUMNS = (
    "catalogue",
    "variant",
    "bin_by",
    "bin_low",
    "bin_high",
    "metric",
    "value",
    "error",
)
LEVELS = np.linspace(0.02, 0.98, 49)
LOOKS = ((BLUE, SOLID), (GREEN, DASHED), (ORANGE, DOTTED))


@paper_style()
def draw(
    tables: Mapping[str, pd.DataFrame],
    metrics: pd.DataFrame,
    variants: Sequence[str] | None = None,
    reference_band: str = "i",
) -> Figure:
    """Draw three panels for every catalogue.

    The PIT of three groups of equally many galaxies, from bright to faint; the fraction of these
    galaxies inside the central interval of p(z) of some probability, minus that probability, with
    the binomial scatter of perfect densities; and the mean CRPS of every variant by magnitude.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By catalogue: `pit` and `mag_i` of one variant. Galaxies with a NaN are left out.
    metrics : DataFrame
        Tidy metrics with `crps` binned by `mag_i`.
    variants : sequence of str, optional
        Variants whose CRPS is drawn, in this order; all by default.
    reference_band : str
        The band of the magnitudes, for their label.

    Raises
    ------
    InputError
        If there is no catalogue, a column or variant is missing, or fewer than three galaxies have
        a PIT.
    """
    if not tables:
        raise InputError("calibration figure: no catalogue given, so there is nothing to draw")
    require_columns(metrics, METRIC_COLUMNS)
    scores = metrics[(metrics["metric"] == "crps") & (metrics["bin_by"] == "mag_i")]
    names = in_order(scores["variant"], variants, "variant")
    scores = scores[scores["variant"].isin(names) & scores["catalogue"].isin(list(tables))]
    new = figure(PAGE_WIDTH, 0.45 + 0.17 * -(-len(names) // 4) + 2.25 * len(tables))
    axes = new.subplots(len(tables), 3, squeeze=False, sharex="col", sharey="col")
    for row, (name, table) in zip(axes, tables.items(), strict=True):
        require_columns(table, COLUMNS)
        groups = magnitude_groups(table)
        if not groups:
            raise InputError(f"{table_name(table)}: fewer than three galaxies have a PIT")
        _draw_pit(row[0], groups)
        _draw_coverage(row[1], groups)
        here = scores[scores["catalogue"] == name]
        for index, variant in enumerate(names):
            line = here[here["variant"] == variant].sort_values("bin_low")
            draw_bins(row[2], line, variant, 0.35 * ((index + 0.5) / len(names) - 0.5))
        row[0].set_title(catalogue_title(name), loc="left")
        row[0].set_ylabel("Galaxies / uniform")
        row[1].set_ylabel("Inside - expected")
        row[2].set_ylabel("Mean CRPS")
    for ax, label in zip(axes[-1], ("PIT", "Central probability", None), strict=True):
        ax.set_xlabel(label or magnitude_label(reference_band))
    axes[0, 0].set_xlim(0, 1)
    axes[0, 0].set_ylim(0, max(1.6, 1.05 * axes[0, 0].dataLim.ymax))
    ratio_scale(axes[0, 2], scores["value"].to_numpy(float))
    legend_above(new, axes[:, 2], 4)
    return new


def magnitude_groups(table: pd.DataFrame, n: int = 3) -> dict[str, NDArray[np.float64]]:
    """PIT of groups of equally many galaxies, by the magnitudes between which they lie."""
    known = table[np.isfinite(table["pit"]) & np.isfinite(table["mag_i"])]
    if len(known) < n:
        return {}
    mag, pit = known["mag_i"].to_numpy(float), known["pit"].to_numpy(float)
    parts = np.array_split(np.argsort(mag, kind="stable"), n)
    edges = [mag[part[0]] for part in parts] + [mag[parts[-1][-1]]]
    return {
        f"{low:.1f} - {high:.1f}": pit[part]
        for low, high, part in zip(edges[:-1], edges[1:], parts, strict=True)
    }


def _draw_pit(ax: Axes, groups: Mapping[str, NDArray[np.float64]]) -> None:
    ax.axhline(1, color="0.6", linewidth=0.7)
    for (label, pit), (color, line) in zip(groups.items(), LOOKS, strict=True):
        edges, density, _ = pit_histogram(pit)
        ax.stairs(density, edges, label=label, color=color, linestyle=line, linewidth=1.3)
    ax.legend(loc="lower center", title="Magnitude", borderaxespad=0.3)


def _draw_coverage(ax: Axes, groups: Mapping[str, NDArray[np.float64]]) -> None:
    least = min(len(pit) for pit in groups.values())
    scatter = np.sqrt(LEVELS * (1 - LEVELS) / least)
    ax.fill_between(LEVELS, -scatter, scatter, color="0.88", linewidth=0, gid="expected")
    ax.axhline(0, color="0.6", linewidth=0.7)
    for (label, pit), (color, line) in zip(groups.items(), LOOKS, strict=True):
        inside, _ = coverage(pit, LEVELS)
        ax.plot(LEVELS, inside - LEVELS, color=color, linestyle=line, gid=label)
