"""Example galaxies: their measured fluxes and their p(z)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from photoz.figures.inputs import finite_values
from photoz.figures.style import (
    BLACK,
    BLUE,
    DASHED,
    ORANGE,
    PAGE_WIDTH,
    RED,
    SOLID,
    figure,
    paper_style,
)
from photoz.files import InputError
from photoz.pdf.grid import PDF
from photoz.survey.bands import BandSet
from photoz.survey.catalogue import Catalogue

LINES = {"[OII]": 3728.0, r"H$\beta$": 4862.7, "[OIII]": 5008.2, r"H$\alpha$": 6564.6}
"""Strong emission lines, rest-frame wavelength in vacuum, A."""
_POINTS = 400


@dataclass(frozen=True)
class Example:
    """One galaxy of the figure.

    Attributes
    ----------
    flux, error : (band,) array
        In units of the flux in the reference band; NaN where not observed.
    grid, density : (g,) array
        Redshifts around the estimate, and p(z) there.
    z_spec, z_phot, magnitude, odds : float
    place : float
        Fraction of the galaxies with lower ODDS.
    """

    flux: NDArray[np.float64]
    error: NDArray[np.float64]
    grid: NDArray[np.float64]
    density: NDArray[np.float64]
    z_spec: float
    z_phot: float
    magnitude: float
    odds: float
    place: float


def choose(odds: ArrayLike, quantiles: Sequence[float]) -> NDArray[np.intp]:
    """Galaxies at given places in the order of their ODDS (n,), as indices; NaN are left out."""
    values = np.asarray(odds, dtype=float)
    finite_values(values, "ODDS of the examples")
    order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]
    return order[np.round(np.asarray(quantiles) * (len(order) - 1)).astype(int)]


def examples(
    catalogue: Catalogue,
    pdf: PDF,
    odds: ArrayLike,
    quantiles: Sequence[float],
) -> list[Example]:
    """Choose examples by their ODDS, and by nothing else, and gather what is drawn of them.

    Parameters
    ----------
    catalogue : Catalogue
        n galaxies.
    pdf : MixturePDF or GridPDF
        Their densities, in the same order.
    odds : (n,) array
    quantiles : sequence of float
        In [0, 1].

    Raises
    ------
    InputError
        If the densities are of another number of galaxies, or no ODDS is finite.
    """
    if len(pdf) != len(catalogue):
        raise InputError(f"examples: {len(pdf)} densities for {len(catalogue)} galaxies")
    index = choose(odds, quantiles)
    reference = catalogue.bands.index(catalogue.reference_band)
    chosen = pdf.take(index)
    ends, mode = chosen.quantile(np.array([0.001, 0.999])), chosen.mode()
    found = []
    for k, (i, place) in enumerate(zip(index, quantiles, strict=True)):
        z_spec = float(catalogue.redshift[i])
        low, high = np.nanmin([*ends[k], z_spec]), np.nanmax([*ends[k], z_spec])
        margin = max(0.1 * (high - low), 0.004)
        grid = np.linspace(max(low - margin, 0.0), high + margin, _POINTS)
        scale = float(catalogue.flux[i, reference])
        found.append(
            Example(
                flux=catalogue.flux[i].astype(float) / scale,
                error=catalogue.error[i].astype(float) / abs(scale),
                grid=grid,
                density=pdf.take([i]).pdf(grid)[0],
                z_spec=z_spec,
                z_phot=float(mode[k]),
                magnitude=float(catalogue.mag_i[i]),
                odds=float(np.asarray(odds)[i]),
                place=place,
            )
        )
    return found


@paper_style()
def draw(galaxies: Sequence[Example], bands: BandSet, reference_band: str = "i") -> Figure:
    """Draw the fluxes (left) and p(z) (right) of each example, one row each.

    Parameters
    ----------
    galaxies : sequence of Example
    bands : BandSet
        The bands of their fluxes.
    reference_band : str

    Raises
    ------
    InputError
        If there is no example, or one has other bands.
    """
    if not galaxies:
        raise InputError("examples: no galaxy given, so there is nothing to draw")
    new = figure(PAGE_WIDTH, 0.5 + 1.35 * len(galaxies))
    axes = new.subplots(len(galaxies), 2, squeeze=False, width_ratios=(1.9, 1))
    for (left, right), galaxy in zip(axes, galaxies, strict=True):
        if len(galaxy.flux) != len(bands):
            raise InputError(f"examples: {len(galaxy.flux)} fluxes for {len(bands)} bands")
        _draw_fluxes(left, galaxy, bands, reference_band)
        _draw_density(right, galaxy)
    for column, label in ((0, "Wavelength [Å]"), (1, "Redshift")):
        axes[-1, column].set_xlabel(label)
    for ax in axes[:-1, 0]:
        ax.tick_params(labelbottom=False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    more = axes[0, 1].get_legend_handles_labels()
    new.legend([*handles, *more[0]], [*labels, *more[1]], loc="outside upper center", ncols=5)
    return new


def _draw_fluxes(ax: Axes, galaxy: Example, bands: BandSet, reference_band: str) -> None:
    wavelength, narrow = bands.mean_wavelengths, np.asarray(bands.is_narrow)
    # Equivalent widths: of a box as high as the peak.
    widths = [np.trapezoid(b.transmission, b.wavelength) / b.transmission.max() for b in bands]
    width = np.array(widths)
    seen = np.isfinite(galaxy.flux) & np.isfinite(galaxy.error)
    for kind, color, marker, name in (
        (narrow, BLUE, "o", "Narrow bands"),
        (~narrow, ORANGE, "s", "Broad bands"),
    ):
        chosen = kind & seen
        if not chosen.any():
            continue
        ax.errorbar(
            wavelength[chosen],
            galaxy.flux[chosen],
            yerr=galaxy.error[chosen],
            xerr=width[chosen] / 2 if kind is not narrow else None,
            color=color,
            marker=marker,
            markersize=2.5,
            linestyle="none",
            elinewidth=0.8,
            label=name,
        )
    low, high = ax.get_xlim()
    for line, rest in LINES.items():
        at = rest * (1 + galaxy.z_spec)
        if low < at < high:
            ax.axvline(at, color="0.8", linewidth=0.7, zorder=0)
            place: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": 6.5, "color": "0.35"}
            ax.text(at, 0.97, line, rotation=90, transform=ax.get_xaxis_transform(), **place)
    ax.set_xlim(low, high)
    ax.set_ylabel(f"Flux / {reference_band} flux")
    text = (
        f"{reference_band} = {galaxy.magnitude:.1f}, ODDS = {galaxy.odds:.2f} "
        f"(above {100 * galaxy.place:.0f} % of the galaxies)"
    )
    ax.set_title(text, loc="left", fontsize=8)


def _draw_density(ax: Axes, galaxy: Example) -> None:
    ax.fill_between(galaxy.grid, galaxy.density, color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(galaxy.grid, galaxy.density, color=BLUE, linewidth=1.1, label="p(z)")
    ax.axvline(galaxy.z_spec, color=RED, linestyle=SOLID, linewidth=1, label="Spectroscopic")
    ax.axvline(galaxy.z_phot, color=BLACK, linestyle=DASHED, linewidth=1, label="Mode of p(z)")
    ax.set_xlim(galaxy.grid[0], galaxy.grid[-1])
    ax.set_ylim(0, 1.1 * max(float(np.nanmax(galaxy.density)), 1e-9))
    ax.locator_params(axis="x", nbins=4)
    ax.set_ylabel("p(z)")
