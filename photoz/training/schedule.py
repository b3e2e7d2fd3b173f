"""Learning-rate schedules and optimisers."""

from __future__ import annotations

import math

import torch

from photoz.training.config import FinetuningConfig, PretrainingConfig

WARM_UP = 0.3  # part of a one-cycle schedule spent rising
FIRST_DIVISOR, LAST_DIVISOR = 25.0, 1e4


def learning_rate(step: int, n_steps: int, config: PretrainingConfig | FinetuningConfig) -> float:
    """Learning rate of a step.

    Parameters
    ----------
    step, n_steps : int
        The step, from 0, and how many there are.
    config : PretrainingConfig or FinetuningConfig
        `one_cycle` rises along a cosine from 1/25 of `learning_rate` to it in the first 30 % and
        falls to 1e-4 of it (Smith & Topin 2019); `stepwise` keeps the proportions of its list of
        (epochs, learning rate) pairs, by default those of the paper (section 2.4).
    """
    progress = step / n_steps
    if config.schedule == "stepwise":
        total = sum(epochs for epochs, _ in config.stepwise)
        passed = 0.0
        for epochs, rate in config.stepwise:
            passed += epochs / total
            if progress < passed - 1e-12:
                return float(rate)
        return float(config.stepwise[-1][1])
    peak = config.learning_rate
    if progress < WARM_UP:
        low, phase = peak / FIRST_DIVISOR, 1 - progress / WARM_UP
    else:
        low, phase = peak / LAST_DIVISOR, (progress - WARM_UP) / (1 - WARM_UP)
    return low + (peak - low) * 0.5 * (1 + math.cos(math.pi * phase))


def make_optimiser(
    network: torch.nn.Module, config: PretrainingConfig | FinetuningConfig
) -> torch.optim.Adam:
    """Adam over the parameters that take part, all in one fused update.

    On a GPU its learning rate is a tensor, which recorded steps read anew (`replay`).
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    gpu = parameters[0].is_cuda
    rate = torch.tensor(config.learning_rate, device=parameters[0].device)
    return torch.optim.Adam(
        parameters, rate if gpu else config.learning_rate, weight_decay=config.weight_decay,
        fused=True, capturable=gpu,
    )  # fmt: skip


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Change the learning rate of every parameter."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
