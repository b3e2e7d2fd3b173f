"""The network architecture, drawn from its configuration (paper, Fig. 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from photoz.figures.style import BLUE, GREEN, ORANGE, PAGE_WIDTH, PURPLE, paper_style
from photoz.files import InputError

NETWORK_KEYS = (
    "encoder_layers",
    "decoder_layers",
    "photoz_layers",
    "width",
    "features",
    "components",
    "autoencoder_dropout",
    "photoz_dropout",
)
_MOST_BARS = 14  # a deeper network is drawn with an ellipsis in the middle
_BOX_HEIGHT = 0.62
_BAR_HEIGHT = 0.62


@paper_style()
def draw(network: Mapping[str, Any], n_bands: int) -> Figure:
    """Draw the encoder, the decoder, the photo-z network and what flows between them.

    Parameters
    ----------
    network : mapping
        encoder_layers, decoder_layers, photoz_layers, width, features, components,
        autoencoder_dropout, photoz_dropout; optionally undropped_layers (last layers of encoder
        and decoder without dropout, default 3), layer_order, front_end and head with their
        settings. Without features there is no autoencoder, and only the photo-z network is drawn.
    n_bands : int
        Number of input fluxes.

    Raises
    ------
    InputError
        If a key is missing or a count is not a whole number of at least one.
    """
    _check(network, n_bands)
    if network["features"] == 0:
        new, ax = _canvas(1.65)
        _box(ax, 1.85, 1.0, 1.0, f"Flux ratios\n{n_bands} bands", ORANGE)
        _draw_photoz(ax, network, 1.0, start=1.85 + 0.5)
    else:
        new, ax = _canvas(3.3)
        _draw_autoencoder(ax, network, n_bands, 2.65)
        _draw_concatenation(ax, network, n_bands, top=2.65, bottom=1.0)
        _draw_photoz(ax, network, 1.0, start=1.85 + 0.6)
    _draw_key(ax, network)
    return new


def _check(network: Mapping[str, Any], n_bands: int) -> None:
    for key in NETWORK_KEYS:
        if key not in network:
            raise InputError(f"network configuration: no '{key}'; it has {', '.join(network)}")
    counts = {key: network[key] for key in NETWORK_KEYS if not key.endswith("dropout")}
    for key, value in {**counts, "n_bands": n_bands}.items():
        least = 0 if key == "features" else 1
        if value != int(value) or value < least:
            raise InputError(
                f"network configuration: {key} must be a whole number >= {least}, got {value!r}"
            )


def _canvas(height: float) -> tuple[Figure, Axes]:
    """Axes that fill the page width, in inches."""
    new = Figure(figsize=(PAGE_WIDTH, height))
    ax = new.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, PAGE_WIDTH), ylim=(0, height))
    ax.axis("off")
    return new, ax


def _draw_autoencoder(ax: Axes, network: Mapping[str, Any], n_bands: int, y: float) -> None:
    drop, spared = network["autoencoder_dropout"], int(network.get("undropped_layers", 3))
    width = network["width"]
    _box(ax, 0.6, y, 1.0, f"Flux ratios\n{n_bands} bands", ORANGE)
    _layers(ax, 1.35, 2.75, y, "Encoder", network["encoder_layers"], width, drop, spared, BLUE)
    _box(ax, 3.55, y, 0.9, f"Features\n{network['features']}", PURPLE)
    _layers(ax, 4.35, 5.75, y, "Decoder", network["decoder_layers"], width, drop, spared, BLUE)
    _box(ax, 6.5, y, 1.0, f"Denoised\nflux ratios\n{n_bands} bands", ORANGE)
    for start, stop in ((1.1, 1.32), (2.78, 3.1), (4.0, 4.32), (5.78, 6.0)):
        _arrow(ax, [(start, y), (stop, y)])


def _draw_concatenation(
    ax: Axes, network: Mapping[str, Any], n_bands: int, top: float, bottom: float
) -> None:
    """The fluxes and the features, side by side, are what the photo-z network sees."""
    total = n_bands + network["features"]
    _box(
        ax, 1.85, bottom, 1.2, f"Concatenation\n{n_bands} + {network['features']} = {total}", PURPLE
    )
    below = top - _BOX_HEIGHT / 2
    _arrow(ax, [(0.6, below), (0.6, bottom), (1.25, bottom)])
    level = bottom + 0.68
    _arrow(ax, [(3.55, below), (3.55, level), (1.85, level), (1.85, bottom + _BOX_HEIGHT / 2)])


def _draw_photoz(ax: Axes, network: Mapping[str, Any], y: float, start: float) -> None:
    number, drop = network["photoz_layers"], network["photoz_dropout"]
    first, spared = network.get("photoz_first_width"), network.get("photoz_undropped_layers", 0)
    _layers(
        ax, 2.75, 4.15, y, "Photo-z network", number, network["width"], drop, spared, GREEN, first
    )
    classes = network.get("head") == "classes"
    if classes:
        n = network["class_redshift_max"] / network["class_width"]
        head, below = f"Softmax\n{n:.0f} classes", f"bins of {network['class_width']:g}"
    else:
        m = network["components"]
        head = f"Mixture density\n3 $\\times$ {m}: $\\beta$, $\\mu$, $\\sigma$"
        below = f"{m} Gaussians"
    _box(ax, 5.05, y, 1.2, head, GREEN)
    _arrow(ax, [(start, y), (2.72, y)])
    _arrow(ax, [(4.18, y), (4.45, y)])
    _arrow(ax, [(5.65, y), (5.95, y)])
    _density(ax, 6.0, 7.0, y, classes)
    ax.text(6.5, y - 0.36, rf"$p(z)$: {below}", ha="center", va="top", fontsize=8)


def _box(ax: Axes, x: float, y: float, width: float, text: str, color: str) -> None:
    """Draw a quantity that flows: what it is, and its dimension."""
    patch = FancyBboxPatch(
        (x - width / 2, y - _BOX_HEIGHT / 2),
        width,
        _BOX_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.07",
        facecolor=(color, 0.18),
        edgecolor=color,
        linewidth=1,
    )
    ax.add_patch(patch)
    ax.text(x, y, text, ha="center", va="center", fontsize=8, linespacing=1.25)


def _layers(
    ax: Axes,
    left: float,
    right: float,
    y: float,
    title: str,
    number: int,
    width: int,
    dropout: float,
    undropped: int,
    color: str,
    first_width: int | None = None,
) -> None:
    """Draw one bar per hidden layer, pale where there is no dropout."""
    layers: list[int | None] = list(range(number))
    if number > _MOST_BARS:
        half = _MOST_BARS // 2 - 1
        layers = [*range(half), None, *range(number - half, number)]
    step = (right - left) / max(len(layers), 6)
    start = 0.5 * (left + right) - 0.5 * step * len(layers)
    for place, layer in enumerate(layers):
        x = start + place * step
        if layer is None:
            ax.text(x + 0.5 * step, y, "...", ha="center", va="center", fontsize=9)
            continue
        pale = dropout == 0 or layer >= number - undropped
        ax.add_patch(
            Rectangle(
                (x + 0.18 * step, y - _BAR_HEIGHT / 2),
                0.64 * step,
                _BAR_HEIGHT,
                facecolor=(color, 0.15 if pale else 0.6),
                edgecolor=color,
                linewidth=0.8,
                gid=title,
            )
        )
    middle = 0.5 * (left + right)
    ax.text(middle, y + 0.38, title, ha="center", va="bottom", fontsize=9, fontweight="bold")
    plural = "layer" if number == 1 else "layers"
    nodes = f"of {width} nodes" if first_width is None else f"of {first_width}, then {width}"
    text = f"{number} {plural} {nodes}\ndropout {100 * dropout:g} %"
    ax.text(middle, y - 0.36, text, ha="center", va="top", fontsize=8, linespacing=1.2)


def _density(ax: Axes, left: float, right: float, y: float, classes: bool) -> None:
    """Sketch a mixture or a histogram: the meaning of the output, not any galaxy's result."""
    x = np.linspace(0, 1, 30 if classes else 200)
    parts = [
        a * np.exp(-0.5 * ((x - m) / s) ** 2)
        for a, m, s in ((0.35, 0.25, 0.05), (1.0, 0.58, 0.06), (0.4, 0.70, 0.10))
    ]
    total = np.sum(parts, axis=0)
    scale, base = 0.55 / total.max(), y - 0.28
    for part in () if classes else parts:
        ax.plot(left + (right - left) * x, base + scale * part, color="0.6", linewidth=0.7)
    line, height = left + (right - left) * x, base + scale * total
    steps = "steps-mid" if classes else "default"
    ax.plot(line, height, color=GREEN, linewidth=1.5, drawstyle=steps)
    ax.plot([left, right], [base, base], color="0.2", linewidth=0.8)


def _arrow(ax: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Draw a path of straight pieces with a head at its end."""
    x, y = zip(*points, strict=True)
    ax.plot(x[:-1], y[:-1], color="0.25", linewidth=0.9, solid_joinstyle="miter")
    style = {"arrowstyle": "-|>", "color": "0.25", "linewidth": 0.9, "mutation_scale": 8}
    ax.annotate("", points[-1], points[-2], arrowprops={**style, "shrinkA": 0, "shrinkB": 0})


def _draw_key(ax: Axes, network: Mapping[str, Any]) -> None:
    order = {
        "linear_norm_relu": "linear, batch normalisation, ReLU, dropout",
        "norm_linear_relu": "batch normalisation, linear, dropout, ReLU",
    }
    chosen = network.get("layer_order", "linear_norm_relu")
    text = f"One bar: {order.get(chosen, chosen)} (pale: without dropout)."
    if network.get("front_end") == "convolutional":
        layers, channels = network["convolution_layers"], network["convolution_channels"]
        text = f"Narrow bands first pass {layers} convolutions of {channels} channels.\n{text}"
    ax.text(0.1, 0.08, text, ha="left", va="bottom", fontsize=8, color="0.25")
