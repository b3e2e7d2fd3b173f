"""Strict outliers against flux added to one band of ellipticals (paper, Fig. B1)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from photoz.figures.inputs import finite_values, in_order, require_columns
from photoz.figures.style import (
    BLUE,
    COLUMN_WIDTH,
    DASHED,
    DOTTED,
    ORANGE,
    PURPLE,
    RED,
    SOLID,
    LineStyle,
    figure,
    legend_above,
    paper_style,
)

COLUMNS = ("method", "band", "added", "strict_outliers", "strict_outliers_error")
LOOKS: dict[str, tuple[str, LineStyle, str]] = {
    "Template fit": (RED, DASHED, "X"),
    "Network": (ORANGE, DOTTED, "^"),
    "Network trained with outliers": (BLUE, SOLID, "o"),
}


@paper_style()
def draw(table: pd.DataFrame) -> Figure:
    """Draw the fraction of strict outliers by method.

    Parameters
    ----------
    table : DataFrame
        As `photoz.metrics.outlier_test.outlier_test` returns: method, band, added (share of the
        band's flux), strict_outliers and its error.

    Raises
    ------
    InputError
        If a column is missing or no fraction is finite.
    """
    require_columns(table, COLUMNS)
    finite_values(table["strict_outliers"], "strict outliers")
    new = figure(COLUMN_WIDTH, 3.0)
    ax = new.subplots()
    for method in in_order(table["method"], None, "method"):
        color, line, marker = LOOKS.get(method, (PURPLE, DASHED, "h"))
        rows = table[table["method"] == method].sort_values("added")
        error = 100 * rows["strict_outliers_error"].to_numpy(float)
        ax.errorbar(
            100 * rows["added"],
            100 * rows["strict_outliers"],
            yerr=np.where(np.isfinite(error), error, 0.0),
            color=color,
            linestyle=line,
            marker=marker,
            elinewidth=0.8,
            label=method,
        )
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(f"Flux added in {table['band'].iloc[0]} [%]")
    ax.set_ylabel(r"$|\Delta z|\,/\,(1+z) > 0.02$ [%]")
    legend_above(new, [ax], 2)
    return new
