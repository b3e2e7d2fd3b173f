"""How fast one core of the machine at hand is, measured in half a second.

Of several turns the shortest counts: it is the speed of a core that has nothing else to do, however
busy the machine is meanwhile.

`python -m photoz.machine` prints it as JSON. `measure` runs that in a process of its own, because
threads are chosen when torch is loaded, and a workflow that only asks should not keep torch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

SHAPE = (500, 250)
"""Of the products: a batch of the benchmarks through a layer of the paper."""
TURNS = 25
REFERENCE_WORK = 0.0028
"""Processor seconds of `ordinary_work` on the machine of the constants in `photoz.costs`.

`python -m benchmarks costs` prints it as `work_seconds`, before and after what it measures."""


@dataclass(frozen=True)
class Machine:
    """Speeds of one core, and of a GPU where there is one.

    Attributes
    ----------
    float32, bfloat16 : float
        Products of matrices, FLOP per second of one core. Where the processor does not multiply
        bfloat16 in hardware, `auto` is float32, and both are the same.
    work_seconds : float
        Of `ordinary_work`.
    gpu_float32, gpu_bfloat16 : float or None
        Products of fifty networks' matrices on the GPU, FLOP per second; None without one.
    measured : bool
        False for the numbers of the machine on which the constants were measured.
    """

    float32: float = 9.5e10
    bfloat16: float = 4.1e11
    work_seconds: float = REFERENCE_WORK
    gpu_float32: float | None = None
    gpu_bfloat16: float | None = None
    measured: bool = False

    @property
    def slowness(self) -> float:
        """Time of work that is no matrix product, in units of the machine of the constants."""
        return self.work_seconds / REFERENCE_WORK

    def rate(self, precision: str, on_gpu: bool = False) -> float:
        """FLOP per second of products in `float32`, `bfloat16` or `auto`, which is the latter."""
        exact, rough = self.float32, self.bfloat16
        if on_gpu:
            assert self.gpu_float32 is not None and self.gpu_bfloat16 is not None
            exact, rough = self.gpu_float32, self.gpu_bfloat16
        return exact if precision == "float32" else rough


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure(timeout: float = 30.0) -> Machine:
    """Measure one core in a process of its own with one thread.

    Parameters
    ----------
    timeout : float
        Seconds after which to stop waiting.

    Returns
    -------
    Machine
        That of the constants, with `measured` false, where measuring failed: an estimate is
        better than none.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "photoz.machine"],
            env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        return Machine(**json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return Machine()


def measure_here() -> Machine:
    """Measure in this process; torch is left with one thread."""
    import torch

    from photoz.training.device import native_bfloat16

    torch.set_num_threads(1)

    def rates(name: str) -> tuple[float, float]:
        device = torch.device(name)
        float32 = product_rate(torch.float32, device)
        native = native_bfloat16(device)
        return float32, product_rate(torch.bfloat16, device) if native else float32

    float32, bfloat16 = rates("cpu")
    work = _least(ordinary_work, time.process_time)
    gpu = rates("cuda") if torch.cuda.is_available() else (None, None)
    return Machine(float32, bfloat16, work, gpu[0], gpu[1], measured=True)


def product_rate(dtype: Any, device: Any) -> float:
    """FLOP per second of (500, 250) x (250, 250): by processor time, on a GPU by the clock."""
    import torch

    rows, width = SHAPE
    # A GPU is asked for so many networks that launching their products takes no time beside them.
    networks, repeats = (50, 20) if device.type == "cuda" else (1, 8)
    x = torch.rand(networks, rows, width, device=device).to(dtype)
    w = torch.rand(networks, width, width, device=device).to(dtype)

    def products() -> None:
        for _ in range(repeats):
            torch.bmm(x, w)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    clock = time.perf_counter if device.type == "cuda" else time.process_time
    return 2.0 * networks * repeats * rows * width * width / _least(products, clock)


def ordinary_work() -> None:
    """A little of what a run does besides products: arithmetic on arrays, sorting, plain Python."""
    import numpy as np

    values, other = np.full(SHAPE, 0.5, np.float32), np.empty(SHAPE, np.float32)
    for _ in range(40):
        np.multiply(values, 0.5, out=other)
        np.add(other, 0.25, out=values)
    np.sort(np.sin(np.arange(100_000.0)))
    sum(k * k for k in range(30_000))


def _least(task: Callable[[], None], clock: Callable[[], float]) -> float:
    """Least seconds of a task: what it takes while nothing else disturbs the core."""
    seconds = []
    for _ in range(TURNS):
        start = clock()
        task()
        seconds.append(clock() - start)
    return max(min(seconds), 1e-9)


if __name__ == "__main__":
    print(json.dumps(asdict(measure_here())))
