"""Scatter against the number of galaxies that networks are trained on (paper, section 7)."""

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

COLUMNS = ("catalogue", "variant", "bin_by", "n", "n_invalid", "metric", "value", "error")
XLABEL = "Galaxies with a redshift to train on"
YLABEL = r"$\sigma_{68}\,/\,(1+z)$"


@paper_style()
def draw(
    metrics: pd.DataFrame,
    sizes: Sequence[tuple[str, str, float]],
    n_folds: int = 5,
    metric: str = "sigma68",
) -> Figure:
    """Draw the scatter of all galaxies, one panel per catalogue, one line per family of variants.

    Parameters
    ----------
    metrics : DataFrame
        As `photoz.metrics.binned_metrics` gives it, with the columns catalogue and variant. Rows of
        other variants are left out.
    sizes : sequence of (family, variant, fraction)
        Variants that differ only in the part of the training galaxies that they use, as
        `photoz.figure_stages.training_sizes` finds them; a family is drawn as the variant of its
        name.
    n_folds : int
        Folds of a split: a network is trained on all but one.
    metric : str

    Raises
    ------
    InputError
        If a column or metric is missing, no variant of `sizes` is there, or no value is finite.
    """
    require_columns(metrics, COLUMNS)
    chosen = metrics[(metrics["bin_by"] == "all") & (metrics["metric"] == metric)]
    family = {variant: name for name, variant, _ in sizes}
    fraction = {variant: part for _, variant, part in sizes}
    chosen = chosen[chosen["variant"].isin(list(family))]
    if not np.isfinite(chosen["value"].to_numpy(dtype=float)).any():
        raise InputError(
            f"{table_name(metrics)}: no finite value of metric '{metric}' of variants that differ "
            "in their training_fraction"
        )
    known = chosen["n"] + chosen["n_invalid"]
    trained = known * chosen["variant"].map(fraction) * (1 - 1 / n_folds)
    chosen = chosen.assign(family=chosen["variant"].map(family), trained=trained)
    panels = in_order(chosen["catalogue"], None, "catalogue")
    names = list(dict.fromkeys(name for name, _, _ in sizes))
    new, axes, legend_columns = line_panels(len(panels), len(names))
    for ax, panel in zip(axes.flat, panels, strict=False):
        here = chosen[chosen["catalogue"] == panel]
        for name in names:
            _draw_line(ax, here[here["family"] == name].sort_values("trained"), name)
        if len(panels) > 1:
            ax.set_title(catalogue_title(panel))
    used = label_outer(axes, len(panels), XLABEL, YLABEL)
    first = axes.flat[0]
    first.set_xscale("log")
    first.set_xlim(trained.min() / 1.25, trained.max() * 1.25)
    plain_log_ticks(first.xaxis, decades=1)
    ratio_scale(first, chosen["value"].to_numpy(float))
    legend_above(new, used, legend_columns)
    return new


def _draw_line(ax: Axes, line: pd.DataFrame, name: str) -> None:
    value, error = line["value"].to_numpy(float), line["error"].to_numpy(float)
    if not np.isfinite(value).any():
        return
    ax.errorbar(
        line["trained"].to_numpy(float),
        value,
        yerr=np.where(np.isfinite(error), error, 0.0),
        elinewidth=0.8,
        **variant_style(name).line(),
    )
