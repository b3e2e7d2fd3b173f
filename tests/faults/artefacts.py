"""One small file of every kind that a run makes and reads again."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from photoz.networks import DeepZ, FluxRatio, NetworkConfig
from photoz.networks.deepz import seeded_generators
from photoz.pdf.grid import GridPDF
from photoz.pdf.io import pdf_file, read_pdf, write_pdf
from photoz.pdf.mixture import MixturePDF
from photoz.pdf.table import read_photoz_table, write_photoz_table
from photoz.simulations.simulation import Simulation, read_simulation, write_chunk
from photoz.sps.grid import SSPGrid, load_grid, save_grid
from photoz.survey.catalogue import catalogue_blocks, read_catalogue, write_catalogue
from photoz.survey.noise import FixedSNR, read_noise_model, write_noise_model
from photoz.survey.splits import make_splits, read_splits, write_splits
from photoz.templates.model import ModelGrid
from photoz.templates.model_file import read_model, write_model
from photoz.templates.run_prior import RunPrior, read_run_prior, write_run_prior
from photoz.templates.runs import Run
from photoz.templates.zeropoints import ZeroPoints, read_zero_points, write_zero_points
from photoz.training import resume
from photoz.training.checkpoints import TrainedNetworks, load_networks, save_networks
from photoz.training.config import PretrainingConfig
from photoz.training.resume import Checkpoint, Learner, Standing
from photoz.training.schedule import make_optimiser
from tests.training.conftest import BANDS, make_catalogue

NETWORK = NetworkConfig(
    encoder_layers=1, decoder_layers=1, photoz_layers=1, width=4, features=2, components=2,
    undropped_layers=1,
)  # fmt: skip


@dataclass(frozen=True)
class Artefact:
    """How a kind of file is written and read."""

    suffix: str
    write: Callable[[Any], None]
    read: Callable[[Any], Any]


def write_simulation(path):
    rng = np.random.default_rng(0)
    redshift = rng.uniform(0, 1, 20)
    flux = rng.uniform(1, 2, (20, 5)).astype(np.float32)
    simulation = Simulation(flux, redshift, BANDS, {"redshift": redshift, "tau": redshift * 2})
    write_chunk(path, simulation, {"units": "maggies", "seed": 1})


def densities():
    rng = np.random.default_rng(0)
    return MixturePDF(*(rng.uniform(0.1, 1, (20, 3)) for _ in range(3)), 0.001)


def write_growing_pdf(path):
    with pdf_file(path) as file:
        for _ in range(2):
            file.append(densities())
        file.describe({"id": np.arange(40), "odds": np.linspace(0, 1, 40)})


def networks():
    network = DeepZ(NETWORK, len(BANDS), seeded_generators([0, 1]))
    return TrainedNetworks(network, FluxRatio(BANDS, "i"))


def write_checkpoint(path):
    network = networks().network
    optimiser = make_optimiser(network, PretrainingConfig())
    generators = seeded_generators([2, 3])
    learner = Learner(network, optimiser, generators)
    standing = Standing(7, [(0, 0, 1.5, 0.1)], {"order": torch.arange(20)})
    Checkpoint(path, {"seed": 1}, every=0).offer(learner, standing)


def write_grid(path):
    rng = np.random.default_rng(0)
    grid = SSPGrid(
        wavelength=np.geomspace(1000.0, 10000.0, 30),
        log_age=np.linspace(6, 10, 4),
        log_z=np.linspace(-1, 0, 2),
        spectrum=rng.uniform(1, 2, (2, 4, 30)).astype(np.float32),
        ionizing_rate=rng.uniform(1, 2, (2, 4)),
        living_mass=rng.uniform(0, 1, (2, 4)),
        nebular_log_u=np.array([-4.0, -1.0]),
        nebular_log_age=np.array([6.0, 7.0]),
        nebular_continuum=rng.uniform(1, 2, (2, 2, 2, 30)).astype(np.float32),
        line_wavelength=np.array([4862.0, 6564.0]),
        line_name=("H-beta", "H-alpha"),
        line_luminosity=rng.uniform(1, 2, (2, 2, 2, 2)),
        provenance={"source": "made up"},
    )
    save_grid(path, grid)


def write_template_model(path):
    rng = np.random.default_rng(0)
    runs = (Run("one", ("a", "b"), lines=False), Run("two", ("c",), lines=False))
    model = ModelGrid(
        redshift=np.linspace(0.1, 1, 10),
        bands=BANDS,
        is_narrow=np.array([True] * 4 + [False]),
        runs=runs,
        templates=(("a", "b"), ("c",)),
        flux=rng.uniform(1, 2, (3, 10, 5)).astype(np.float32),
        provenance={"source": "made up"},
    )
    write_model(path, model)


def write_prior(path):
    weight = np.full((2, 3, 2), 0.5)
    prior = RunPrior(("one", "two"), np.array([0.2, 0.5, 0.9]), np.array([20.0, 22.0]), weight)
    write_run_prior(path, prior)


def write_table(path):
    redshift = np.random.default_rng(0).uniform(0, 1, 300)
    write_photoz_table(path, {"id": np.arange(300), "z_mode": redshift})


ARTEFACTS = {
    "simulation": Artefact(".h5", write_simulation, read_simulation),
    "catalogue": Artefact(".h5", lambda p: write_catalogue(p, make_catalogue(20)), read_catalogue),
    "catalogue in blocks": Artefact(
        ".h5",
        lambda p: write_catalogue(p, make_catalogue(20)),
        lambda p: list(catalogue_blocks(p, 7)),
    ),
    "noise model": Artefact(
        ".json", lambda p: write_noise_model(p, FixedSNR((20.0,) * 5), BANDS), read_noise_model
    ),
    "SSP grid": Artefact(".npz", write_grid, load_grid),
    "p(z)": Artefact(".hdf5", lambda p: write_pdf(p, densities(), {"id": np.arange(20)}), read_pdf),
    "p(z) on a grid": Artefact(
        ".hdf5",
        lambda p: write_pdf(
            p, GridPDF(np.linspace(0, 1, 9), np.ones((5, 9))), {"id": np.arange(5)}
        ),
        read_pdf,
    ),
    "growing p(z)": Artefact(".hdf5", write_growing_pdf, read_pdf),
    "weights": Artefact(
        ".safetensors", lambda p: save_networks(p, networks(), {"seed": 1}), load_networks
    ),
    "checkpoint": Artefact(".checkpoint", write_checkpoint, resume._read),
    "splits": Artefact(
        ".parquet",
        lambda p: write_splits(p, np.arange(300), make_splits(300, 2, 3, 1)),
        read_splits,
    ),
    "photo-z table": Artefact(".parquet", write_table, read_photoz_table),
    "zero-points": Artefact(
        ".json",
        lambda p: write_zero_points(p, ZeroPoints(BANDS, np.full(5, 1.1), np.ones((2, 5)), 300)),
        read_zero_points,
    ),
    "prior on runs": Artefact(".json", write_prior, read_run_prior),
    "template model": Artefact(".h5", write_template_model, read_model),
}


def content(value):
    """What was read, as something that can be compared; equal bits are equal."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.numpy().tobytes()
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, torch.nn.Module):
        return content(value.state_dict())
    if hasattr(value, "to_parquet"):
        return [content(value[name].to_numpy()) for name in value] + list(value)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return type(value).__name__, [content(getattr(value, name)) for name in names]
    if isinstance(value, dict):
        return [(name, content(value[name])) for name in sorted(value)]
    if isinstance(value, list | tuple):
        return [content(entry) for entry in value]
    return json.dumps(value) if isinstance(value, float) else repr(value)
