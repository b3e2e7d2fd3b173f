"""Loss against optimiser step, for pretraining and fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from photoz.figures.inputs import require_columns, table_name
from photoz.figures.style import (
    COLUMN_WIDTH,
    DASHED,
    DOTTED,
    PAGE_WIDTH,
    SEQUENCE,
    SOLID,
    LineStyle,
    figure,
    paper_style,
)
from photoz.files import InputError

COLUMNS = ("step", "loss", "learning_rate")
LOSSES: dict[str, tuple[LineStyle, str]] = {
    "loss": (SOLID, "Redshift loss"),
    "validation_loss": (DASHED, "Redshift loss, held out"),
    "reconstruction_loss": (DOTTED, "Reconstruction loss"),
}
_MOST_POINTS = 200  # longer histories are averaged in blocks: single batches are noisy
_MOST_STEPS = 10  # a learning rate that changes more often than this is not stepwise


@paper_style()
def draw(pretraining: Mapping[str, pd.DataFrame], finetuning: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the loss of every pretraining (left) and fine-tuning (right).

    Histories with a `fold` column show the mean over the networks trained together, and a band
    from the lowest to the highest. Vertical lines mark the steps of a stepwise learning rate.
    The vertical range leaves out the steep first steps, which would hide everything after them.

    Parameters
    ----------
    pretraining, finetuning : mapping of str to DataFrame
        Histories by the training's name: step, loss, learning_rate and, where there are, fold,
        validation_loss, reconstruction_loss. Losses are per galaxy, dimensionless. One of the
        two may be empty; then the other is drawn alone.

    Raises
    ------
    InputError
        If there is no history, a column is missing or no loss is finite.
    """
    stages = [("Pretraining", pretraining), ("Fine-tuning", finetuning)]
    stages = [(title, histories) for title, histories in stages if histories]
    if not stages:
        raise InputError("training figure: no history given, so there is nothing to draw")
    for history in [h for _, histories in stages for h in histories.values()]:
        require_columns(history, COLUMNS)
        if not np.isfinite(history["loss"].to_numpy(dtype=float)).any():
            raise InputError(f"{table_name(history)}: column 'loss' has no finite value to draw")
    most = max(len(histories) for _, histories in stages)
    new = figure(COLUMN_WIDTH if len(stages) == 1 else PAGE_WIDTH, 3.1 + 0.17 * most)
    axes = new.subplots(1, len(stages), squeeze=False)[0]
    for ax, (title, histories) in zip(axes, stages, strict=True):
        for index, (name, history) in enumerate(histories.items()):
            _draw_history(ax, name, history, _look(index))
        for change in _rate_steps(list(histories.values())):
            ax.axvline(change, color="0.75", linewidth=0.7, zorder=0)
        ax.set_ylim(*_range(list(histories.values())))
        ax.set_xlabel("Optimiser step")
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        _add_legend(ax, title, histories)
    axes[0].set_ylabel("Loss per galaxy")
    return new


def _summary(history: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean, lowest and highest loss over folds, averaged in blocks of steps if there are many."""
    finite = history[np.isfinite(history[column].to_numpy(dtype=float))]
    table = finite.groupby("step")[column].agg(["mean", "min", "max"]).reset_index()
    block = -(-len(table) // _MOST_POINTS)
    return table.groupby(np.arange(len(table)) // max(block, 1)).mean()


def _look(index: int) -> dict[str, Any]:
    """Colour and width of a training's lines; those beyond the palette are broader."""
    again, color = divmod(index, len(SEQUENCE))
    return {"color": SEQUENCE[color], "linewidth": 1.1 + 1.1 * again}


def _draw_history(ax: Axes, name: str, history: pd.DataFrame, look: dict[str, Any]) -> None:
    for column, (line, _) in LOSSES.items():
        table = _summary(history, column) if column in history else pd.DataFrame()
        if table.empty:
            continue
        ax.plot(table["step"], table["mean"], linestyle=line, gid=f"{name}/{column}", **look)
        if "fold" in history and column == "loss":
            band: dict[str, Any] = {"color": look["color"], "alpha": 0.25, "linewidth": 0}
            ax.fill_between(table["step"], table["min"], table["max"], **band)


def _rate_steps(histories: Sequence[pd.DataFrame]) -> list[float]:
    """Steps at which a stepwise learning rate changes; none for one that changes all the time."""
    changes: set[float] = set()
    for history in histories:
        table = history.groupby("step")["learning_rate"].first()
        steps = table.index.to_numpy(float)[1:][np.diff(table.to_numpy(float)) != 0]
        if steps.size <= _MOST_STEPS:
            changes.update(steps.tolist())
    return sorted(changes)


def _range(histories: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """From the lowest loss to just above what the first twentieth of a history leaves."""
    means = [_summary(h, column)["mean"] for h in histories for column in LOSSES if column in h]
    means = [mean for mean in means if len(mean)]
    low = min(mean.min() for mean in means)
    span = max(max(mean.quantile(0.95) for mean in means) - low, 1e-3)
    return low - 0.08 * span, low + 1.08 * span


def _add_legend(ax: Axes, title: str, histories: Mapping[str, pd.DataFrame]) -> None:
    """Put the kinds of loss inside, where the curves have left, and the names above the panel."""
    tables = list(histories.values())
    kinds = [
        Line2D([], [], color="0.2", linestyle=line, label=label)
        for column, (line, label) in LOSSES.items()
        if any(column in h and np.isfinite(h[column].to_numpy(float)).any() for h in tables)
    ]
    if _rate_steps(tables):
        kinds.append(Line2D([], [], color="0.75", linewidth=0.7, label="Learning rate steps"))
    if len(kinds) > 1:
        look: dict[str, Any] = {"frameon": True, "framealpha": 0.9, "edgecolor": "none"}
        ax.add_artist(ax.legend(handles=kinds, loc="upper right", **look))
    keys = [Line2D([], [], label=name, **_look(index)) for index, name in enumerate(histories)]
    look = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "title_fontsize": 9}
    ax.legend(handles=keys, title=title, **look)
