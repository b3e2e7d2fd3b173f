"""Training steps of the paper's network beside the public code's and a plain one, one thread.

All rivals take turns step by step, with batches of 500 galaxies in 46 bands. On the processor,
processor time is counted; with one thread it is the time by the clock of a core left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks import references
from benchmarks.timing import interleaved
from photoz.networks import DeepZ, FluxRatio, NetworkConfig, seeded_generators
from photoz.survey.catalogue import Catalogue, Exposures
from photoz.survey.noise import FixedSNR
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.device import native_bfloat16
from photoz.training.finetune import Finetuner, network_seeds
from photoz.training.galaxies import TRAINING, WEIGHTS, training_galaxies
from photoz.training.pretrain import _Pretrainer, _tensors
from photoz.training.replay import CHECKS, WARM_UP

PAPER = NetworkConfig()
NARROW, BROAD, EXPOSURES = 40, 6, 5
BATCH = 500
SEED = (0,)
LOCKSTEP = 5
TRAINING_SIZES = (1000, 10_000, 100_000)
GPU_LOCKSTEP = 50
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}

Task = Callable[[], Any]


def run(full: bool = False) -> dict[str, Any]:
    """Time fine-tuning and pretraining steps; `full` adds how they grow with the problem's size.

    Returns
    -------
    dict
        Per device and kind of training: milliseconds per step of one network (median), galaxies
        per second, and how many times faster than the public and the plain step each is.
    """
    with one_thread():
        devices: dict[str, Any] = {"processor": measure(torch.device("cpu"))}
        if full:
            devices["growth, ms per step and network"] = growth(torch.device("cpu"))
        if torch.cuda.is_available():
            devices["GPU"] = measure(torch.device("cuda"))
        else:
            devices["GPU"] = {"not measured": "torch sees no GPU here"}
    return devices


@contextmanager
def one_thread() -> Iterator[None]:
    """Leave torch a single thread, as each process of a run has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(
    device: torch.device, config: NetworkConfig = PAPER, batch: int = BATCH, repeats: int = 15
) -> dict[str, Any]:
    """Fine-tuning and pretraining on one device."""
    return {
        "fine-tuning": _compared(*finetuning_tasks(device, config, batch), batch, device, repeats),
        "pretraining": _compared(*pretraining_tasks(device, config, batch), batch, device, repeats),
    }


def timed(tasks: dict[str, Task], device: torch.device, repeats: int) -> dict[str, float]:
    """Median seconds of each task: of the processor, or by the clock where a GPU does the work."""
    if device.type == "cpu":
        return interleaved(tasks, repeats, time.process_time)

    def finished(task: Task) -> Task:
        def call() -> None:
            task()
            torch.cuda.synchronize(device)

        return call

    finishing = {name: finished(task) for name, task in tasks.items()}
    # Only the steps after these are replayed.
    return interleaved(finishing, repeats, warm_up=WARM_UP + CHECKS)


def _compared(
    tasks: dict[str, Task], networks: dict[str, int], batch: int, device: torch.device, repeats: int
) -> dict[str, Any]:
    seconds = timed(tasks, device, repeats)
    each = {name: value / networks.get(name, 1) for name, value in seconds.items()}
    return {
        name: {
            "ms_per_step": 1e3 * value,
            "galaxies_per_second": batch / value,
            "times_public": each["public"] / value,
            "times_plain": each["plain"] / value,
        }
        for name, value in each.items()
    }


def catalogue(n: int, narrow: int = NARROW, broad: int = BROAD, seed: int = 0) -> Catalogue:
    """Galaxies of a power-law spectrum each; only their number and shape matter for speed."""
    rng = np.random.default_rng(seed)
    bands = tuple(f"NB{i}" for i in range(narrow)) + tuple(f"BB{i}" for i in range(broad))
    wavelength = np.linspace(-0.5, 0.5, narrow + broad)
    flux = np.exp(rng.normal(0, 1, (n, 1)) * wavelength + rng.normal(1, 0.5, (n, 1)))
    exposed = np.repeat(flux[:, :narrow, None], EXPOSURES, axis=2)
    noise = 0.05 * exposed * rng.standard_normal(exposed.shape)
    exposures = Exposures(
        (exposed + noise).astype(np.float32), (0.05 * exposed).astype(np.float32), bands[:narrow]
    )
    return Catalogue(
        id=np.arange(n),
        redshift=rng.uniform(0.05, 1.15, n),
        mag_i=np.full(n, 21.0),
        flux=flux.astype(np.float32),
        error=(0.02 * flux).astype(np.float32),
        bands=bands,
        survey="benchmark",
        zero_point=26.0,
        reference_band=bands[-2],
        exposures=exposures,
    )


def finetuning_tasks(
    device: torch.device, config: NetworkConfig = PAPER, batch: int = BATCH
) -> tuple[dict[str, Task], dict[str, int]]:
    """A step of every rival, and how many networks it trains."""
    galaxies = catalogue(8 * batch)
    plain = _plain_galaxies(galaxies, device)
    n_bands, reference = len(galaxies.bands), galaxies.reference_index
    torch.manual_seed(0)
    tasks: dict[str, Task] = {}
    for name, make in (("public", references.public_step), ("plain", references.plain_step)):
        network = references.Network(config, n_bands).to(device)
        tasks[name] = make(network, plain, batch, reference)
    networks = {}
    for precision, dtype in _precisions(device).items():
        for n in (1, LOCKSTEP, GPU_LOCKSTEP) if device.type == "cuda" else (1, LOCKSTEP):
            name = f"ours, {precision}, {n} network{'s' * (n > 1)}"
            tasks[name] = finetuning_step(galaxies, n, precision, device, config, batch)
            networks[name] = n
        name = f"bare matrix products, {precision}"
        stacks = ("encoder", "photoz")
        networks[name] = GPU_LOCKSTEP if device.type == "cuda" else 1
        tasks[name] = references.bare_matmuls(
            config, n_bands, batch, networks[name], dtype, device, stacks, backward=True
        )
    return tasks, networks


