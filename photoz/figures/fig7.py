"""p(z) of one galaxy with each of its exposures left out in turn (paper, Fig. 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from photoz.figures.inputs import require_columns
from photoz.figures.style import (
    COLUMN_WIDTH,
    GREY,
    RED,
    SKY,
    figure,
    legend_above,
    paper_style,
)
from photoz.files import InputError
from photoz.pdf.grid import PDF

POINTS = 1500


@paper_style()
def draw(pdf: PDF, columns: Mapping[str, NDArray[Any]], moves: pd.DataFrame) -> Figure:
    """Draw the density of all exposures, and thin ones that lack an exposure each.

    Parameters
    ----------
    pdf : PDF
        1 + m densities of one galaxy: that of all exposures first.
    columns : mapping of name to (1 + m,) array
        z_spec and z_mode.
    moves : DataFrame
        As `photoz.training.leave_one_out.leave_one_out_moves` returns: how far other galaxies
        move.

    Raises
    ------
    InputError
        If no exposure was left out, or there is no p(z).
    """
    require_columns(moves, ("move",))
    if len(pdf) < 2 or not np.isfinite(columns["z_mode"]).any():
        raise InputError("leave_one_out: no p(z) without one of the exposures; nothing to draw")
    z = _grid(pdf, columns)
    density = pdf.pdf(z)
    new = figure(COLUMN_WIDTH, 3.1)
    ax = new.subplots()
    for number, curve in enumerate(density[1:]):
        label = f"One of {len(pdf) - 1} exposures left out" if number == 0 else None
        ax.plot(z, curve, color=SKY, linewidth=0.5, label=label, gid="left out")
    ax.plot(z, density[0], color=RED, linewidth=1.8, label="All exposures", gid="all")
    redshift = float(columns["z_spec"][0])
    ax.axvline(redshift, color=GREY, linewidth=1.0, label="Spectroscopic redshift")
    ax.set_xlim(z[0], z[-1])
    ax.set_ylim(0, 1.45 * float(density.max()))  # the text has the upper part to itself
    ax.set_xlabel("Redshift")
    ax.set_ylabel("p(z)")
    own = np.nanmax(np.abs(columns["z_mode"] - columns["z_mode"][0])) / (1 + redshift)
    text = (
        "Largest move of the mode / (1+z)\n"
        f"this galaxy: {own:.2g}\n"
        f"median of {len(moves)}: {moves['move'].median():.2g}"
    )
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    ax.text(0.03, 0.97, text, transform=ax.transAxes, va="top", fontsize=7, bbox=paper)
    legend_above(new, [ax], 2)
    return new


def _grid(pdf: PDF, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Redshifts that show the bulk of every density and the spectroscopic redshift."""
    inner = pdf.quantile([0.05, 0.95])
    ends = [*inner[np.isfinite(inner)], float(columns["z_spec"][0])]
    ends += list(columns["z_mode"][np.isfinite(columns["z_mode"])])
    margin = 0.1 * (max(ends) - min(ends)) + 1e-4
    return np.linspace(max(min(ends) - margin, 0.0), max(ends) + margin, POINTS)
