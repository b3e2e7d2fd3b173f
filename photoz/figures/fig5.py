"""Errors of denoised fluxes and how they are correlated (paper, Fig. 5)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from photoz.figures.inputs import finite_values, require_columns
from photoz.figures.style import (
    COLUMN_WIDTH,
    DASHED,
    SEQUENCE,
    SOLID,
    figure,
    legend_above,
    paper_style,
)
from photoz.files import InputError

COLUMNS = ("noise", "band", "kind", "wavelength", "ratio", "ratio_no_lines")
FEW_BANDS = 12
"""Up to so many bands are named one by one."""


@paper_style()
def draw(table: pd.DataFrame, correlation: pd.DataFrame) -> Figure:
    """Draw the ratio of denoised to input error per band, and the correlation matrix.

    Narrow bands only, as in the paper, where the survey has some; else all bands.

    Parameters
    ----------
    table : DataFrame
        Columns noise, band, kind, wavelength (A), ratio and ratio_no_lines: the same bands for
        every noise, in order of first appearance.
    correlation : DataFrame
        Columns noise, band and one per band: correlation coefficients of the denoised errors. The
        matrix of the first noise of `table` is drawn; its diagonal, 1, is beyond the colour scale.

    Raises
    ------
    InputError
        If a column or a band is missing, or no ratio is finite.
    """
    require_columns(table, COLUMNS)
    require_columns(correlation, ("noise", "band"))
    narrow = table[table["kind"] == "narrow"]
    shown = (narrow if len(narrow) else table).sort_values("wavelength", kind="stable")
    finite_values(shown["ratio"], "denoised over input error")
    noises = list(dict.fromkeys(table["noise"]))
    first = shown[shown["noise"] == noises[0]]
    matrix = _matrix(correlation, noises[0], [str(name) for name in first["band"]])

    new = figure(COLUMN_WIDTH, 5.3)
    upper, lower = new.subplots(2, 1, gridspec_kw={"height_ratios": (1, 1.5)})
    _draw_ratios(upper, shown, noises)
    _draw_matrix(new, lower, matrix, first)
    legend_above(new, [upper], 2)
    return new


def _matrix(correlation: pd.DataFrame, noise: str, names: list[str]) -> NDArray[np.float64]:
    rows = correlation[correlation["noise"] == noise].set_index("band")
    missing = [name for name in names if name not in rows.index or name not in rows.columns]
    if missing:
        raise InputError(f"correlation of '{noise}': no band {missing[0]}; make it again")
    return rows.loc[names, names].to_numpy(dtype=float)


def _draw_ratios(ax: Axes, shown: pd.DataFrame, noises: list[str]) -> None:
    few = shown["band"].nunique() <= FEW_BANDS
    for noise, color in zip(noises, SEQUENCE * len(noises), strict=False):
        rows = shown[shown["noise"] == noise]
        place = np.arange(len(rows)) if few else rows["wavelength"]
        marker = "o" if few else ""
        ax.plot(place, rows["ratio"], color=color, marker=marker, label=noise, gid=noise)
        if rows["ratio_no_lines"].notna().any():
            ax.plot(place, rows["ratio_no_lines"], color=color, linestyle=DASHED, marker=marker)
    ax.axhline(1, color="0.5", linewidth=0.7)
    # Two more entries of the legend.
    ax.add_line(Line2D([], [], color="0.3", linestyle=SOLID, label="All bands"))
    ax.add_line(Line2D([], [], color="0.3", linestyle=DASHED, label="No emission line"))
    top = max(1.05, 1.05 * float(np.nanmax(shown["ratio"])))
    ax.set_ylim(0, top)
    ax.set_ylabel(r"$\sigma_{68}\,[(f - f_{\rm True})\,/\,\sigma]$")
    if few:
        names = list(dict.fromkeys(shown["band"]))
        ax.set_xticks(np.arange(len(names)), names)
        ax.tick_params(axis="x", which="minor", bottom=False, top=False)
        ax.set_xlabel("Band")
    else:
        edges = _edges(shown["wavelength"].unique())
        ax.set_xlim(edges[0], edges[-1])
        ax.set_xlabel(r"Wavelength [$\rm\AA$]")


def _draw_matrix(new: Figure, ax: Axes, matrix: NDArray[np.float64], rows: pd.DataFrame) -> None:
    few = len(rows) <= FEW_BANDS
    edges = np.arange(len(rows) + 1) - 0.5 if few else _edges(rows["wavelength"].to_numpy())
    limit = _colour_limit(matrix)
    norm = Normalize(-limit, limit)
    mesh = ax.pcolormesh(edges, edges, matrix, cmap="RdBu_r", norm=norm, rasterized=True)
    ax.set_aspect("equal")
    if few:
        for axis in ("x", "y"):
            ax.tick_params(axis=axis, which="both", length=0)
            getattr(ax, f"set_{axis}ticks")(np.arange(len(rows)), list(rows["band"]))
            getattr(ax, f"set_{axis}ticks")([], minor=True)
        for i, j in np.ndindex(matrix.shape):
            dark = abs(matrix[i, j]) > 0.6 * limit
            ax.text(
                j, i, f"{matrix[i, j]:.2f}".replace("-", "\N{MINUS SIGN}"),
                ha="center", va="center", fontsize=7, color="white" if dark else "black",
            )  # fmt: skip
    else:
        ax.set_xlabel(r"Wavelength [$\rm\AA$]")
        ax.set_ylabel(r"Wavelength [$\rm\AA$]")
    bar = new.colorbar(mesh, ax=ax, fraction=0.046, pad=0.03, extend="max")
    bar.set_label("Correlation of the denoised errors")


def _colour_limit(matrix: NDArray[np.float64]) -> float:
    """End of the colour scale: the largest coefficients off the diagonal, in steps of 0.1."""
    beside = np.abs(matrix[~np.eye(len(matrix), dtype=bool)])
    largest = float(np.nanpercentile(beside, 99.5)) if beside.size else 1.0
    return min(1.0, max(0.1, float(np.ceil(10 * largest) / 10)))


def _edges(centres: NDArray[np.floating]) -> NDArray[np.float64]:
    """Edges of cells around ascending centres, half-way between neighbours."""
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
