"""Scatter of redshifts between orders of the same exposures (paper, Fig. F1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from photoz.figures.inputs import finite_values, require_columns
from photoz.figures.style import (
    BLUE,
    COLUMN_WIDTH,
    DASHED,
    GREEN,
    ORANGE,
    SOLID,
    LineStyle,
    figure,
    legend_above,
    paper_style,
)
from photoz.files import InputError
from photoz.metrics.point import sigma68

LOOKS: dict[str, tuple[str, str, LineStyle]] = {
    "fixed": ("No augmentation", ORANGE, (0, (1, 1.3))),
    "same": ("Same shuffle", GREEN, DASHED),
    "independent": ("Independent shuffle", BLUE, SOLID),
}
"""Label, colour and line by `finetuning.individual_exposures`."""
BINS = 40


@paper_style()
def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw how many galaxies have which scatter, and the sigma68 of one order as a vertical line.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By the order in training (`fixed`, `same`, `independent`), the columns of
        `photoz.metrics.exposure_orders.order_scatter`.

    Raises
    ------
    InputError
        If there is no table, a column is missing or no value is finite.
    """
    if not tables:
        raise InputError(
            "no variant with finetuning.individual_exposures, so there is nothing to draw; "
            "config/augmentation.yaml has some"
        )
    for table in tables.values():
        require_columns(table, ("dz", "order_scatter"))
    scatter = {name: table["order_scatter"].to_numpy(float) for name, table in tables.items()}
    everything = finite_values(np.concatenate(list(scatter.values())), "scatter between orders")
    positive = everything[everything > 0]
    if positive.size == 0:
        raise InputError("scatter between orders: none of it is above 0, nothing to draw")
    low, high = np.log10(np.percentile(positive, [0.5, 99.5]))
    edges = np.logspace(low - 0.1, high + 0.1, BINS + 1)
    new = figure(COLUMN_WIDTH, 3.0)
    ax = new.subplots()
    for name in sorted(tables, key=list(LOOKS).index):
        label, color, line = LOOKS[name]
        values = scatter[name][np.isfinite(scatter[name])]
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        share = counts / max(len(values), 1) / np.diff(np.log10(edges))
        ax.stairs(share, edges, color=color, linestyle=line, linewidth=1.4, label=label)
        ax.axvline(sigma68(tables[name]["dz"]), color=color, linestyle=line, linewidth=0.9)
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.set_xlabel(r"$\sigma_{68}\,/\,(1+z)$ between orders of the exposures")
    ax.set_ylabel("Share of galaxies per dex")
    ax.plot([], [], color="0.3", linewidth=0.9, label="Error of one order")
    legend_above(new, [ax], 2)
    return new
