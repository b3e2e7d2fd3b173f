"""Where a training stands, saved now and then beside its output, so that a killed one goes on.

A resumed training ends with the very bytes of an uninterrupted one: all that changes from step to
step is in the checkpoint. Who adds such a thing to a training adds it to `Checkpoint.offer` too.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from photoz.checksums import digest, sealed, unsealed
from photoz.files import InputError, replace_when_done, require_file
from photoz.networks.deepz import DeepZ
from photoz.training.checkpoints import METADATA_KEY, tensor_digest

logger = logging.getLogger(__name__)

SAVE_EVERY = float(os.environ.get("PHOTOZ_SAVE_EVERY", "45"))
"""Seconds between two saves: a killed job loses less than a minute."""


@dataclass(frozen=True)
class Learner:
    """What is trained, and what draws its random numbers."""

    network: DeepZ
    optimiser: torch.optim.Optimizer
    generators: Sequence[torch.Generator]


@dataclass(frozen=True)
class Standing:
    """How far a training is.

    Attributes
    ----------
    step : int
        The step to take next.
    history : list of tuples
        Rows of the table of losses so far.
    tensors : dict of str to Tensor
        What else changes, say the order of the galaxies that are still to come.
    """

    step: int = 0
    history: list[tuple[Any, ...]] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)


class Checkpoint:
    """The checkpoint of one training.

    Parameters
    ----------
    path : path-like or None
        File beside the declared output (of a failed job Snakemake deletes the declared ones).
        Without one nothing is saved.
    identity : mapping
        JSON-able: all that the result depends on, such as the configuration, digests of inputs and
        code. A checkpoint of something else is ignored.
    every : float
        Seconds between two saves.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        identity: Mapping[str, Any] | None = None,
        every: float = SAVE_EVERY,
    ) -> None:
        self.path = None if path is None else Path(path)
        self._identity, self._every = dict(identity or {}), every
        self._saved = time.monotonic()

    def resume(self, learner: Learner) -> Standing:
        """Put a learner where it was; a checkpoint that is damaged or stale is ignored, and said.

        Returns
        -------
        Standing
            Step 0 where there is nothing to go on from.
        """
        self._saved = time.monotonic()
        if self.path is None or not self.path.exists():
            return Standing()
        try:
            description, tensors = _read(self.path)
        except InputError as error:
            logger.warning("%s; the training starts anew", error)
            return Standing()
        if description["identity"] != self._digest(learner):
            logger.warning(
                "%s: of another configuration, input or code; the training starts anew", self.path
            )
            return Standing()
        _restore(learner, tensors)
        standing = Standing(
            int(description["step"]),
            [tuple(row) for row in description["history"]],
            _group(tensors, "state."),
        )
        logger.info("going on from %s at step %d", self.path, standing.step)
        return standing

    def offer(self, learner: Learner, standing: Standing) -> None:
        """Save, if it is time to; where that fails, training goes on all the same."""
        if self.path is None or time.monotonic() - self._saved < self._every:
            return
        tensors = changing_tensors(learner) | {f"state.{k}": v for k, v in standing.tensors.items()}
        tensors = {name: value.detach().cpu().clone() for name, value in tensors.items()}
        description = {
            "identity": self._digest(learner),
            "step": standing.step,
            "history": standing.history,
            "tensors": tensor_digest(tensors),
        }
        try:
            with replace_when_done(self.path) as temporary:
                text = json.dumps(sealed(description), sort_keys=True)
                save_file(tensors, temporary, {METADATA_KEY: text})
        except (InputError, OSError, SafetensorError) as error:
            logger.warning("no checkpoint could be saved: %s", error)
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Delete it, now that the training's results are written."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _digest(self, learner: Learner) -> str:
        where = (learner.generators[0].device.type, torch.__version__, torch.get_num_threads())
        return digest([self._identity, where])


NO_CHECKPOINT = Checkpoint(None)
"""Of trainings that are not worth resuming."""


def changing_tensors(learner: Learner) -> dict[str, Tensor]:
    """All tensors that change while a learner trains; the states of generators are copies."""
    tensors = {f"network.{name}": value for name, value in learner.network.state_dict().items()}
    for k, values in learner.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{k}.{name}": value for name, value in values.items()}
    states = (generator.get_state() for generator in learner.generators)
    return tensors | {f"generator.{k}": state for k, state in enumerate(states)}


def _restore(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    learner.network.load_state_dict(_group(tensors, "network."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _group(tensors, "optimiser.").items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = value
    groups = learner.optimiser.state_dict()["param_groups"]
    learner.optimiser.load_state_dict({"state": state, "param_groups": groups})
    for k, generator in enumerate(learner.generators):
        generator.set_state(tensors[f"generator.{k}"])


def _group(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name.removeprefix(start): v for name, v in tensors.items() if name.startswith(start)}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    require_file(path, "checkpoint")
    try:
        with safe_open(path, framework="pt") as stream:
            description = unsealed(json.loads((stream.metadata() or {})[METADATA_KEY]))
            tensors = {name: stream.get_tensor(name) for name in sorted(stream.keys())}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error})") from error
    if tensor_digest(tensors) != description["tensors"]:
        raise InputError(f"{path}: the checkpoint does not match its checksum")
    return description, tensors
