"""Example galaxy spectra with the survey's filters and the fluxes seen through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from photoz.figures.style import BLACK, GREY, PAGE_WIDTH, figure, paper_style
from photoz.files import InputError

Curve = tuple[ArrayLike, ArrayLike]


@paper_style()
def draw(
    spectra: Mapping[str, Curve],
    filters: Sequence[tuple[Curve, bool]],
    fluxes: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]] | None = None,
) -> Figure:
    """Draw spectra in the observer's frame, one panel each, over the filter curves.

    Parameters
    ----------
    spectra : mapping of str to (wavelength (w,), flux (w,))
        Observed wavelength in angstrom and f_nu in any unit, by panel title.
    filters : sequence of ((wavelength (t,), transmission (t,)), is_narrow)
        Filter curves, wavelengths in angstrom.
    fluxes : mapping of str to (wavelength (b,), flux (b,), error (b,)), optional
        Band fluxes with errors, in the unit of the spectrum, by the same titles.

    Raises
    ------
    InputError
        If there is no spectrum, no filter, or a spectrum does not overlap the filters.
    """
    if not spectra or not filters:
        raise InputError(
            f"spectra figure: {len(spectra)} spectra and {len(filters)} filters; needs one of each"
        )
    curves = [(_floats(curve), narrow) for curve, narrow in filters]
    low = min(wave[trans > 0.01 * trans.max()].min() for (wave, trans), _ in curves)
    high = max(wave[trans > 0.01 * trans.max()].max() for (wave, trans), _ in curves)
    new = figure(PAGE_WIDTH, 0.5 + 1.7 * len(spectra))
    axes = new.subplots(len(spectra), 1, squeeze=False, sharex=True)[:, 0]
    for ax, (title, spectrum) in zip(axes, spectra.items(), strict=True):
        wave, flux = _floats(spectrum)
        inside = (wave > low) & (wave < high) & np.isfinite(flux)
        if not inside.any():
            raise InputError(
                f"spectrum '{title}': no finite flux between {low:.0f} and {high:.0f} A, "
                "where the filters are"
            )
        _draw_filters(ax, curves)
        ax.plot(wave[inside], flux[inside], color=BLACK, linewidth=0.7)
        if fluxes is not None and title in fluxes:
            place, value, error = (np.asarray(column, dtype=float) for column in fluxes[title])
            look = {"fmt": "o", "markersize": 3, "color": "white", "markeredgecolor": BLACK}
            ax.errorbar(place, value, error, ecolor=BLACK, elinewidth=0.7, zorder=3, **look)
        ax.set_title(title, loc="left")
        ax.set_ylabel(r"$f_\nu$ [arbitrary]")
        ax.set_ylim(0, 1.15 * np.nanmax(flux[inside]))
    axes[-1].set_xlim(low, high)
    axes[-1].set_xlabel(r"Observed wavelength [$\rm\AA$]")
    return new


def _floats(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.asarray(curve[0], dtype=float), np.asarray(curve[1], dtype=float)


def _draw_filters(
    ax: Axes, curves: Sequence[tuple[tuple[NDArray[np.float64], NDArray[np.float64]], bool]]
) -> None:
    """Draw every curve to a fifth of the panel's height, narrow bands coloured by wavelength."""
    colors = mpl.colormaps["turbo"]
    for (wave, trans), narrow in curves:
        height = (0.22 if narrow else 0.14) * trans / trans.max()
        centre = float((wave * trans).sum() / trans.sum())
        color = colors(np.clip((centre - 4300) / 4400, 0, 1)) if narrow else GREY
        transform = ax.get_xaxis_transform()
        if narrow:
            look: dict[str, Any] = {"color": color, "alpha": 0.35, "linewidth": 0}
            ax.fill_between(wave, 0, height, transform=transform, **look)
        else:
            look = {"color": color, "linewidth": 0.6, "linestyle": "--"}
            ax.plot(wave, height, transform=transform, **look)
