"""Photometric against spectroscopic redshift, as a density (paper, Fig. D1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import AutoMinorLocator, MultipleLocator
from numpy.typing import ArrayLike, NDArray

from photoz.figures.inputs import finite_values
from photoz.figures.style import (
    COLUMN_WIDTH,
    PAGE_WIDTH,
    figure,
    label_outer,
    panel_grid,
    paper_style,
)
from photoz.files import InputError
from photoz.metrics.point import (
    STRICT_OUTLIER_LIMIT,
    outlier_fraction,
    redshift_error,
    sigma68,
)


@paper_style()
def draw(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]],
    z_max: float | None = None,
    bin_width: float = 0.01,
    outlier_limit: float = STRICT_OUTLIER_LIMIT,
) -> Figure:
    """Draw the number of galaxies in cells of the redshift plane, one panel per variant.

    All panels share one logarithmic colour scale, so that single outliers stay visible.

    Parameters
    ----------
    panels : mapping of str to (z_spec (n,), z_phot (n,))
        The pairs to draw, by panel title. Pairs with a NaN are left out.
    z_max : float, optional
        Upper end of both axes; by default every spectroscopic redshift fits.
    bin_width : float
        Side of a cell.
    outlier_limit : float
        |z_p - z_s|/(1 + z_s) beyond which a galaxy counts as an outlier in the panel's text.

    Raises
    ------
    InputError
        If there is no panel, two columns differ in length, or one has no finite pair.
    """
    if not panels:
        raise InputError("redshift plane: no table given, so there is nothing to draw")
    pairs = {title: _pairs(title, *columns) for title, columns in panels.items()}
    if z_max is None:
        z_max = 0.05 * np.ceil(max(float(spec.max()) for spec, _ in pairs.values()) / 0.05 + 0.2)
    edges = np.linspace(0, z_max, max(round(z_max / bin_width), 2) + 1)
    counts = {t: np.histogram2d(spec, phot, [edges, edges])[0] for t, (spec, phot) in pairs.items()}
    norm = LogNorm(1, max(max(c.max() for c in counts.values()), 2.0))

    rows, columns = panel_grid(len(pairs))
    width = COLUMN_WIDTH if columns == 1 else PAGE_WIDTH
    side = (width - 1.2) / columns
    new = figure(width, 0.35 + rows * (side + 0.28))
    axes = new.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, title in zip(axes.flat, pairs, strict=False):
        # Empty cells are masked: white, whatever the colour map.
        cells = np.ma.masked_equal(counts[title].T, 0)
        mesh = ax.pcolormesh(edges, edges, cells, norm=norm, cmap="viridis_r", rasterized=True)
        ax.plot([0, z_max], [0, z_max], color="0.4", linewidth=0.5)
        _annotate(ax, *pairs[title], outlier_limit)
        ax.set_title(title)
        ax.set_aspect("equal")
    axes.flat[0].set_xlim(0, z_max)
    axes.flat[0].set_ylim(0, z_max)
    for axis in (axes.flat[0].xaxis, axes.flat[0].yaxis):
        axis.set_major_locator(MultipleLocator(0.5 if z_max > 0.8 else 0.2))
        axis.set_minor_locator(AutoMinorLocator(5 if z_max > 0.8 else 4))
    shown = label_outer(axes, len(pairs), "Spectroscopic redshift", "Photometric redshift")
    # Inside the last panel's frame, so that it is as high as the panels.
    inset = shown[min(columns, len(shown)) - 1].inset_axes((1.04, 0, 0.05, 1))
    bar = new.colorbar(mesh, cax=inset, format="%g")
    bar.set_label("Galaxies per cell")
    return new


def _pairs(
    title: str, z_spec: ArrayLike, z_phot: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spec, phot = np.asarray(z_spec, dtype=float), np.asarray(z_phot, dtype=float)
    if spec.shape != phot.shape:
        raise InputError(
            f"redshift plane, '{title}': {spec.size} spectroscopic but {phot.size} photometric "
            "redshifts; both must describe the same galaxies"
        )
    finite_values(spec + phot, f"redshift plane, '{title}'")
    keep = np.isfinite(spec + phot)
    return spec[keep], phot[keep]


def _annotate(
    ax: Axes, z_spec: NDArray[np.float64], z_phot: NDArray[np.float64], limit: float
) -> None:
    error = redshift_error(z_phot, z_spec)
    text = (
        rf"$\sigma_{{68}}/(1+z)$ = {sigma68(error):.4f}"
        f"\noutliers {100 * outlier_fraction(error, limit):.1f} %"
    )
    paper = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0}
    ax.text(0.04, 0.96, text, transform=ax.transAxes, va="top", fontsize=8, bbox=paper)
