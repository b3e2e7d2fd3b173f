"""Histogram of the probability integral transform, PIT (paper, Fig. 8 and equation 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from photoz.figures.inputs import finite_values
from photoz.figures.style import (
    BLUE,
    COLUMN_WIDTH,
    DASHED,
    ORANGE,
    PAGE_WIDTH,
    SOLID,
    catalogue_title,
    figure,
    label_outer,
    panel_grid,
    paper_style,
)
from photoz.files import InputError
from photoz.metrics.calibration import pit_histogram, pit_tests


@paper_style()
def draw(
    single: Mapping[str, ArrayLike],
    ensemble: Mapping[str, ArrayLike],
    n_bins: int = 20,
    tolerance: float = 0.15,
) -> Figure:
    """Draw the PIT distribution of one network and of the ensemble, one panel per catalogue.

    The legend gives the Kolmogorov-Smirnov distance to a uniform distribution. The band marks
    `tolerance` around uniform for PIT in [0.05, 0.95]; what lies outside that range is where
    outliers pile up.

    Parameters
    ----------
    single, ensemble : mapping of str to (n,) array
        PIT values in [0, 1] by catalogue name; NaN (no p(z), no redshift) is left out.
        A catalogue may be in only one of the two. `single` is one split: pooled splits would
        repeat the same galaxies.
    n_bins : int
        Bins between 0 and 1.
    tolerance : float
        Half-width of the band.

    Raises
    ------
    InputError
        If there is no catalogue, or one has no finite PIT or values outside [0, 1].
    """
    names = list(dict.fromkeys([*ensemble, *single]))
    if not names:
        raise InputError("PIT figure: no catalogue given, so there is nothing to draw")
    rows, columns = panel_grid(len(names))
    width = COLUMN_WIDTH if columns == 1 else PAGE_WIDTH
    new = figure(width, 0.3 + 2.5 * rows)
    axes = new.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    top = 0.0
    for ax, name in zip(axes.flat, names, strict=False):
        ax.fill_between(
            [0.05, 0.95],
            1 - tolerance,
            1 + tolerance,
            color="0.88",
            linewidth=0,
            label=rf"Uniform $\pm${100 * tolerance:g} %",
        )
        ax.axhline(1, color="0.6", linewidth=0.7)
        for table, label, color, line in (
            (single, "Single network", ORANGE, DASHED),
            (ensemble, "Ensemble", BLUE, SOLID),
        ):
            if name in table:
                pit = _checked(table[name], f"PIT of {name}, {label.lower()}")
                edges, density, _ = pit_histogram(pit, n_bins)
                text = f"{label}, KS = {pit_tests(pit).ks:.3f}"
                look: dict[str, Any] = {"color": color, "linestyle": line, "linewidth": 1.4}
                ax.stairs(density, edges, label=text, **look)
                top = max(top, density.max())
        ax.set_title(catalogue_title(name))
        ax.legend(loc="upper center", handlelength=2.2, borderaxespad=0.3)
    xlabel = "PIT (probability below the true redshift)"
    label_outer(axes, len(names), xlabel, "Galaxies / uniform expectation")
    axes.flat[0].set_xlim(0, 1)
    axes.flat[0].set_ylim(0, max(1.25 * top, 1.9))  # the legend has the upper part to itself
    return new


def _checked(values: ArrayLike, what: str) -> NDArray[np.float64]:
    pit = finite_values(values, what)
    if pit.min() < 0 or pit.max() > 1:
        raise InputError(
            f"{what}: values from {pit.min():g} to {pit.max():g}, but a probability lies in [0, 1]"
        )
    return pit
