"""Zero-points of the bands as they are iterated, and what they come to (paper, appendix A)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from photoz.figures.style import (
    COLUMN_WIDTH,
    DASHED,
    PAGE_WIDTH,
    SEQUENCE,
    SOLID,
    catalogue_title,
    figure,
    paper_style,
)
from photoz.files import InputError
from photoz.survey.bands import BandSet
from photoz.templates.zeropoints import ZeroPoints

FEW_BANDS = 8
"""Up to so many bands have a colour and a name each; more have the colour of their wavelength."""
_MAP = "cividis"  # told apart with any colour vision, and in grey


@paper_style()
def draw(zero_points: Mapping[str, Sequence[ZeroPoints]], bands: BandSet) -> Figure:
    """Draw zero-points l_i: by round (top), and the last ones by wavelength (bottom).

    Parameters
    ----------
    zero_points : mapping of str to sequence of ZeroPoints
        By catalogue, those of each fold. The top shows their mean, the bottom their mean and
        their range.
    bands : BandSet
        Of the survey: wavelengths, and which bands are narrow (solid, dots; broad ones are dashed,
        squares).

    Raises
    ------
    InputError
        If there is no zero-point, or one of a band that the survey does not have.
    """
    if not any(zero_points.values()):
        raise InputError("zero-points: no file given, so there is nothing to draw")
    histories = {name: _history(name, folds, bands) for name, folds in zero_points.items()}
    n = len(histories)
    new = figure(COLUMN_WIDTH if n == 1 else PAGE_WIDTH, 4.3)
    axes = new.subplots(2, n, squeeze=False, sharex="row", sharey="row")
    norm = Normalize(bands.mean_wavelengths.min(), bands.mean_wavelengths.max())
    for (upper, lower), (name, history) in zip(axes.T, histories.items(), strict=True):
        first = zero_points[name][0]
        looks = _looks(first.bands, bands, norm)
        _draw_rounds(upper, first.bands, history, looks)
        _draw_last(lower, first.bands, history[:, -1], bands, looks)
        if n > 1:
            upper.set_title(catalogue_title(name))
        upper.set_xlabel("Round")
        upper.xaxis.set_major_locator(MaxNLocator(integer=True))
        upper.tick_params(axis="x", which="minor", bottom=False, top=False)
        lower.set_xlabel(r"Wavelength [$\rm\AA$]")
    axes[0, 0].set_xlim(0, max(max(h.shape[1] - 1 for h in histories.values()), 1))
    for ax in axes[:, 0]:
        ax.set_ylabel(r"Zero-point $l_i$")
    if len(bands) > FEW_BANDS:
        mappable = ScalarMappable(norm, _MAP)
        bar = new.colorbar(mappable, ax=list(axes[0]), pad=0.01, aspect=30 if n == 1 else 25)
        bar.set_label(r"Mean wavelength [$\rm\AA$]")
    else:
        axes[0, -1].legend(ncols=2, fontsize=7)
    return new


def _history(name: str, folds: Sequence[ZeroPoints], bands: BandSet) -> NDArray[np.float64]:
    """Zero-points (fold, round, band); a fold that is done keeps its last ones."""
    if not folds:
        raise InputError(f"zero-points of '{name}': no file given")
    for fold in folds:
        unknown = [band for band in fold.bands if band not in bands]
        if unknown or fold.bands != folds[0].bands:
            raise InputError(
                f"zero-points of '{name}': band {(unknown or list(fold.bands))[0]} is not in the "
                "survey, or the folds have other bands; make them again"
            )
    rounds = max(len(fold.history) for fold in folds)
    return np.stack(
        [
            np.concatenate(
                [fold.history, np.repeat(fold.history[-1:], rounds - len(fold.history), 0)]
            )
            for fold in folds
        ]
    )


def _looks(names: Sequence[str], bands: BandSet, norm: Normalize) -> list[dict[str, Any]]:
    """Colour and line of each band."""
    few = zip(names, cycle(SEQUENCE), strict=False)
    colors = (
        dict(few)
        if len(bands) <= FEW_BANDS
        else {name: colormaps[_MAP](norm(bands[name].mean_wavelength)) for name in names}
    )
    return [
        {"color": colors[name], "linestyle": SOLID if bands[name].kind == "narrow" else DASHED}
        for name in names
    ]


def _draw_rounds(
    ax: Axes, names: Sequence[str], history: NDArray[np.float64], looks: list[dict[str, Any]]
) -> None:
    mean = history.mean(axis=0)
    for name, line, look in zip(names, mean.T, looks, strict=True):
        ax.plot(np.arange(len(mean)), line, label=name, gid=name, linewidth=1.0, **look)
    ax.axhline(1, color="0.5", linewidth=0.6, zorder=0)


def _draw_last(
    ax: Axes,
    names: Sequence[str],
    last: NDArray[np.float64],
    bands: BandSet,
    looks: list[dict[str, Any]],
) -> None:
    mean = last.mean(axis=0)
    for k, (name, look) in enumerate(zip(names, looks, strict=True)):
        band = bands[name]
        ax.errorbar(
            band.mean_wavelength,
            mean[k],
            yerr=[[mean[k] - last[:, k].min()], [last[:, k].max() - mean[k]]],
            marker="o" if band.kind == "narrow" else "s",
            color=look["color"],
            markeredgecolor="0.3",
            markeredgewidth=0.4,
            elinewidth=0.8,
        )
    ax.axhline(1, color="0.5", linewidth=0.6, zorder=0)
