"""One look for every figure: sizes, fonts, and a fixed colour and line per variant."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from photoz.files import replace_when_done

COLUMN_WIDTH = 3.4
"""Width of a one-column figure, in inches."""
PAGE_WIDTH = 7.1
"""Width of a two-column figure, in inches."""

# Wong (2011), Nature Methods 8, 441: told apart with any colour vision.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
RED = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#666666"

SEQUENCE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK, GREY)
"""Colours for things that have no name of their own, in order."""

LineStyle: TypeAlias = Any
"""A name or (offset, dashes); the type matplotlib gives it differs between versions."""

SOLID: LineStyle = "-"
DASHED: LineStyle = (0, (4, 1.6))
DOTTED: LineStyle = (0, (1, 1.3))
DASH_DOT: LineStyle = (0, (4, 1.4, 1, 1.4))
DASH_DOT_DOT: LineStyle = (0, (4, 1.2, 1, 1.2, 1, 1.2))
LONG_DASH: LineStyle = (0, (8, 1.6))


@dataclass(frozen=True)
class VariantStyle:
    """How one variant is drawn in every figure."""

    label: str
    color: str
    linestyle: LineStyle
    marker: str
    filled: bool = True

    def line(self) -> dict[str, Any]:
        """Keywords for a line with markers."""
        face = self.color if self.filled else "white"
        return {
            "label": self.label,
            "color": self.color,
            "linestyle": self.linestyle,
            "marker": self.marker,
            "markerfacecolor": face,
        }


_KNOWN = {
    "deepz": VariantStyle("DEEPZ", BLUE, SOLID, "o"),
    "single": VariantStyle("DEEPZ, one network", SKY, SOLID, "s"),
    "no_pretraining": VariantStyle("No pretraining", ORANGE, DOTTED, "^"),
    "no_autoencoder": VariantStyle("No autoencoder", GREEN, DASH_DOT, "D"),
    "template_pretraining": VariantStyle("Template pretraining", PURPLE, LONG_DASH, "v"),
    "convolutional": VariantStyle("Convolutional front end", BLACK, DASH_DOT, "p"),
    "label_smoothing": VariantStyle("Classifier, smoothed labels", BLACK, DOTTED, "*"),
    "bcnz2": VariantStyle("BCNz2", RED, DASHED, "X"),
    "knn": VariantStyle("k nearest neighbours", GREY, DASH_DOT_DOT, "P"),
}
# Other names people give to the same thing.
_ALIASES = {
    "single_network": "single",
    "template_sims": "template_pretraining",
    "template_simulation": "template_pretraining",
    "template_fit": "bcnz2",
    "neighbours": "knn",
}
_ENDINGS = {"tenth": "1/10 of data", "single": "one network"}
_ENDINGS |= {"half": "1/2 of data", "fifth": "1/5 of data", "twentieth": "1/20 of data"}
_FALLBACK_COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, BLACK)
_FALLBACK_LINES = (DASHED, DASH_DOT, DASH_DOT_DOT, DOTTED)
_FALLBACK_MARKERS = ("h", "p", "*", "<", ">", "d", "8")

# Words that keep the capitals they are known by when a name becomes a title or label.
_CAPITALS = {"paus": "PAUS", "cosmos": "COSMOS", "zcosmos": "zCOSMOS", "kids": "KiDS"}
_CAPITALS |= {"sdss": "SDSS", "lsst": "LSST", "des": "DES", "fsps": "FSPS", "snr": "SNR"}

_RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # shipped with matplotlib: the same everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 8.5,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.35,
    "axes.linewidth": 0.7,
    "axes.grid": False,
    "axes.axisbelow": True,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "errorbar.capsize": 0,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "image.cmap": "viridis",
    "pdf.fonttype": 42,  # TrueType: text stays searchable and journals accept it
    "pdf.compression": 6,
    "savefig.facecolor": "white",
    "figure.facecolor": "white",
    "text.usetex": False,
}


@contextmanager
def paper_style() -> Iterator[None]:
    """Use the package's look inside a ``with`` block, or decorate a function with it.

    The reader's own matplotlib settings are ignored inside and come back afterwards.
    """
    with mpl.rc_context():
        mpl.rcdefaults()  # leaves the backend alone
        mpl.rcParams.update(_RC)
        yield


def variant_style(name: str) -> VariantStyle:
    """Colour, line, marker and label of a variant: the same in every figure and every run.

    ``<known>_<more>`` (``deepz_small``) and ``<any>_tenth`` keep the colour of what stands before,
    with an open marker and another line; any other unknown name gets a style that depends on the
    name alone.

    Parameters
    ----------
    name : str
        A variant's name in the configuration.
    """
    known = _KNOWN.get(_ALIASES.get(name, name))
    if known is not None:
        return known
    digest = zlib.crc32(name.encode())
    marker = _FALLBACK_MARKERS[digest % len(_FALLBACK_MARKERS)]
    line = _FALLBACK_LINES[(digest >> 8) % len(_FALLBACK_LINES)]
    start, _, end = name.rpartition("_")
    parents = [known for known in _KNOWN | _ALIASES if name.startswith(known + "_")]
    parent = max(parents, key=len) if parents else start if end in _ENDINGS else ""
    if parent:
        style = variant_style(parent)
        ending = name[len(parent) + 1 :]
        label = f"{style.label}, {_ENDINGS.get(ending, ending.replace('_', ' '))}"
        line = DASHED if style.linestyle == SOLID else line
        return VariantStyle(label, style.color, line, style.marker, filled=False)
    color = _FALLBACK_COLORS[(digest >> 16) % len(_FALLBACK_COLORS)]
    text = " ".join(_CAPITALS.get(word, word) for word in name.split("_") if word)
    return VariantStyle(text[:1].upper() + text[1:], color, line, marker)


def catalogue_title(name: str) -> str:
    """Turn a catalogue's configuration name into a panel title (``paus_mock``: PAUS mock)."""
    words = [_CAPITALS.get(word.lower(), word) for word in name.replace("_", " ").split()]
    title = " ".join(words)
    return (
        title if any(w in _CAPITALS.values() for w in words[:1]) else title[:1].upper() + title[1:]
    )


