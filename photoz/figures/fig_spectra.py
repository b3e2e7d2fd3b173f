"""Example spectra with the survey's bands over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photoz.figures.style import (
    BLUE,
    ORANGE,
    PAGE_WIDTH,
    RED,
    SEQUENCE,
    SKY,
    figure,
    legend_above,
    paper_style,
)
from photoz.files import InputError
from photoz.sps.examples import ExampleSpectrum
from photoz.survey.bands import BandSet

#: Rest wavelengths (A, vacuum) and names of what is marked.
MARKS = (
    (3728.5, "[OII]"),
    (4862.7, r"H$\beta$"),
    (5008.2, "[OIII]"),
    (6564.6, r"H$\alpha$"),
)
_LOWEST, _HIGHEST = 0.005, 200.0  # of f_nu over the reference band's
_MARGIN = 0.04


@paper_style()
def draw(
    examples: Sequence[ExampleSpectrum], bands: BandSet, redshift: float, reference_band: str
) -> Figure:
    """Draw spectra of galaxies, one panel per history, under the response curves of the bands.

    Spectra and band fluxes are f_nu over that of the reference band: what the networks see.

    Parameters
    ----------
    examples : sequence of ExampleSpectrum
        Neighbours of one name share a panel; the first has the least dust.
    bands : BandSet
    redshift : float
        Of all examples.
    reference_band : str

    Raises
    ------
    InputError
        If there is no example.
    """
    if not examples:
        raise InputError("spectra: no example given, so there is nothing to draw")
    names = list(dict.fromkeys(example.name for example in examples))
    new = figure(PAGE_WIDTH, 1.5 + 1.75 * len(names))
    axes = new.subplots(
        1 + len(names), 1, sharex=True, gridspec_kw={"height_ratios": [0.7] + [1] * len(names)}
    )
    limits = _limits(bands)
    _draw_bands(axes[0], bands)
    for ax, name in zip(axes[1:], names, strict=True):
        here = [example for example in examples if example.name == name]
        _draw_spectra(ax, here, bands, reference_band, limits)
        ax.text(
            0.985,
            0.93,
            _description(here[0]),
            transform=ax.transAxes,
            ha="right",
            va="top",
            bbox={"facecolor": "white", "pad": 1.5, "lw": 0},
        )
    for ax in axes[1:]:
        for wavelength, _ in MARKS:
            ax.axvline(wavelength * (1 + redshift), color="0.75", linewidth=0.6, zorder=0)
    for wavelength, label in MARKS:
        place = wavelength * (1 + redshift)
        if limits[0] < place < limits[1]:
            # Neighbours in wavelength on either side of their marks, so that names do not meet.
            side = "right" if label == r"H$\beta$" else "left" if label == "[OIII]" else "center"
            axes[1].annotate(
                label, (place, 0.03), xycoords=("data", "axes fraction"), ha=side, fontsize=7.5,
                xytext=({"right": -2, "left": 2, "center": 0}[side], 0),
                textcoords="offset points", bbox={"facecolor": "white", "pad": 0.6, "lw": 0},
            )  # fmt: skip
    axes[0].set_xlim(*limits)
    axes[-1].set_xlabel(rf"Observed wavelength [$\rm\AA$], $z = {redshift:g}$")
    axes[1 + len(names) // 2].set_ylabel(rf"$f_\nu\,/\,f_\nu({reference_band})$")
    legend_above(new, axes[1:2], 4)
    return new


def _limits(bands: BandSet) -> tuple[float, float]:
    """Wavelengths (A) where some band responds, with a margin."""
    ends = []
    for band in bands:
        seen = band.wavelength[band.transmission > 0.01 * band.transmission.max()]
        ends += [float(seen[0]), float(seen[-1])]
    low, high = min(ends), max(ends)
    return low - _MARGIN * (high - low), high + _MARGIN * (high - low)


def _draw_bands(ax: Axes, bands: BandSet) -> None:
    """Draw response curves over their peaks; names of the broad bands, ends of the narrow ones."""
    narrow = [band for band in bands if band.kind == "narrow"]
    broad = [band for band in bands if band.kind == "broad"]
    for k, band in enumerate(narrow):
        response = band.transmission / band.transmission.max()
        color = (BLUE, SKY)[k % 2]
        ax.fill_between(band.wavelength, response, color=color, alpha=0.55, linewidth=0)
    for k, band in enumerate(broad):
        color = SEQUENCE[(k + 1) % len(SEQUENCE)] if not narrow else "0.25"
        response = band.transmission / band.transmission.max()
        ax.plot(band.wavelength, response, color=color, linewidth=0.9)
        ax.text(band.mean_wavelength, 1.06, band.name, ha="center", va="bottom", color=color)
    if narrow:
        first, last = narrow[0], narrow[-1]
        text = f"{len(narrow)} narrow bands, {first.name} to {last.name}"
        ax.text(0.985, 0.9, text, transform=ax.transAxes, ha="right", va="top", color=BLUE)
    ax.set_ylim(0, 1.75 if narrow else 1.35)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("Response\n(peak 1)")


def _draw_spectra(
    ax: Axes,
    examples: Sequence[ExampleSpectrum],
    bands: BandSet,
    reference_band: str,
    limits: tuple[float, float],
) -> None:
    colors = (BLUE, RED, ORANGE)
    means = bands.mean_wavelengths
    narrow = bands.is_narrow
    reference = bands.index(reference_band)
    for example, color in zip(examples, colors * len(examples), strict=False):
        unit = example.flux[reference]
        seen = (example.wavelength > limits[0]) & (example.wavelength < limits[1])
        x = example.wavelength[seen]
        ax.plot(x, example.f_nu[seen] / unit, color=color, linewidth=0.7, alpha=0.65)
        points = example.flux / unit
        look: dict[str, Any] = {"color": color, "linestyle": "none", "zorder": 4}
        label = f"dust2 = {example.dust2:g}" if example.dust2 else "No dust"
        ax.plot(means[narrow], points[narrow], marker="o", markersize=2.6, **look)
        ax.plot(
            means[~narrow], points[~narrow], marker="s", markersize=4.5,
            markerfacecolor="white", markeredgewidth=1.1, **look,
        )  # fmt: skip
        ax.plot([], [], color=color, label=label)
    if narrow.any():
        ax.plot([], [], "o", color="0.3", markersize=2.6, label="Narrow bands")
    ax.plot([], [], "s", color="0.3", markerfacecolor="white", markersize=4.5, label="Broad bands")
    ax.set_yscale("log")
    values = np.concatenate(
        [
            e.f_nu[(e.wavelength > limits[0]) & (e.wavelength < limits[1])] / e.flux[reference]
            for e in examples
        ]
    )
    low = max(_LOWEST, 0.6 * float(np.min(values[values > 0])))
    # Room for the description above the brightest line.
    top = min(_HIGHEST, float(values.max()))
    ax.set_ylim(low, top * (top / low) ** 0.28)


def _description(example: ExampleSpectrum) -> str:
    return (
        f"{example.name}: {example.duration:g} Gyr of star formation, "
        rf"$\tau$ = {example.tau:g} Gyr"
    )
