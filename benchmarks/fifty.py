"""How long the paper's fifty networks take: ten splits of five folds, one cycle of 250 epochs.

On a mock survey of the paper's size, in batches of 500. One split for each core is trained from
start to end, all side by side; ten of them take ten times as long over the number of cores.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pandas as pd
import torch

from benchmarks._trainings import FULL, SMALL, Run, mean_and_error, train_all
from photoz.training.config import FinetuningConfig
from photoz.training.device import native_bfloat16

SPLITS, EPOCHS, GALAXIES = 10, 250, 8566
MOCK = 202


def run(full: bool = False) -> dict[str, Any]:
    """Train; `full` takes half an hour.

    Returns
    -------
    dict
        By precision: seconds of processor time of a split, minutes of all fifty networks on this
        machine's cores, and sigma68.
    """
    cores = len(os.sched_getaffinity(0))
    bfloat16 = ["bfloat16"] if native_bfloat16(torch.device("cpu")) else []
    runs = [
        Run(precision, "paus_mock", MOCK, seed, config)
        for precision in (*bfloat16, "float32")
        for config in [FinetuningConfig(epochs=EPOCHS if full else 10, precision=precision)]
        for seed in range(max(2, cores))
    ]
    size = replace(FULL, galaxies=GALAXIES) if full else SMALL
    return summary(train_all(runs, size), cores)


def summary(trained: pd.DataFrame, cores: int) -> dict[str, Any]:
    """Seconds of a split, minutes of ten on so many cores, and sigma68, by precision."""
    return {
        str(precision): {
            "seconds of a split": mean_and_error(group["seconds"]),
            "minutes of fifty networks": float(SPLITS * group["seconds"].mean() / cores / 60),
            "sigma68": mean_and_error(group["sigma68"]),
        }
        for precision, group in trained.groupby("name", sort=False)
    }