def finetuning_step(
    galaxies: Catalogue,
    n_networks: int,
    precision: str,
    device: torch.device,
    network_config: NetworkConfig = PAPER,
    batch: int = BATCH,
) -> Callable[[], torch.Tensor]:
    """A step of `photoz.training.finetune`; it returns the losses, (network,)."""
    config = FinetuningConfig(precision=precision, batch_size=batch)
    transform = FluxRatio(galaxies.bands, galaxies.reference_band)
    folds = np.arange(len(galaxies)) % max(2, n_networks)
    members = [training_galaxies(galaxies, folds, k, 1.0, SEED) for k in range(n_networks)]
    generators = seeded_generators(network_seeds(SEED, n_networks, WEIGHTS))
    redshift_max = float(galaxies.redshift.max())
    network = DeepZ(network_config, len(galaxies.bands), generators, redshift_max).to(device)
    generators = seeded_generators(network_seeds(SEED, n_networks, TRAINING), device)
    finetuner = Finetuner(
        galaxies, members, TrainedNetworks(network, transform), config, batch, generators
    )
    return partial(finetuner.step, config.learning_rate)


def pretraining_tasks(
    device: torch.device, config: NetworkConfig = PAPER, batch: int = BATCH
) -> tuple[dict[str, Task], dict[str, int]]:
    """A step of every rival on galaxies at signal-to-noise 10 and 35."""
    galaxies = catalogue(8 * batch)
    transform = FluxRatio(galaxies.bands, galaxies.reference_band)
    noise = FixedSNR((10.0,) * NARROW + (35.0,) * BROAD)
    flux, redshift = _tensors(galaxies.flux, galaxies.redshift, transform, device)
    error = torch.as_tensor(noise.error(flux), dtype=flux.dtype, device=device)
    n_bands = len(galaxies.bands)
    torch.manual_seed(0)
    tasks: dict[str, Task] = {}
    for name, make in (
        ("public", references.public_pretraining_step),
        ("plain", references.plain_pretraining_step),
    ):
        network = references.Network(config, n_bands).to(device)
        tasks[name] = make(network, flux, error, redshift, batch)
    for precision, dtype in _precisions(device).items():
        training = PretrainingConfig(precision=precision, batch_size=batch)
        ours = _Pretrainer(config, 1.2, transform, noise, training, 0, device)

        def step(ours: _Pretrainer = ours) -> Any:
            index = ours.batch(len(flux))
            return ours.step(flux[index], redshift[index], 1e-4)

        tasks[f"ours, {precision}, 1 network"] = step
        tasks[f"bare matrix products, {precision}"] = references.bare_matmuls(
            config, n_bands, batch, 1, dtype, device, ("encoder", "decoder", "photoz"), True
        )
    return tasks, {}


def growth(
    device: torch.device, config: NetworkConfig = PAPER, repeats: int = 5, n: int = 4000
) -> dict[str, Any]:
    """Milliseconds per step and network as one size changes, in float32.

    With the number of training galaxies an epoch has more steps; a step itself must not grow.
    """

    def step(
        n_networks: int = 1, n: int = n, narrow: int = NARROW, batch: int = BATCH, width: int = 0
    ) -> Task:
        shape = replace(config, width=width or config.width)
        made = catalogue(n, narrow)
        return finetuning_step(made, n_networks, "float32", device, shape, batch)

    def scan(tasks: dict[str, Task], networks: dict[str, int] | None = None) -> dict[str, float]:
        seconds = timed(tasks, device, repeats)
        return {k: 1e3 * s / (networks or {}).get(k, 1) for k, s in seconds.items()}

    counts = {f"{n}": n for n in (1, 2, 5, 10)}
    return {
        "networks": scan({k: step(n) for k, n in counts.items()}, counts),
        "training galaxies": scan({f"{n}": step(n=n) for n in TRAINING_SIZES}),
        "bands": scan({f"{n + BROAD}": step(narrow=n) for n in (40, 80, 160)}),
        "batch": scan({f"{b}": step(batch=b) for b in (100, 250, 500, 1000)}),
        "width": scan({f"{w}": step(width=w) for w in (125, 250, 500)}),
    }


def _precisions(device: torch.device) -> dict[str, torch.dtype]:
    names = PRECISIONS if native_bfloat16(device) else {"float32": torch.float32}
    return dict(names)


def _plain_galaxies(galaxies: Catalogue, device: torch.device) -> references.Galaxies:
    assert galaxies.exposures is not None
    arrays = (
        galaxies.flux,
        galaxies.exposures.flux,
        galaxies.exposures.error**-2.0,
        galaxies.redshift,
    )
    return references.Galaxies(
        *(torch.as_tensor(np.asarray(a, np.float32), device=device) for a in arrays)
    )
