"""How long the paper's fifty networks take: ten splits of five folds, one cycle of 250 epochs.

On a mock survey of the paper's size, in batches of 500. On a processor one split for each core is
trained from start to end, all side by side; ten of them take ten times as long over the number of
cores. A GPU, if there is one, trains all ten in lockstep.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import pandas as pd
import torch

from benchmarks._trainings import (
    FULL,
    MOCKS,
    N_FOLDS,
    SMALL,
    SURVEY,
    Run,
    Size,
    mean_and_error,
    pretrained,
    train_all,
)
from photoz.metrics.point import redshift_error, sigma68
from photoz.simulations.mock import MockConfig
from photoz.survey.splits import make_splits
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import FinetuningConfig
from photoz.training.device import native_bfloat16
from photoz.training.finetune import finetune_splits
from photoz.training.predict import predict_folds

SPLITS, EPOCHS, GALAXIES = 10, 250, 8566
CATALOGUE, MOCK = "paus_mock", 202


def run(full: bool = False) -> dict[str, Any]:
    """Train; `full` takes half an hour of a processor, and minutes of a GPU.

    Returns
    -------
    dict
        By precision: seconds of processor time of a split, minutes of all fifty networks on this
        machine's cores, and sigma68. Then what a GPU took.
    """
    size = replace(FULL, galaxies=GALAXIES) if full else SMALL
    epochs, cores = EPOCHS if full else 10, len(os.sched_getaffinity(0))
    runs = [
        Run(config.precision, CATALOGUE, MOCK, seed, config)
        for config in _configs(epochs, torch.device("cpu"))
        for seed in range(max(2, cores))
    ]
    result = summary(train_all(runs, size), cores)
    result["GPU"] = {"not measured": "torch sees no GPU here"}
    if torch.cuda.is_available():
        result["GPU"] = in_lockstep(size, epochs, torch.device("cuda"))
    return result


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


def in_lockstep(size: Size, epochs: int, device: torch.device) -> dict[str, Any]:
    """All fifty networks in one job, by the clock, and sigma68 over the splits, by precision."""
    survey = load_survey(SURVEY)
    began = time.perf_counter()
    start = pretrained(survey, size, device)
    result: dict[str, Any] = {"seconds of simulation, pretraining": time.perf_counter() - began}
    catalogue = MOCKS[CATALOGUE](survey, MockConfig(n_galaxies=size.galaxies), MOCK)
    folds = make_splits(catalogue.id, n_splits=SPLITS, n_folds=N_FOLDS, seed=0)
    seeds = [[k] for k in range(SPLITS)]
    for config in _configs(epochs, device):
        began = time.perf_counter()
        splits = finetune_splits(
            catalogue, folds, start, start.network.config, config, seeds, device
        )
        minutes = (time.perf_counter() - began) / 60
        modes = [
            predict_folds(
                TrainedNetworks(trained.network.cpu(), trained.transform), catalogue, split
            ).mode()
            for (trained, _), split in zip(splits, folds.T, strict=True)
        ]
        values = [sigma68(redshift_error(mode, catalogue.redshift)) for mode in modes]
        result[config.precision] = {
            "minutes of fifty networks": minutes,
            "sigma68": mean_and_error(pd.Series(values)),
        }
    return result


def _configs(epochs: int, device: torch.device) -> list[FinetuningConfig]:
    """One cycle in every precision that the device is good at."""
    precisions = ("bfloat16", "float32") if native_bfloat16(device) else ("float32",)
    return [FinetuningConfig(epochs=epochs, precision=precision) for precision in precisions]
