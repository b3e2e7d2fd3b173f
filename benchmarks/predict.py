"""Prediction by one network of the paper's shape beside the public code, one thread.

A briefly trained network predicts simulated galaxies in the bands of PAUS, so that p(z) have the
shapes they have in a run. The rivals have the same weights. Ours stores p(z) as its mixture, which
is exact, in a file; theirs keep 2100 bins in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import references
from benchmarks.simulate import SURVEY
from benchmarks.train import PAPER, one_thread, timed
from photoz.networks import FluxRatio, NetworkConfig
from photoz.pdf import MixturePDF, summarise, write_pdf
from photoz.simulations.priors import Prior, sample
from photoz.sps import BandProjector, load_grid, simulate_fluxes
from photoz.survey.catalogue import Catalogue
from photoz.survey.noise import FixedSNR
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import PretrainingConfig
from photoz.training.predict import predict_ensemble
from photoz.training.pretrain import pretrain

GALAXIES = 4096
SIZES = (1000, 4000, 16_000, 64_000)
TRAINING_STEPS = 300
CPU = torch.device("cpu")


def run(full: bool = False) -> dict[str, Any]:
    """Time prediction; `full` adds how its cost grows with the number of galaxies.

    Returns
    -------
    dict
        Galaxies per second of each way and how many times faster than the public code it is, then
        microseconds per galaxy of each part of ours, and how far the rivals' redshifts differ.
    """
    with one_thread():
        trained, galaxies = example(GALAXIES)
        result = measure(trained, galaxies)
        if full:
            result["growth, us per galaxy"] = growth(trained, galaxies)
        if torch.cuda.is_available():
            result["GPU"] = measure_gpu(trained, galaxies)
        else:
            result["GPU"] = {"not measured": "torch sees no GPU here"}
    return result


def example(
    n: int, steps: int = TRAINING_STEPS, config: NetworkConfig = PAPER
) -> tuple[TrainedNetworks, Catalogue]:
    """A network trained for some steps, and `n` noisy galaxies."""
    survey, grid = load_survey(SURVEY), load_grid()
    projector = BandProjector(grid.wavelength, grid.line_wavelength, survey.bands, 1.2)
    rng = np.random.default_rng(0)
    parameters = sample(Prior(), n, rng)
    flux = simulate_fluxes(grid, projector, parameters)
    flux = flux / flux[:, [survey.reference_index]]
    narrow = survey.bands.is_narrow
    noise = FixedSNR(tuple(np.where(narrow, 10.0, 35.0)))
    transform = FluxRatio(survey.bands.names, survey.reference_band)
    training = PretrainingConfig(steps=steps, precision="auto", batch_size=min(500, n))
    trained, _ = pretrain(flux, parameters["redshift"], transform, noise, config, training, 0, CPU)
    error = noise.error(flux)
    noisy = (flux + error * rng.standard_normal(flux.shape)).astype(np.float32)
    return trained, Catalogue(
        id=np.arange(n),
        redshift=parameters["redshift"],
        mag_i=np.full(n, 22.0),
        flux=noisy,
        error=np.asarray(error, np.float32),
        bands=survey.bands.names,
        survey=survey.name,
        zero_point=survey.zero_point,
        reference_band=survey.reference_band,
    )


def measure(trained: TrainedNetworks, galaxies: Catalogue, repeats: int = 7) -> dict[str, Any]:
    """Galaxies per second on one core."""
    modules = references.as_modules(trained.network)
    x = trained.transform(torch.as_tensor(galaxies.flux))
    pdf = predict_ensemble([trained], galaxies)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pdf.hdf5"
        tasks: dict[str, Callable[[], Any]] = {
            "public": lambda: references.public_prediction(modules, x),
            "plain": lambda: references.plain_prediction(modules, x),
            "ours, all": lambda: _ours(trained, galaxies, path),
            "ours, all and 2100 bins": lambda: _binned(_ours(trained, galaxies, path)),
            "ours, network": lambda: predict_ensemble([trained], galaxies),
            "bare matrix products": _limit(trained.network.config, x),
        }
        seconds = timed(tasks, CPU, repeats)
        parts = timed(_parts(pdf, galaxies.redshift, path), CPU, repeats)
    n = len(galaxies)
    return {
        **{
            name: {
                "us_per_galaxy": 1e6 * value / n,
                "galaxies_per_second": n / value,
                "times_public": seconds["public"] / value,
                "times_plain": seconds["plain"] / value,
            }
            for name, value in seconds.items()
        },
        "parts, us per galaxy": {name: 1e6 * value / n for name, value in parts.items()},
        "public against ours": _differences(references.public_prediction(modules, x), pdf),
    }


def _ours(trained: TrainedNetworks, galaxies: Catalogue, path: Path) -> MixturePDF:
    pdf = predict_ensemble([trained], galaxies)
    write_pdf(path, pdf, summarise(pdf))
    return pdf


def _binned(pdf: MixturePDF, rows: int = 512) -> np.ndarray:
    """p(z) at the 2100 redshifts of the public code, in single precision as there."""
    z = references.GRID.numpy().astype(float)
    bins = np.empty((len(pdf), len(z)), np.float32)
    for start in range(0, len(pdf), rows):
        part = slice(start, start + rows)
        bins[part] = pdf.take(part).pdf(z)
    return bins


def _limit(config: NetworkConfig, x: torch.Tensor, batch: int = 512) -> Callable[[], None]:
    product = references.bare_matmuls(
        config, x.shape[1], batch, 1, x.dtype, x.device, ("encoder", "photoz"), backward=False
    )

    def run() -> None:
        for _ in range(0, len(x), batch):
            product()

    return run


def _parts(pdf: MixturePDF, redshift: np.ndarray, path: Path) -> dict[str, Callable[[], Any]]:
    mode = pdf.mode()
    return {
        "mode": pdf.mode,
        "ODDS": lambda: pdf.odds(0.003, mode),
        "width": lambda: pdf.quantile([0.01, 0.99]),
        "mean": pdf.mean,
        "PIT": lambda: pdf.pit(redshift),
        "file": lambda: write_pdf(path, pdf),
    }


def _differences(theirs: dict[str, torch.Tensor], pdf: MixturePDF) -> dict[str, float]:
    """What 2100 bins do to the redshift: medians over galaxies."""
    ours = summarise(pdf)
    shift = theirs["z_mode"].numpy() - ours["z_mode"]
    return {
        "median shift of the mode": float(np.median(shift)),
        "median |shift| of the mode": float(np.median(np.abs(shift))),
        "median |shift| of ODDS": float(np.median(np.abs(theirs["odds"].numpy() - ours["odds"]))),
    }


def growth(trained: TrainedNetworks, galaxies: Catalogue, repeats: int = 3) -> dict[str, float]:
    """Microseconds per galaxy as their number grows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pdf.hdf5"
        many = {n: galaxies.take(np.arange(n) % len(galaxies)) for n in SIZES}
        tasks = {f"{n} galaxies": partial(_ours, trained, c, path) for n, c in many.items()}
        seconds = timed(tasks, CPU, repeats)
    return {name: 1e6 * s / n for (name, s), n in zip(seconds.items(), SIZES, strict=True)}


def measure_gpu(trained: TrainedNetworks, galaxies: Catalogue, repeats: int = 7) -> dict[str, Any]:
    """The networks alone on a GPU, p(z) copied to memory."""
    device = torch.device("cuda")
    there = TrainedNetworks(trained.network.member(0).to(device), trained.transform)
    modules = references.as_modules(trained.network).to(device)
    x = trained.transform(torch.as_tensor(galaxies.flux)).to(device)
    tasks: dict[str, Callable[[], Any]] = {
        "public": lambda: references.public_prediction(modules, x),
        "ours, network": lambda: predict_ensemble([there], galaxies),
    }
    seconds = timed(tasks, device, repeats)
    return {f"{name}, galaxies per second": len(galaxies) / s for name, s in seconds.items()}
