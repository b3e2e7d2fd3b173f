"""What bfloat16 costs: sigma68 and NLL of galaxies not trained on beside those in float32.

Five splits of a mock survey, each trained twice: with the same galaxies, weights and random
numbers, but for the precision of the matrix products.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch

from benchmarks._trainings import FULL, SMALL, Run, mean_and_error, train_all
from photoz.training.config import FinetuningConfig
from photoz.training.device import native_bfloat16

SEEDS = range(5)
EPOCHS = 60
MOCK = 202


def run(full: bool = False) -> dict[str, Any]:
    """Train; `full` on 4000 galaxies, some six minutes of two cores.

    Returns
    -------
    dict
        By precision seconds, sigma68 and nll with errors over seeds; and the ratio of sigma68 and
        the difference of nll, paired by seed.
    """
    if not native_bfloat16(torch.device("cpu")):
        return {"not measured": "this processor does not multiply bfloat16 natively"}
    size = FULL if full else SMALL
    configs = {
        precision: FinetuningConfig(
            epochs=EPOCHS if full else 2, quiet_epochs=0, precision=precision
        )
        for precision in ("float32", "bfloat16")
    }
    runs = [
        Run(precision, "paus_mock", MOCK, seed, config)
        for seed in (SEEDS if full else (0, 1))
        for precision, config in configs.items()
    ]
    return summary(train_all(runs, size))


def summary(trained: pd.DataFrame) -> dict[str, Any]:
    """Means by precision, and both compared seed by seed."""
    result: dict[str, Any] = {
        str(name): {key: mean_and_error(group[key]) for key in ("seconds", "sigma68", "nll")}
        for name, group in trained.groupby("name", sort=False)
    }
    by_seed = trained.pivot(index="seed", columns="name")
    ratio = by_seed["sigma68"]["bfloat16"] / by_seed["sigma68"]["float32"]
    result["sigma68, bfloat16 / float32"] = mean_and_error(ratio)
    result["nll, bfloat16 - float32"] = mean_and_error(
        by_seed["nll"]["bfloat16"] - by_seed["nll"]["float32"]
    )
    return result
