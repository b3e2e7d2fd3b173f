"""Scatter and strict outliers against completeness under quality cuts (paper, Fig. 9)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from photoz.figures.inputs import in_order, require_columns, table_name
from photoz.figures.style import (
    COLUMN_WIDTH,
    DASHED,
    DOTTED,
    PAGE_WIDTH,
    SOLID,
    catalogue_title,
    figure,
    legend_above,
    paper_style,
    variant_style,
)
from photoz.files import InputError

COLUMNS = ("catalogue", "variant", "sort_by", "completeness", "sigma68", "strict_outliers")
CUT_LINES = {"odds": (SOLID, "ODDS cut"), "width": (DOTTED, "p(z) width cut")}
CUT_LINES["optimal"] = (DASHED, "Optimal cut")


@paper_style()
def draw(
    curves: pd.DataFrame,
    target: float = 0.0035,
    variants: Sequence[str] | None = None,
    catalogues: Sequence[str] | None = None,
    cuts: Sequence[str] = ("odds", "optimal"),
    target_on: Sequence[str] | None = None,
) -> Figure:
    """Draw the scatter (top) and strict outlier rate (bottom) of the best fraction of galaxies.

    One column of panels per catalogue, one colour per variant, one line style per cut.

    Parameters
    ----------
    curves : DataFrame
        Completeness curves: catalogue, variant, sort_by ("odds", "optimal", "width"),
        completeness (fraction kept), sigma68 and strict_outliers of (z_p - z_s)/(1 + z_s).
    target : float
        Horizontal line in the upper panels: the survey's target for the best half, in
        sigma68/(1+z). NaN draws none.
    variants, catalogues : sequence of str, optional
        What to draw, in this order; everything by default.
    cuts : sequence of str
        Values of sort_by to draw.
    target_on : sequence of str, optional
        Catalogues that the target is meant for; all by default.

    Raises
    ------
    InputError
        If a column, variant, catalogue or cut is missing, or no value is finite.
    """
    require_columns(curves, COLUMNS)
    cuts = in_order(curves["sort_by"], cuts, "quality cut")
    chosen = curves[curves["sort_by"].isin(cuts)]
    panels = in_order(chosen["catalogue"], catalogues, "catalogue")
    names = in_order(chosen["variant"], variants, "variant")
    chosen = chosen[chosen["catalogue"].isin(panels) & chosen["variant"].isin(names)]
    _check_finite(chosen, table_name(curves))
    columns = len(panels)
    width = COLUMN_WIDTH if columns == 1 else PAGE_WIDTH
    per_row = 2 if columns == 1 else 4
    new = figure(width, 4.3 + 0.17 * -(-(len(names) + len(cuts) + 1) // per_row))
    axes = new.subplots(2, columns, squeeze=False, sharex=True, sharey="row")
    for column, panel in enumerate(panels):
        rows = chosen[chosen["catalogue"] == panel]
        for name in names:
            for cut in cuts:
                curve = rows[(rows["variant"] == name) & (rows["sort_by"] == cut)]
                _draw_curve(axes[:, column], curve.sort_values("completeness"), name, cut)
        if np.isfinite(target) and (target_on is None or panel in target_on):
            axes[0, column].axhline(target, color="0.45", linewidth=0.8, zorder=0)
        if columns > 1:
            axes[0, column].set_title(catalogue_title(panel))
        axes[1, column].set_xlabel("Completeness [%]")
    axes[0, 0].set_ylabel(r"$\sigma_{68}\,/\,(1+z)$")
    axes[1, 0].set_ylabel(r"$|\Delta z|\,/\,(1+z) > 0.02$ [%]")
    axes[0, 0].set_xlim(0, 100)
    for ax in axes[:, 0]:
        ax.set_ylim(bottom=0)
    drawn = target_on is None or not set(panels).isdisjoint(target_on)
    _add_keys(axes[1, -1], names, cuts, target if drawn else np.nan)
    legend_above(new, axes.flat, columns=per_row)
    return new


def _check_finite(chosen: pd.DataFrame, name: str) -> None:
    for metric in ("sigma68", "strict_outliers"):
        if not np.isfinite(chosen[metric].to_numpy(dtype=float)).any():
            raise InputError(f"{name}: column '{metric}' has no finite value to draw")


def _draw_curve(axes: np.ndarray, curve: pd.DataFrame, name: str, cut: str) -> None:
    style = variant_style(name)
    line, _ = CUT_LINES.get(cut, (DOTTED, cut))
    kept = 100 * curve["completeness"].to_numpy(float)
    values = (curve["sigma68"].to_numpy(float), 100 * curve["strict_outliers"].to_numpy(float))
    for ax, value in zip(axes, values, strict=True):
        if np.isfinite(value).any():
            look = {**style.line(), "linestyle": line, "label": None}
            # A few markers: variants of one family share a colour.
            ax.plot(kept, value, markevery=max(1, len(kept) // 6), gid=f"{name}/{cut}", **look)


def _add_keys(ax: Axes, names: Sequence[str], cuts: Sequence[str], target: float) -> None:
    """Explain the colours, and the line styles, which mean the same for every colour."""
    for name in names:
        ax.add_line(Line2D([], [], **{**variant_style(name).line(), "linestyle": SOLID}))
    for cut in cuts:
        line, label = CUT_LINES.get(cut, (DOTTED, f"{cut} cut"))
        ax.add_line(Line2D([], [], color="0.2", linestyle=line, label=label))
    if np.isfinite(target):
        ax.add_line(Line2D([], [], color="0.45", linewidth=0.8, label=f"Target {target:g}"))
