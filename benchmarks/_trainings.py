"""Whole trainings on the mock surveys, for benchmarks that ask what a setting is worth.

The networks have the paper's shape and start from one short pretraining. Trainings run side by
side, one process and one thread each; processor time is counted.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from photoz.metrics.point import nmad, redshift_error, sigma68
from photoz.networks.config import NetworkConfig
from photoz.networks.transform import FluxRatio
from photoz.simulations.mock import MockConfig, make_mock, make_template_mock
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import simulate
from photoz.survey.catalogue import read_catalogue, write_catalogue
from photoz.survey.noise import SurveyDepth
from photoz.survey.splits import make_splits
from photoz.survey.survey import Survey, load_survey
from photoz.training.checkpoints import TrainedNetworks, load_networks, save_networks
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.finetune import finetune
from photoz.training.predict import predict_folds
from photoz.training.pretrain import pretrain

SURVEY = Path(__file__).parents[1] / "config" / "surveys" / "paus.yaml"
MOCKS = {"paus_mock": make_mock, "cosmos_mock": make_template_mock}
N_FOLDS = 5
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Size:
    """How large a study is: galaxies of a mock and of the simulation, pretraining and network."""

    galaxies: int
    simulated: int
    pretraining: PretrainingConfig
    network: NetworkConfig


PRETRAINING = PretrainingConfig(steps=3000, learning_rate=0.002, dropout=False, precision="auto")
FULL = Size(4000, 100_000, PRETRAINING, NetworkConfig())
"""Half the paper's sample, so that a study takes half an hour of two cores."""
SMALL = Size(
    600,
    2000,
    replace(PRETRAINING, steps=30),
    NetworkConfig(encoder_layers=1, decoder_layers=1, photoz_layers=1, width=16),
)
"""Shows that a study runs; its numbers mean nothing."""


@dataclass(frozen=True)
class Run:
    """One training: the networks of one split, each predicting the fold that it has not seen.

    Attributes
    ----------
    name : str
        Of the setting.
    catalogue : str
        Name in `MOCKS`.
    mock, seed : int
        Seeds of the mock survey, and of the split and the training.
    config : FinetuningConfig
    """

    name: str
    catalogue: str
    mock: int
    seed: int
    config: FinetuningConfig


def train_all(runs: Iterable[Run], size: Size) -> pd.DataFrame:
    """Train all, on all cores, and say each result as it comes.

    Returns
    -------
    DataFrame
        Columns name, catalogue, mock, seed, peak (learning rate), seconds (processor time of the
        training), and sigma68, nmad and nll (mean -log p at the true redshift) of the galaxies that
        were not trained on.
    """
    runs, rows, survey = list(runs), [], load_survey(SURVEY)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_networks(folder / "start.safetensors", pretrained(survey, size), {})
        for mock in dict.fromkeys((run.catalogue, run.mock) for run in runs):
            made = MOCKS[mock[0]](survey, MockConfig(n_galaxies=size.galaxies), mock[1])
            write_catalogue(_mock_file(folder, *mock), made)
        tasks = [(run, folder) for run in runs]
        with context.Pool(len(os.sched_getaffinity(0)), torch.set_num_threads, (1,)) as pool:
            for row in pool.imap(_train, tasks, chunksize=1):
                print(*(f"{k}={v:.4g}" if isinstance(v, float) else v for k, v in row.items()))
                rows.append(row)
    return pd.DataFrame(rows)


def mean_and_error(values: pd.Series) -> dict[str, float]:
    """Mean over trainings and its standard error."""
    return {"mean": float(values.mean()), "error": float(values.std(ddof=1) / len(values) ** 0.5)}


def pretrained(survey: Survey, size: Size, device: torch.device = CPU) -> TrainedNetworks:
    """The network that all trainings of a study start from."""
    prior = Prior.from_mapping({"const": [0.0001, 0.25], "logarithmic": ["tau", "const"]})
    rng = np.random.default_rng(0)
    galaxies = simulate(prior, survey.bands, size.simulated, rng, reference=survey.reference_band)
    transform = FluxRatio(survey.bands.names, survey.reference_band)
    noise = SurveyDepth.for_survey(survey)
    return pretrain(
        *(galaxies.flux, galaxies.redshift, transform, noise, size.network, size.pretraining),
        seed=0,
        device=device,
    )[0]


def _mock_file(folder: Path, catalogue: str, mock: int) -> Path:
    return folder / f"{catalogue}-{mock}.h5"


def _train(task: tuple[Run, Path]) -> dict[str, Any]:
    run, folder = task
    catalogue = read_catalogue(_mock_file(folder, run.catalogue, run.mock))
    folds = make_splits(catalogue.id, n_splits=1, n_folds=N_FOLDS, seed=run.seed)[:, 0]
    start = load_networks(folder / "start.safetensors", CPU)
    began = time.process_time()
    trained, _ = finetune(
        catalogue, folds, start, start.network.config, run.config, [run.seed], CPU
    )
    seconds = time.process_time() - began
    pdf = predict_folds(trained, catalogue, folds)
    dz = redshift_error(pdf.mode(), catalogue.redshift)
    return {
        "name": run.name,
        "catalogue": run.catalogue,
        "mock": run.mock,
        "seed": run.seed,
        "peak": run.config.learning_rate,
        "seconds": seconds,
        "sigma68": sigma68(dz),
        "nmad": nmad(dz),
        "nll": float(-np.mean(pdf.log_pdf_at(catalogue.redshift))),
    }
