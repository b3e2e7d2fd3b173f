"""Photo-z scatter against magnitude, one line per variant (paper, Fig. 2)."""

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
    magnitude_label,
    paper_style,
    ratio_scale,
    variant_style,
)
from photoz.files import InputError

COLUMNS = ("catalogue", "variant", "bin_by", "bin_low", "bin_high", "metric", "value", "error")

METRIC_LABELS = {
    "sigma68": r"$\sigma_{68}\,/\,(1+z)$",
    "nmad": r"NMAD of $\Delta z\,/\,(1+z)$",
    "bias": r"Median $\Delta z\,/\,(1+z)$",
    "strict_outliers": r"Fraction with $|\Delta z|\,/\,(1+z) > 0.02$",
    "outliers": r"Fraction with $|\Delta z|\,/\,(1+z) > 0.15$",
}
BIN_LABELS = {"redshift": "Spectroscopic redshift"}


@paper_style()
def draw(
    metrics: pd.DataFrame,
    metric: str = "sigma68",
    bin_by: str = "mag_i",
    variants: Sequence[str] | None = None,
    catalogues: Sequence[str] | None = None,
    reference_band: str = "i",
) -> Figure:
    """Draw one metric in differential bins, one panel per catalogue, one line per variant.

    Variants are set side by side inside a bin, by a few per cent of its width, so that their
    bootstrap error bars can be told apart.

    Parameters
    ----------
    metrics : DataFrame
        Tidy metrics: catalogue, variant, bin_by, bin_low, bin_high, metric, value, error
        (magnitudes or redshifts; metrics of (z_p - z_s)/(1 + z_s) are dimensionless).
    metric : str
        The metric to draw. Only a metric that is positive everywhere gets a logarithmic axis.
    bin_by : {"mag_i", "redshift"}
        The quantity on the horizontal axis.
    variants, catalogues : sequence of str, optional
        What to draw, in this order; everything by default.
    reference_band : str
        The band of the magnitudes, for their label.

    Raises
    ------
    InputError
        If a column, the metric, a variant or a catalogue is missing, or all values are NaN.
    """
    require_columns(metrics, COLUMNS)
    chosen = metrics[(metrics["metric"] == metric) & (metrics["bin_by"] == bin_by)]
    if not np.isfinite(chosen["value"].to_numpy(dtype=float)).any():
        raise InputError(
            f"{table_name(metrics)}: no finite value of metric '{metric}' binned by '{bin_by}'"
        )
    panels = in_order(chosen["catalogue"], catalogues, "catalogue")
    names = in_order(chosen["variant"], variants, "variant")

    new, axes, legend_columns = line_panels(len(panels), len(names))
    for ax, panel in zip(axes.flat, panels, strict=False):
        rows_of_panel = chosen[chosen["catalogue"] == panel]
        for index, name in enumerate(names):
            line = rows_of_panel[rows_of_panel["variant"] == name].sort_values("bin_low")
            shift = 0.35 * ((index + 0.5) / len(names) - 0.5)
            draw_bins(ax, line, name, shift)
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    labels = BIN_LABELS | {"mag_i": magnitude_label(reference_band)}
    xlabel, ylabel = labels.get(bin_by, bin_by), METRIC_LABELS.get(metric, metric)
    used = label_outer(axes, len(panels), xlabel, ylabel)
    ratio_scale(axes.flat[0], chosen.loc[chosen["variant"].isin(names), "value"].to_numpy(float))
    legend_above(new, used, legend_columns)
    return new


def draw_bins(ax: Axes, line: pd.DataFrame, name: str, shift: float) -> None:
    """Draw the bins of one variant; `shift` is in bin widths."""
    low, high = line["bin_low"].to_numpy(float), line["bin_high"].to_numpy(float)
    value, error = line["value"].to_numpy(float), line["error"].to_numpy(float)
    keep = np.isfinite(low) & np.isfinite(high)  # an open-ended bin has no place on the axis
    if not (keep & np.isfinite(value)).any():
        return
    centre = (0.5 + shift) * (high - low) + low
    ax.errorbar(
        centre[keep],
        value[keep],
        yerr=np.where(np.isfinite(error), error, 0.0)[keep],
        elinewidth=0.8,
        **variant_style(name).line(),
    )
