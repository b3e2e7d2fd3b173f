"""What a training step costs besides its products: the constants of `photoz.training_costs`.

Steps of pretraining and fine-tuning of many shapes take turns on one thread; the least processor
time of each counts, as in `photoz.machine`. These times are fitted by non-negative least squares,
in relative errors, as a sum over what a step has: products (at the rate that `photoz.machine`
measures around them), nodes, parameters, layers, random numbers, and the step itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from benchmarks.train import (
    BROAD,
    EXPOSURES,
    NARROW,
    PAPER,
    catalogue,
    finetuning_step,
    one_thread,
)
from photoz import training_costs
from photoz.machine import measure_here
from photoz.networks import FluxRatio, NetworkConfig
from photoz.survey.noise import FixedSNR
from photoz.training.config import PretrainingConfig
from photoz.training.device import native_bfloat16
from photoz.training.pretrain import _Pretrainer, _tensors

COMPACT = NetworkConfig(encoder_layers=5, decoder_layers=5, photoz_layers=5, width=128)
SHALLOW = replace(PAPER, encoder_layers=2, decoder_layers=2, photoz_layers=2)
TERMS = ("PRODUCTS", "PER_ACTIVATION", "PER_PARAMETER", "PER_LAYER", "PER_DRAW", "PER_STEP")
#: Shape, whether pretraining, networks in lockstep, galaxies of each.
STEPS = (
    (PAPER, False, 5, 100),
    (PAPER, False, 1, 500),
    (PAPER, True, 1, 100),
    (PAPER, True, 1, 500),
    (COMPACT, False, 5, 100),
    (COMPACT, False, 5, 500),
    (COMPACT, False, 1, 100),
    (COMPACT, True, 1, 500),
    (COMPACT, True, 1, 100),
    (SHALLOW, False, 5, 100),
    (SHALLOW, True, 1, 500),
)


def run(
    steps: tuple[tuple[NetworkConfig, bool, int, int], ...] = STEPS, repeats: int = 9
) -> dict[str, Any]:
    """Measure, fit, and say how far the fit is off.

    Returns
    -------
    dict
        The machine; the constants, in seconds; and for each step milliseconds measured and over
        fitted.
    """
    device = torch.device("cpu")
    precisions = ["float32", "bfloat16"] if native_bfloat16(device) else ["float32"]
    tasks, rows = {}, {}
    with one_thread():
        for config, pretraining, networks, batch in steps:
            for precision in precisions:
                name = _name(config, pretraining, networks, batch, precision)
                make = _pretraining if pretraining else _finetuning
                tasks[name] = make(config, networks, batch, precision, device)
                rows[name] = (config, pretraining, networks, batch, precision)
        before = measure_here()
        seconds = least(tasks, repeats)
        after = measure_here()
    rates = {name: max(getattr(before, name), getattr(after, name)) for name in precisions}
    table = np.array([_terms(*rows[name], rates) for name in tasks])
    measured = np.array([seconds[name] for name in tasks])
    constants, _ = nnls(table / measured[:, None], np.ones(len(measured)))
    fitted = table @ constants
    return {
        "machine before": asdict(before),
        "machine after": asdict(after),
        "constants": dict(zip(TERMS, map(float, constants), strict=True)),
        "steps": {
            name: {"ms": 1e3 * value, "measured over fitted": float(value / fit)}
            for name, value, fit in zip(tasks, measured, fitted, strict=True)
        },
    }


def least(tasks: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Least processor seconds of each task, in turns."""
    seconds = dict.fromkeys(tasks, float("inf"))
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.process_time()
            task()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def _name(config: NetworkConfig, pretraining: bool, n: int, batch: int, precision: str) -> str:
    kind = "pretraining" if pretraining else "fine-tuning"
    shape = f"3 x {config.encoder_layers} x {config.width}"
    return f"{kind} {shape}, {n} x {batch} galaxies, {precision}"


def _terms(
    config: NetworkConfig,
    pretraining: bool,
    networks: int,
    batch: int,
    precision: str,
    rates: dict[str, float],
) -> list[float]:
    """What the constants are multiplied by, in the order of `TERMS`."""
    step = training_costs.training_step(asdict(config), NARROW + BROAD, pretraining)
    galaxies = networks * batch
    draws = NARROW + BROAD if pretraining else NARROW * EXPOSURES
    products = galaxies * step.products / rates[precision]
    each = (galaxies * step.activations, networks * step.parameters, step.layers)
    return [products, *each, galaxies * draws, 1.0]


def _finetuning(
    config: NetworkConfig, networks: int, batch: int, precision: str, device: torch.device
) -> Any:
    galaxies = catalogue(4 * networks * batch)
    return finetuning_step(galaxies, networks, precision, device, config, batch)


def _pretraining(
    config: NetworkConfig, networks: int, batch: int, precision: str, device: torch.device
) -> Any:
    if networks != 1:
        raise ValueError("pretraining steps are of one network")
    galaxies = catalogue(8 * batch)
    transform = FluxRatio(galaxies.bands, galaxies.reference_band)
    noise = FixedSNR((10.0,) * NARROW + (35.0,) * BROAD)
    flux, redshift = _tensors(galaxies.flux, galaxies.redshift, transform, device)
    training = PretrainingConfig(precision=precision, batch_size=batch)
    ours = _Pretrainer(config, 1.2, transform, noise, training, 0, device)

    def step() -> Any:
        index = ours.batch(len(flux))
        return ours.step(flux[index], redshift[index], 1e-4)

    return step