def figure(width: float, height: float) -> Figure:
    """Create an empty figure, in inches, whose layout makes room for labels and legends."""
    new = Figure(figsize=(width, height), layout="constrained")
    engine: Any = new.get_layout_engine()
    engine.set(w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.03)
    return new


def panel_grid(n: int, max_columns: int = 3) -> tuple[int, int]:
    """Rows and columns that hold `n` panels, as even as they can be."""
    rows = math.ceil(n / max_columns)
    return rows, math.ceil(n / rows)


def label_outer(axes: NDArray[np.object_], n: int, xlabel: str, ylabel: str) -> list[Axes]:
    """Name the outer axes of the first `n` panels of a grid, and remove the other panels.

    Parameters
    ----------
    axes : (row, column) array of Axes
        Panels that share their axes.
    n : int
        Panels in use, in reading order.
    xlabel, ylabel : str
        For the lowest panel of every column and the first of every row.

    Returns
    -------
    list of Axes
        The panels in use.
    """
    columns = axes.shape[1]
    used: list[Axes] = list(axes.flat[:n])
    for index, ax in enumerate(used):
        if index % columns == 0:
            ax.set_ylabel(ylabel)
        if index + columns >= n:
            ax.set_xlabel(xlabel)
            ax.tick_params(labelbottom=True)
    for ax in axes.flat[n:]:
        ax.remove()
    return used


def line_panels(
    n_panels: int, n_lines: int, share_y: bool = True
) -> tuple[Figure, NDArray[Any], int]:
    """A figure of panels that share their axes, high enough for a legend of `n_lines` above.

    Returns
    -------
    figure, axes (row, column), columns of the legend
    """
    rows, columns = panel_grid(n_panels)
    width, per_row = (COLUMN_WIDTH, 2) if columns == 1 else (PAGE_WIDTH, 4)
    new = figure(width, 0.45 + 0.17 * -(-n_lines // per_row) + 2.35 * rows)
    return new, new.subplots(rows, columns, squeeze=False, sharex=True, sharey=share_y), per_row


def ratio_scale(ax: Axes, values: NDArray[np.float64]) -> None:
    """Choose a logarithmic axis, where a ratio reads the same everywhere, if all is positive."""
    values = values[np.isfinite(values)]
    if not values.size or (values <= 0).any():
        return
    ax.set_yscale("log")
    ax.set_ylim(values.min() / 1.3, values.max() * 1.3)
    plain_log_ticks(ax.yaxis, decades=np.log10(values.max() / values.min()))


def plain_log_ticks(axis: Axis, decades: float) -> None:
    """Label a logarithmic axis with plain numbers, at 1, 2 and 5 where it is short."""
    if decades < 2:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def magnitude_label(band: str) -> str:
    """Axis label of AB magnitudes in a band: a letter as a symbol, a longer name as text."""
    return rf"${band}_{{\rm AB}}$ [mag]" if len(band) == 1 else f"{band} (AB) [mag]"


def legend_above(figure: Figure, axes: Iterable[Axes], columns: int) -> None:
    """Put one legend above all panels, each label once, in order of first appearance.

    It has at most `columns` columns, and fewer where the figure is too narrow for them.
    """
    entries: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    renderer = FigureCanvasAgg(figure).get_renderer()
    for n in range(min(columns, len(entries)), 0, -1):
        legend = figure.legend(
            list(entries.values()), list(entries), loc="outside upper center", ncols=n
        )
        if n == 1 or legend.get_window_extent(renderer).width <= figure.bbox.width:
            break
        legend.remove()


def save(
    figure: Figure,
    path_pdf: str | os.PathLike[str],
    path_png: str | os.PathLike[str],
    dpi: int = 250,
) -> None:
    """Write a figure as PDF and PNG, both or neither; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What a ``draw`` returned.
    path_pdf, path_png : path-like
        Where to write; folders are created.
    dpi : int
        Resolution of the PNG, and of what is rasterised inside the PDF.
    """
    with (
        paper_style(),
        replace_when_done(path_pdf) as pdf,
        replace_when_done(path_png) as png,
    ):
        # A date or a library version would make every rerun a new file.
        figure.savefig(
            pdf, format="pdf", dpi=dpi, metadata={"CreationDate": None, "Producer": "photoz"}
        )
        figure.savefig(png, format="png", dpi=dpi, metadata={"Software": None})
