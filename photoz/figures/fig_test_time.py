"""Quality cuts on what random coadds at test time tell (paper, section 6.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from photoz.figures.inputs import finite_values, in_order, require_columns
from photoz.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    ORANGE,
    RED,
    SOLID,
    LineStyle,
    catalogue_title,
    label_outer,
    legend_above,
    line_panels,
    paper_style,
)

COLUMNS = ("catalogue", "sort_by", "completeness", "sigma68", "sigma68_error")
LOOKS: dict[str, tuple[str, str, LineStyle]] = {
    "odds": ("ODDS", BLUE, SOLID),
    "augmented_odds": ("ODDS of the mean p(z) of random coadds", GREEN, DASHED),
    "high_variation": ("High variation kept", RED, (0, (4, 1.4, 1, 1.4))),
    "low_variation": ("Low variation kept", ORANGE, DOTTED),
}
"""Label, colour and line by quality cut."""


@paper_style()
def draw(curves: pd.DataFrame) -> Figure:
    """Draw the scatter of the galaxies that a cut keeps, one panel per catalogue.

    Parameters
    ----------
    curves : DataFrame
        As `photoz.metrics.random_coadds.random_coadd_curves` returns, with a column catalogue.

    Raises
    ------
    InputError
        If a column is missing or no value is finite.
    """
    require_columns(curves, COLUMNS)
    finite_values(curves["sigma68"], "sigma68")
    panels = in_order(curves["catalogue"], None, "catalogue")
    cuts = [name for name in LOOKS if name in set(curves["sort_by"])]
    new, axes, per_row = line_panels(len(panels), len(cuts))
    used = label_outer(axes, len(panels), "Completeness [%]", r"$\sigma_{68}\,/\,(1+z)$")
    for ax, panel in zip(used, panels, strict=True):
        for name in cuts:
            label, color, line = LOOKS[name]
            rows = curves[(curves["catalogue"] == panel) & (curves["sort_by"] == name)]
            rows = rows.sort_values("completeness")
            kept, value = 100 * rows["completeness"], rows["sigma68"].to_numpy(float)
            error = np.nan_to_num(rows["sigma68_error"].to_numpy(float))
            ax.fill_between(
                kept, value - error, value + error, color=color, alpha=0.15, linewidth=0
            )
            ax.plot(kept, value, color=color, linestyle=line, label=label, gid=name)
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    used[0].set_xlim(0, 100)
    used[0].set_ylim(bottom=0)
    legend_above(new, used, per_row)
    return new
