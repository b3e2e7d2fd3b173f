"""Training steps that a GPU replays as a whole, from a CUDA graph.

A step of many small networks is thousands of short kernels, each over before the processor has
launched the next one. Recorded once, they are launched together. A recording that does not do what
the step does would be worse than a slow step, so that it has to prove itself: its first replays
start from where the step started, and count only if they end where it ended.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from photoz.training.resume import Learner, changing_tensors

logger = logging.getLogger(__name__)

Step = Callable[..., tuple[Tensor, ...]]

WARM_UP = 3  # steps before a recording: the optimiser and the libraries get their memory in them
CHECKS = 2  # one shows that a replay learns, the second one that it takes new inputs and dropout
TOLERANCE = 0.01  # of the length of an update; rounding is far below

_unfinished: list[torch.cuda.CUDAGraph] = []  # recordings that failed: torch may ask for them later


class Recorder(Protocol):
    """Runs steps, and makes of one a callable that repeats it on other inputs."""

    def run(self, step: Step, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Take a step as it is."""

    def record(
        self, step: Step, inputs: Sequence[Tensor], generators: Sequence[torch.Generator]
    ) -> Step:
        """Record a step without taking it."""


class CudaGraphs:
    """Records steps as CUDA graphs. All work runs on one stream, as recordings ask for."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)

    def run(self, step: Step, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Take a step as it is."""
        current = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            outputs = step(*inputs)
        current.wait_stream(self.stream)
        return outputs

    def record(
        self, step: Step, inputs: Sequence[Tensor], generators: Sequence[torch.Generator]
    ) -> Step:
        """Record a step without taking it; replays go on with the generators' random numbers.

        Where that fails the generators start anew: whoever wants their states back has kept them.
        """
        graph, read = torch.cuda.CUDAGraph(), [x.clone() for x in inputs]
        current = torch.cuda.current_stream(self.stream.device)
        with torch.cuda.stream(current):  # where a recording that fails would not return to
            for generator in generators:
                graph.register_generator_state(generator)
            try:
                with torch.cuda.graph(graph, stream=self.stream):
                    written = step(*read)
            except RuntimeError:
                _unfinished.append(graph)
                default = torch.cuda.default_generators[self.stream.device.index]
                # Their states are the recording's now, and of no more use to anybody else.
                for generator in (*generators, default):
                    fresh = torch.Generator(generator.device)
                    generator.graphsafe_set_state(fresh.graphsafe_get_state())
                raise

        def replay(*inputs: Tensor) -> tuple[Tensor, ...]:
            for mine, new in zip(read, inputs, strict=True):
                mine.copy_(new)
            graph.replay()
            return tuple(output.clone() for output in written)

        return replay


class ReplayedStep:
    """A step of a training: taken as it is on a processor, replayed on a GPU.

    Parameters
    ----------
    step : callable
        Takes tensors whose shapes never change, updates the learner and returns losses, a tuple of
        tensors. Everything on the device: it must not ask for a value of a tensor, nor make one
        from numbers of the processor.
    learner : Learner
        All that the step changes.
    recorder : Recorder, optional
        CUDA graphs for a learner on a GPU, none on a processor.
    """

    def __init__(self, step: Step, learner: Learner, recorder: Recorder | None = None) -> None:
        self.step, self.learner = step, learner
        device = learner.generators[0].device
        self.recorder = CudaGraphs(device) if device.type == "cuda" else recorder
        self.replay: Step | None = None
        self.steps = 0

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Take the step and return its losses."""
        if self.recorder is None:
            return self.step(*inputs)
        self.steps += 1
        if self.steps <= WARM_UP:
            return self.recorder.run(self.step, inputs)
        if self.steps <= WARM_UP + CHECKS:
            return self._proven(self.recorder, inputs)
        assert self.replay is not None
        return self.replay(*inputs)

    def _proven(self, recorder: Recorder, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Take the step both ways from the same start; go on without replays if they differ."""
        before = self._state()
        expected, reason = recorder.run(self.step, inputs), "it ends elsewhere than the step itself"
        after = self._state()
        self._restore(before)
        try:
            if self.replay is None:
                self.replay = recorder.record(self.step, inputs, self.learner.generators)
            outputs = self.replay(*inputs)
            if self._agree(outputs, expected, before, after):
                return outputs
        except RuntimeError as error:
            reason = str(error.__context__ or error).splitlines()[0]
        logger.warning("steps are not replayed from a recording: %s", reason)
        self.recorder = self.replay = None
        self._restore(after)
        return expected

    def _state(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in changing_tensors(self.learner).items()}

    @torch.no_grad()
    def _restore(self, state: dict[str, Tensor]) -> None:
        """In place: a recording knows tensors by their address."""
        for name, value in changing_tensors(self.learner).items():
            value.copy_(state[name])
        for k, generator in enumerate(self.learner.generators):  # whose states are copies
            generator.set_state(state[f"generator.{k}"])

    def _agree(
        self,
        outputs: tuple[Tensor, ...],
        expected: tuple[Tensor, ...],
        before: dict[str, Tensor],
        after: dict[str, Tensor],
    ) -> bool:
        """Whether a replay gave the losses of the step, its weights, moments and random states."""
        now = changing_tensors(self.learner)
        random = [name for name in now if name.startswith("generator.")]
        update, difference = _lengths(before, after), _lengths(now, after)
        return (
            all(
                torch.allclose(mine, its, rtol=1e-3, atol=1e-4, equal_nan=True)
                for mine, its in zip(outputs, expected, strict=True)
            )
            and all(difference[kind] <= TOLERANCE * update[kind] for kind in update)
            and all(torch.equal(now[name], after[name]) for name in random)
        )


def _lengths(a: dict[str, Tensor], b: dict[str, Tensor]) -> dict[str, float]:
    """How far apart two states are in all weights together, and in each moment of Adam."""
    squares: dict[str, float] = defaultdict(float)
    for name, value in a.items():
        where, *_, kind = name.split(".")
        if where != "generator":
            kind = kind if where == "optimiser" else where
            squares[kind] += float((value - b[name]).double().square().sum())
    return {kind: square**0.5 for kind, square in squares.items()}
