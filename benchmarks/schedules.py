"""sigma68 of galaxies not trained on against the time of fine-tuning, by schedule.

The paper's stepwise schedule of 700 epochs beside one cycle of 60, 120 and 250, at batches of 500.
The peak of each cycle is chosen on one realisation of a mock survey, and what it reaches is
measured on another, with several splits. How long the public code would take for its 700 epochs is
`python -m benchmarks train`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks._trainings import FULL, MOCKS, SMALL, Run, mean_and_error, train_all
from photoz.figures import fig_schedules, style
from photoz.training.config import FinetuningConfig

PAPER = "stepwise, 700 epochs"
EPOCHS = (60, 120, 250)
PEAKS = (0.0005, 0.001, 0.002)
TUNING, MEASURED = 101, 202
"""Seeds of the two realisations of the mock surveys."""
SEEDS = (0, 1)
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "schedules"


def run(full: bool = False) -> dict[str, Any]:
    """Train; `full` on 4000 galaxies of each mock, half an hour of two cores, and draw.

    Returns
    -------
    dict
        Chosen peaks, and by mock and schedule seconds and sigma68 with errors over splits.
    """
    size = FULL if full else SMALL
    lengths = EPOCHS if full else (2, 3)
    catalogue = next(iter(MOCKS))
    tried = train_all(
        [Run(_name(n), catalogue, TUNING, 0, _one_cycle(n, p)) for n in lengths for p in PEAKS],
        size,
    )
    peaks = chosen_peaks(tried)
    configs = {_name(n): _one_cycle(n, peaks[_name(n)]) for n in lengths}
    configs[PAPER] = FinetuningConfig(schedule="stepwise", quiet_epochs=0, precision="auto")
    if not full:
        configs.pop(PAPER)
    runs = [
        Run(name, catalogue, MEASURED, seed, config)
        for name, config in configs.items()
        for catalogue in MOCKS
        for seed in SEEDS
    ]
    measured = train_all(runs, size)
    if full:
        figure = fig_schedules.draw(measured)
        style.save(figure, FIGURE.with_suffix(".pdf"), FIGURE.with_suffix(".png"))
    return {"peak": peaks, **summary(measured)}


def chosen_peaks(tried: pd.DataFrame) -> dict[str, float]:
    """The peak with the least sigma68, by schedule."""
    best = tried.loc[tried.groupby("name")["sigma68"].idxmin()]
    return {str(name): float(peak) for name, peak in zip(best["name"], best["peak"], strict=True)}


def summary(measured: pd.DataFrame) -> dict[str, Any]:
    """Seconds and sigma68 by catalogue and schedule, and sigma68 in units of the paper's."""
    result: dict[str, Any] = {}
    for (catalogue, name), group in measured.groupby(["catalogue", "name"], sort=False):
        result.setdefault(catalogue, {})[name] = {
            "seconds": float(group["seconds"].mean()),
            "sigma68": mean_and_error(group["sigma68"]),
        }
    return result


def _name(epochs: int) -> str:
    return f"one cycle, {epochs} epochs"


def _one_cycle(epochs: int, peak: float) -> FinetuningConfig:
    return FinetuningConfig(epochs=epochs, learning_rate=peak, quiet_epochs=0, precision="auto")
