"""Timing that survives a shared machine: rivals take turns, and medians count."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def interleaved(
    tasks: Mapping[str, Callable[[], Any]],
    repeats: int = 5,
    clock: Callable[[], float] = time.perf_counter,
    warm_up: int = 1,
) -> dict[str, float]:
    """Time tasks in turns, after rounds that do not count.

    Whatever else the machine does then slows all of them alike, so that their ratios hold where the
    figures themselves drift.

    Parameters
    ----------
    tasks : mapping of name to callable
    repeats : int
        Rounds that count.
    clock : callable
        `time.process_time` counts processor time, which a shared machine changes least.
    warm_up : int
        Rounds before, which do not count.

    Returns
    -------
    dict of name to median seconds
    """
    if repeats < 1:
        raise ValueError(f"{repeats} repeats; give at least 1")
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(warm_up + repeats):
        for name, task in tasks.items():
            start = clock()
            task()
            elapsed = clock() - start
            if turn >= warm_up:
                seconds[name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}


def machine() -> dict[str, Any]:
    """Processor, cores, versions and how busy the machine is."""
    import numpy
    import torch

    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def table(result: Mapping[str, Any]) -> str:
    """One line per number of a nested result, four figures each."""
    rows = list(_flat(result))
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _flat(result: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in result.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} / ")
        else:
            # Whole numbers stay whole; the rest gets four figures.
            yield f"{prefix}{name}", f"{value:.4g}" if isinstance(value, float) else str(value)
