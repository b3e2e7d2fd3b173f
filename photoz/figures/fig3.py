"""Photo-z scatter against the number of galaxies at nearly the same redshift (paper, Fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photoz.figures.inputs import in_order, require_columns, table_name
from photoz.figures.style import (
    catalogue_title,
    label_outer,
    legend_above,
    line_panels,
    paper_style,
    plain_log_ticks,
    ratio_scale,
    variant_style,
)
from photoz.files import InputError

COLUMNS = (
    "catalogue",
    "variant",
    "count_low",
    "count_high",
    "galaxies",
    "metric",
    "value",
    "error",
)
XLABEL = r"Galaxies in $\Delta z = 0.001$"
YLABEL = r"$\sigma_{68}\,/\,(1+z)$"


@paper_style()
def draw(
    table: pd.DataFrame,
    variants: Sequence[str] | None = None,
    catalogues: Sequence[str] | None = None,
    metric: str = "sigma68",
) -> Figure:
    """Draw the scatter by classes of counts, one panel per catalogue, one line per variant.

    The shaded histogram is the number of galaxies per unit of the horizontal axis, on a linear
    scale of its own.

    Parameters
    ----------
    table : DataFrame
        As `photoz.metrics.crowding.crowding_metrics` returns, with a column catalogue: classes
        [count_low, count_high) of the number of galaxies in a redshift bin, galaxies in the class,
        metric, value, error.
    variants, catalogues : sequence of str, optional
        What to draw, in this order; everything by default.
    metric : str

    Raises
    ------
    InputError
        If a column, the metric, a variant or a catalogue is missing, or no value is finite.
    """
    require_columns(table, COLUMNS)
    chosen = table[table["metric"] == metric]
    if not np.isfinite(chosen["value"].to_numpy(dtype=float)).any():
        raise InputError(f"{table_name(table)}: no finite value of metric '{metric}'")
    names = in_order(chosen["variant"], variants, "variant")
    chosen = chosen[chosen["variant"].isin(names)]
    panels = in_order(chosen["catalogue"], catalogues, "catalogue")
    chosen = chosen[chosen["catalogue"].isin(panels)]

    new, axes, legend_columns = line_panels(len(panels), len(names))
    for ax, panel in zip(axes.flat, panels, strict=False):
        here = chosen[chosen["catalogue"] == panel]
        for index, name in enumerate(names):
            shift = 0.3 * ((index + 0.5) / len(names) - 0.5)
            _draw_line(ax, here[here["variant"] == name].sort_values("count_low"), name, shift)
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    used = label_outer(axes, len(panels), XLABEL, YLABEL)
    _set_scales(axes.flat[0], chosen)
    for ax, panel in zip(used, panels, strict=True):
        here = chosen[chosen["catalogue"] == panel]
        _draw_histogram(ax, here.drop_duplicates("count_low").sort_values("count_low"))
    legend_above(new, used, legend_columns)
    return new


def _draw_line(ax: Axes, line: pd.DataFrame, name: str, shift: float) -> None:
    """Draw the classes of one variant; `shift` is in widths of a class, in the logarithm."""
    value, error = line["value"].to_numpy(float), line["error"].to_numpy(float)
    if not np.isfinite(value).any():
        return
    low, high = _edges(line)
    centre = np.exp((0.5 + shift) * np.log(high / low) + np.log(low))
    ax.errorbar(
        centre,
        value,
        yerr=np.where(np.isfinite(error), error, 0.0),
        elinewidth=0.8,
        **variant_style(name).line(),
    )


def _draw_histogram(ax: Axes, classes: pd.DataFrame) -> None:
    """Shade the number of galaxies per count, behind the lines, up to a third of the height."""
    low, high = _edges(classes)
    number = classes["galaxies"].to_numpy(float) / (high - low)
    behind = ax.twinx()
    behind.stairs(number, np.append(low, high[-1]), fill=True, color="0.85", gid="histogram")
    behind.set_ylim(0, 2.5 * number.max())
    behind.set_yticks([])
    behind.set_yticks([], minor=True)
    # The lines' axes come in front, and let the shade be seen.
    ax.set_zorder(behind.get_zorder() + 1)
    ax.patch.set_visible(False)


def _edges(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the classes on the axis: half a galaxy below the first whole number, and so on."""
    return rows["count_low"].to_numpy(float) - 0.5, rows["count_high"].to_numpy(float) - 0.5


def _set_scales(ax: Axes, chosen: pd.DataFrame) -> None:
    """Counts span two decades, and have the ticks of a shorter axis."""
    low, high = _edges(chosen)
    ax.set_xscale("log")
    ax.set_xlim(low.min(), high.max())
    plain_log_ticks(ax.xaxis, decades=1)
    ratio_scale(ax, chosen["value"].to_numpy(float))
