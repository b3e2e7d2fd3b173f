"""sigma68 against the time of fine-tuning, one point per schedule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photoz.figures.inputs import in_order, require_columns
from photoz.figures.style import (
    SEQUENCE,
    catalogue_title,
    label_outer,
    legend_above,
    line_panels,
    paper_style,
    plain_log_ticks,
)

COLUMNS = ("name", "catalogue", "seconds", "sigma68")
MARKERS = "os^DvP"


@paper_style()
def draw(trained: pd.DataFrame, catalogues: Sequence[str] | None = None) -> Figure:
    """Draw the mean of every schedule with its error over seeds, one panel per catalogue.

    Parameters
    ----------
    trained : DataFrame
        One row per training: name of the schedule, catalogue, seconds, sigma68 of galaxies that
        were not trained on.
    catalogues : sequence of str, optional
        What to draw, in this order; everything by default.

    Raises
    ------
    InputError
        If a column or a catalogue is missing.
    """
    require_columns(trained, COLUMNS)
    panels = in_order(trained["catalogue"], catalogues, "catalogue")
    names = list(dict.fromkeys(trained["name"]))
    new, axes, legend_columns = line_panels(len(panels), len(names), share_y=False)
    for ax, panel in zip(axes.flat, panels, strict=False):
        for index, name in enumerate(names):
            here = trained[(trained["catalogue"] == panel) & (trained["name"] == name)]
            _draw_point(ax, here, name, SEQUENCE[index], MARKERS[index])
        ax.margins(y=0.3)  # what schedules differ by is small
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    seconds = trained["seconds"].to_numpy(float)
    axes.flat[0].set_xscale("log")
    axes.flat[0].set_xlim(seconds.min() / 1.5, seconds.max() * 1.5)
    plain_log_ticks(axes.flat[0].xaxis, np.log10(seconds.max() / seconds.min()))
    used = label_outer(
        axes, len(panels), "Processor time of five networks [s]", r"$\sigma_{68}\,/\,(1+z)$"
    )
    legend_above(new, used, legend_columns)
    return new


def _draw_point(ax: Axes, rows: pd.DataFrame, name: str, color: str, marker: str) -> None:
    """One schedule; a single training has no error."""
    if rows.empty:
        return
    error = rows["sigma68"].std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else 0.0
    ax.errorbar(
        rows["seconds"].mean(),
        rows["sigma68"].mean(),
        yerr=error,
        color=color,
        marker=marker,
        linestyle="none",
        label=name,
    )
