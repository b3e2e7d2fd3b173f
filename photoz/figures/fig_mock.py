"""The mock surveys beside real galaxies: redshifts, magnitudes, colours, and how hard they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from photoz.figures.style import (
    DASHED,
    PAGE_WIDTH,
    SEQUENCE,
    SOLID,
    catalogue_title,
    figure,
    magnitude_label,
    paper_style,
)
from photoz.files import InputError
from photoz.simulations.realism import reference_bands
from photoz.simulations.sky import load_reference
from photoz.survey.catalogue import Catalogue
from photoz.training.neighbours import neighbour_scatter

KEYS = ("magnitude", "redshift")
"""What colours are binned by; also the stems of the histograms' keys."""
AXIS_LABELS = {"magnitude": magnitude_label("i"), "redshift": "Redshift"}
_REAL: dict[str, Any] = {"color": "0.82", "linewidth": 0}


@paper_style()
def draw(
    comparisons: Mapping[str, Mapping[str, Any]],
    scatter: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Figure:
    """Draw every mock over the real galaxies.

    Top: distributions of redshift and magnitude, and the scatter of a nearest-neighbour estimate
    from the broad-band colours, which says how much redshift those colours carry. Below: median
    and 16-84 percentiles of the broad-band colours in bins of redshift and of magnitude.

    Parameters
    ----------
    comparisons : mapping of str to mapping
        Result of `photoz.simulations.realism.compare_with_real` by mock catalogue.
    scatter : mapping of str to (magnitude edges (b + 1,), sigma68/(1+z) (b,)), optional
        Result of `measure_scatter` by mock catalogue; the real one is in `comparisons`.

    Raises
    ------
    InputError
        If there is no mock, an entry lacks a key, or a mock has no galaxy in range.
    """
    if not comparisons:
        raise InputError(
            "mock figure: the run has no mock catalogue with the bands of the real galaxies "
            f"({', '.join(load_reference()['bands'])}), so there is nothing to draw"
        )
    for name, comparison in comparisons.items():
        _check(name, comparison)
    first = next(iter(comparisons.values()))
    colors = dict(zip(comparisons, SEQUENCE * len(comparisons), strict=False))
    names = first["colour_names"]
    new = figure(PAGE_WIDTH, 6.6)
    rows = new.add_gridspec(3, 1, height_ratios=(1.15, 1, 1))
    upper = rows[0].subgridspec(1, 3)
    top = [new.add_subplot(upper[i]) for i in range(3)]
    for ax, key in zip(top, ("redshift", "magnitude"), strict=False):
        _draw_distribution(ax, key, comparisons, colors)
    _draw_neighbours(top[2], first["neighbour_scatter"], scatter or {}, colors)
    for row, key in ((1, "redshift"), (2, "magnitude")):
        places = rows[row].subgridspec(1, len(names))
        shared: Axes | None = None
        for column, name in enumerate(names):
            ax = new.add_subplot(places[column], sharex=shared, sharey=shared)
            shared = shared or ax
            _draw_colour(ax, key, column, comparisons, colors)
            ax.set_title(f"${name.replace('-', ' - ')}$", y=0.8, x=0.06, ha="left")
            ax.tick_params(labelleft=column == 0)
            if column == len(names) // 2:
                ax.set_xlabel(AXIS_LABELS[key])
        assert shared is not None
        shared.set_ylabel("Colour [mag]")
        _leave_room(shared, key, comparisons)
    _add_legend(new, colors)
    return new


def measure_scatter(catalogue: Catalogue) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the nearest-neighbour scatter of a mock as it was measured on the real galaxies.

    Parameters
    ----------
    catalogue : Catalogue
        A mock with the broad bands of the real galaxies.

    Returns
    -------
    edges, scatter : (b + 1,), (b,) array
        Magnitude bins and sigma68/(1+z) in each, NaN where a bin is empty.

    Raises
    ------
    InputError
        If a band is missing, or there are too few galaxies.
    """
    reference = load_reference()
    index = reference_bands(catalogue)
    edges = np.asarray(reference["neighbour_scatter"]["magnitude_edges"], dtype=float)
    scatter = neighbour_scatter(
        catalogue.flux[:, index],
        catalogue.error[:, index],
        catalogue.redshift,
        catalogue.mag_i,
        reference["bands"].index("i"),
        edges,
    )
    return edges, scatter


def _check(name: str, comparison: Mapping[str, Any]) -> None:
    stems = [f"{key}_{end}" for key in KEYS for end in ("edges", "real", "mock")]
    for key in (*stems, "colour_names", "colours_real", "colours_mock", "neighbour_scatter"):
        if key not in comparison:
            raise InputError(f"mock figure: the comparison of '{name}' has no '{key}'")
    for key in KEYS:
        if not np.nansum(comparison[f"{key}_mock"]) > 0:
            raise InputError(
                f"mock figure: '{name}' has no galaxy in the {key} range of the real ones"
            )


def _draw_distribution(
    ax: Axes, key: str, comparisons: Mapping[str, Mapping[str, Any]], colors: Mapping[str, str]
) -> None:
    """Draw densities: each histogram has unit area."""
    for index, (name, comparison) in enumerate(comparisons.items()):
        edges = np.asarray(comparison[f"{key}_edges"], dtype=float)
        if index == 0:
            ax.stairs(comparison[f"{key}_real"], edges, fill=True, **_REAL)
        ax.stairs(comparison[f"{key}_mock"], edges, color=colors[name], linewidth=1.2)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0)
    ax.set_xlabel(AXIS_LABELS[key])
    ax.set_ylabel("Density" if key == "redshift" else "Density [1/mag]")


def _draw_neighbours(
    ax: Axes,
    real: Mapping[str, Any],
    mocks: Mapping[str, tuple[ArrayLike, ArrayLike]],
    colors: Mapping[str, str],
) -> None:
    curves = {"real": (real["magnitude_edges"], real["sigma68"]), **mocks}
    for name, (edges, values) in curves.items():
        value = np.asarray(values, dtype=float)
        look: dict[str, Any] = {"color": "0.45", "linewidth": 1.8}
        if name != "real":
            look = {"color": colors[name], "linewidth": 1.4}
        ax.plot(_centres(edges), value, marker="o", gid=name, **look)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(AXIS_LABELS["magnitude"])
    ax.set_ylabel(r"Neighbours: $\sigma_{68}/(1+z)$")


def _draw_colour(
    ax: Axes,
    key: str,
    column: int,
    comparisons: Mapping[str, Mapping[str, Any]],
    colors: Mapping[str, str],
) -> None:
    """Draw median and 16-84 percentiles of one colour: real as a band, mocks as lines."""
    first = next(iter(comparisons.values()))
    centre, (low, middle, high) = _percentiles(first["colours_real"], key, column)
    ax.fill_between(centre, low, high, **_REAL)
    ax.plot(centre, middle, color="0.45", linewidth=1.8)
    for name, comparison in comparisons.items():
        centre, (low, middle, high) = _percentiles(comparison["colours_mock"], key, column)
        ax.plot(centre, middle, color=colors[name], linewidth=1.4, gid=name)
        for edge in (low, high):
            ax.plot(centre, edge, color=colors[name], linestyle=DASHED, linewidth=0.8)


def _percentiles(
    table: Mapping[str, Any], key: str, column: int
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Bin centres and the 16th, 50th and 84th percentile of one colour in each bin."""
    values = np.asarray(table[f"by_{key}"], dtype=float)[:, :, column]
    rows = [list(table["percentiles"]).index(percent) for percent in (16.0, 50.0, 84.0)]
    return _centres(table[f"{key}_edges"]), [values[:, row] for row in rows]


def _centres(edges: ArrayLike) -> NDArray[np.float64]:
    """Bin centres; an open first bin (edge far below) is drawn as wide as the second."""
    edge = np.array(edges, dtype=float)
    if edge.size > 2 and edge[1] - edge[0] > 5 * (edge[2] - edge[1]):
        edge[0] = edge[1] - (edge[2] - edge[1])
    centre: NDArray[np.float64] = 0.5 * (edge[1:] + edge[:-1])
    return centre


def _leave_room(ax: Axes, key: str, comparisons: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep the top of the panels free for the colour's name."""
    tables = [c[side] for c in comparisons.values() for side in ("colours_real", "colours_mock")]
    values = np.concatenate(
        [np.asarray(table[f"by_{key}"], dtype=float)[:, 1:4].ravel() for table in tables]
    )
    low, high = np.nanmin(values), np.nanmax(values)
    ax.set_ylim(low - 0.08 * (high - low), high + 0.25 * (high - low))


def _add_legend(new: Figure, colors: Mapping[str, str]) -> None:
    keys = [Line2D([], [], color="0.45", linewidth=1.8, label="Real (zCOSMOS), median")]
    keys += [
        Line2D([], [], color=color, linestyle=SOLID, label=catalogue_title(name))
        for name, color in colors.items()
    ]
    keys.append(Line2D([], [], color="0.2", linestyle=DASHED, linewidth=0.8, label="16-84 %"))
    new.legend(handles=keys, loc="outside upper center", ncols=4)
