"""Scatter against the number of networks whose p(z) are averaged (paper, section 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from photoz.figures.inputs import finite_values, in_order, require_columns
from photoz.figures.style import (
    catalogue_title,
    label_outer,
    legend_above,
    line_panels,
    paper_style,
    variant_style,
)

COLUMNS = ("catalogue", "variant", "networks", "sigma68", "sigma68_error")


@paper_style()
def draw(table: pd.DataFrame, variants: Sequence[str] | None = None) -> Figure:
    """Draw the scatter of ensembles by their size, one panel per catalogue, one line per variant.

    Parameters
    ----------
    table : DataFrame
        catalogue, variant and the columns of `photoz.metrics.members.member_metrics`.
    variants : sequence of str, optional
        What to draw, in this order; everything by default.

    Raises
    ------
    InputError
        If a column or variant is missing, or no value is finite.
    """
    require_columns(table, COLUMNS)
    finite_values(table["sigma68"], "sigma68")
    names = in_order(table["variant"], variants, "variant")
    panels = in_order(table["catalogue"], None, "catalogue")
    new, axes, per_row = line_panels(len(panels), len(names))
    used = label_outer(axes, len(panels), "Networks averaged", r"$\sigma_{68}\,/\,(1+z)$")
    for ax, panel in zip(used, panels, strict=True):
        for name in names:
            rows = table[(table["catalogue"] == panel) & (table["variant"] == name)]
            rows = rows.sort_values("networks")
            if len(rows) and np.isfinite(rows["sigma68"]).any():
                ax.errorbar(
                    rows["networks"],
                    rows["sigma68"],
                    yerr=rows["sigma68_error"].fillna(0.0),
                    elinewidth=0.8,
                    **variant_style(name).line(),
                )
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.xaxis.set_minor_locator(NullLocator())
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    used[0].set_xlim(0.5, float(table["networks"].max()) + 0.5)
    legend_above(new, used, per_row)
    return new
