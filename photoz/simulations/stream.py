"""Simulated galaxies without end: drawn while a network trains, none seen twice.

Block k of a stream holds what chunk k of a stored simulation of the same seed would hold. A second
process computes one block ahead; order and bytes do not depend on who waits for whom.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.messages import receive, send
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import Simulation, chunk_generator, simulate
from photoz.simulations.template_population import TemplatePopulation
from photoz.simulations.template_simulation import TemplateSimulator
from photoz.sps.grid import SSPGrid
from photoz.survey.bands import BandSet

Draw = Callable[[int, np.random.Generator], Simulation]
Galaxies = tuple[NDArray[np.float32], NDArray[np.float64]]
"""Fluxes (n, band) and redshifts (n,)."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def make_draw(
    kind: str,
    galaxies: Mapping[str, Any],
    bands: BandSet,
    reference: str,
    grid: SSPGrid | None = None,
    device: str | None = None,
) -> Draw:
    """Return what simulates galaxies of a configured simulation.

    Parameters
    ----------
    kind : str
        ``populations`` or ``templates``.
    galaxies : mapping
        The prior of populations, or the population of templates, as configured.
    bands : BandSet
    reference : str
        Reference band.
    grid, device
        Of populations, as in `simulate`.

    Raises
    ------
    InputError
        If `galaxies` are not what the kind expects.
    """
    if kind == "templates":
        return TemplateSimulator(TemplatePopulation.from_mapping(galaxies), bands, reference).draw
    prior = Prior.from_mapping(galaxies)
    return partial(simulate, prior, bands, reference=reference, grid=grid, device=device)


class GalaxyStream:
    """Galaxies handed out in order; a context manager that leaves no process behind.

    At most three blocks are in memory: the one that is handed out, one on its way and the one being
    computed.

    Parameters
    ----------
    draw : callable
        ``draw(n, rng)`` simulates n galaxies: what `make_draw` returns. In the background it is
        pickled.
    block_size : int
        Galaxies computed at once.
    seed : int
        Block k is drawn with ``chunk_generator(seed, k)``.
    background : bool
        Compute in a second process, with one thread; else in this one, when a block is needed.
    """

    def __init__(self, draw: Draw, block_size: int, seed: int, background: bool = True) -> None:
        if block_size < 1:
            raise InputError(f"blocks of {block_size} galaxies; give at least 1")
        self._draw, self._size, self._seed, self._background = draw, block_size, seed, background
        self._process: subprocess.Popen[bytes] | None = None
        self._rest: Galaxies | None = None
        self._blocks = self._start(0)

    def take(self, n: int) -> Galaxies:
        """Return the next `n` galaxies.

        Raises
        ------
        InputError
            What the simulation raised.
        RuntimeError
            If the second process was killed or failed otherwise.
        """
        parts: list[Galaxies] = []
        missing = n
        while missing > 0:
            flux, redshift = self._rest if self._rest is not None else self._next_block()
            parts.append((flux[:missing], redshift[:missing]))
            self._rest = (flux[missing:], redshift[missing:]) if len(flux) > missing else None
            missing -= len(parts[-1][0])
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([f for f, _ in parts]), np.concatenate([z for _, z in parts])

    def skip(self, n: int) -> None:
        """Leave out the next `n` galaxies; whole blocks of them are not even simulated."""
        rest = 0 if self._rest is None else len(self._rest[0])
        whole, left = divmod(n - rest, self._size)
        if whole > 0:
            self._blocks.close()
            self._rest, self._blocks = None, self._start(self._next + whole)
            n = left
        if n:
            self.take(n)

    def close(self) -> None:
        """Stop the second process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, first: int) -> Generator[Galaxies]:
        """Blocks from number `first` on."""
        self._next = first
        work = (self._draw, self._size, self._seed, first)
        return self._from_process(work) if self._background else blocks(*work)

    def _next_block(self) -> Galaxies:
        block = next(self._blocks)
        self._next += 1
        return block

    def _from_process(self, work: tuple[Draw, int, int, int]) -> Generator[Galaxies]:
        environment = os.environ | _ONE_THREAD
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        process = self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            send(process.stdin, work)
            process.stdin.close()
            while True:
                block = receive(process.stdout)
                if isinstance(block, Exception):
                    raise block
                yield block
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(
                f"the process that simulates galaxies ended with status {process.wait()}"
            ) from error
        finally:
            self.close()


def blocks(draw: Draw, block_size: int, seed: int, first: int = 0) -> Generator[Galaxies]:
    """Simulate block after block, from number `first` on."""
    for block in count(first):
        simulation = draw(block_size, chunk_generator(seed, block))
        yield simulation.flux, simulation.redshift


def serve() -> None:
    """Write blocks to standard output until nobody reads them; the second process runs this.

    The pipe holds less than a block, so the next one is computed while its predecessor is used,
    and no more.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever reads decides when to stop
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the galaxies
    try:
        _serve(pipe)
    except BrokenPipeError:
        os._exit(0)  # without a second attempt to flush


def _serve(pipe: BinaryIO) -> None:
    try:
        for block in blocks(*receive(sys.stdin.buffer)):
            send(pipe, block)
    except BrokenPipeError:
        raise
    except Exception as error:
        send(pipe, error)
