"""Scatter against the probability that an exposure enters a random coadd (paper, Fig. 6)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photoz.figures.inputs import finite_values, in_order, require_columns
from photoz.figures.style import (
    BLACK,
    BLUE,
    COLUMN_WIDTH,
    DASHED,
    PAGE_WIDTH,
    SOLID,
    LineStyle,
    catalogue_title,
    figure,
    label_outer,
    legend_above,
    panel_grid,
    paper_style,
)

COLUMNS = ("catalogue", "empty_bands", "alpha", "networks", "sigma68", "sigma68_error")
LINES: dict[str, tuple[LineStyle, str]] = {
    "keep_one": (SOLID, "one exposure kept"),
    "drop_galaxy": (DASHED, "galaxy dropped"),
}


@paper_style()
def draw(table: pd.DataFrame) -> Figure:
    """Draw one panel per catalogue: colours by the number of networks, lines by empty bands.

    Parameters
    ----------
    table : DataFrame
        As `photoz.metrics.alpha_scan.alpha_table` returns.

    Raises
    ------
    InputError
        If a column is missing or no value is finite.
    """
    require_columns(table, COLUMNS)
    finite_values(table["sigma68"], "sigma68")
    panels = in_order(table["catalogue"], None, "catalogue")
    rows, columns = panel_grid(len(panels))
    new = figure(COLUMN_WIDTH if columns == 1 else PAGE_WIDTH, 0.9 + 2.4 * rows)
    axes = new.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    used = label_outer(
        axes, len(panels), r"Probability of an exposure $\alpha$", r"$\sigma_{68}\,/\,(1+z)$"
    )
    for ax, panel in zip(used, panels, strict=True):
        _draw_panel(ax, table[table["catalogue"] == panel])
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    legend_above(new, used, 1 if columns == 1 else 2)
    return new


def _draw_panel(ax: Axes, rows: pd.DataFrame) -> None:
    lines = rows.assign(single=rows["networks"] == 1).groupby(["single", "empty_bands"], sort=False)
    for (single, way), points in lines:
        color, marker = (BLUE, "o") if single else (BLACK, "s")
        line, meaning = LINES[str(way)]
        networks = "One network" if single else f"{points['networks'].max()} networks"
        points = points.sort_values("alpha")
        ax.errorbar(
            points["alpha"],
            points["sigma68"],
            yerr=points["sigma68_error"].fillna(0.0),
            color=color,
            linestyle=line,
            marker=marker,
            markerfacecolor=color if line == SOLID else "white",
            elinewidth=0.8,
            label=f"{networks}, {meaning}",
        )
