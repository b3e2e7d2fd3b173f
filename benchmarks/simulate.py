"""Simulated galaxies per second, memory, and python-fsps beside it.

Chunks of galaxies of Table 1 in the bands of PAUS are made as the workflow makes them: a process
with one thread per chunk, as many side by side as there are cores, start and file included.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import interleaved

ROOT = Path(__file__).parents[1]
SURVEY = ROOT / "config" / "surveys" / "paus.yaml"
SIZES = (10_000, 30_000, 100_000)
FULL_SIZES = (10_000, 100_000, 1_000_000)
CHUNK = 50_000
FSPS_GALAXIES = 20
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(full: bool = False) -> dict[str, Any]:
    """Measure sizes up to 1e5 galaxies, or to 1e6 if `full`.

    Returns
    -------
    dict
        Per size: seconds by the clock, galaxies per second, processor time per galaxy (start
        excluded) and peak memory of a process. Then the growth of the processor time per galaxy
        from the smallest to the largest size; numpy against tensors on the same processor; FSPS.
    """
    sizes = {f"{n} galaxies": chunked(n) for n in (FULL_SIZES if full else SIZES)}
    cost = [size["processor_us_per_galaxy"] for size in sizes.values()]
    return {
        **sizes,
        "growth of processor time per galaxy": cost[-1] / cost[0],
        "engines": _in_process("engines"),
        "python-fsps": fsps(),
    }


def chunked(n: int, chunk: int = CHUNK, processes: int | None = None) -> dict[str, float]:
    """Make `n` galaxies as chunks in processes side by side, one per core by default."""
    processes = processes or len(os.sched_getaffinity(0))
    chunk = max(1, min(chunk, -(-n // processes)))
    sizes = [min(chunk, n - first) for first in range(0, n, chunk)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
        start = time.perf_counter()
        jobs = [
            pool.submit(_in_process, "chunk", f"{folder}/chunk-{k}.h5", str(size), str(k))
            for k, size in enumerate(sizes)
        ]
        done = [job.result() for job in jobs]
        seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "galaxies_per_second": n / seconds,
        "processes": processes,
        "chunks": len(sizes),
        "processor_us_per_galaxy": 1e6 * sum(d["processor"] for d in done) / n,
        "processor_s_of_a_start": float(np.median([d["start"] for d in done])),
        "peak_mb_per_process": max(d["peak_mb"] for d in done),
    }


def fsps() -> dict[str, Any]:
    """Time FSPS itself, where it can be imported and has its data, and us on the same galaxies."""
    if "SPS_HOME" not in os.environ:
        return {"not measured": "SPS_HOME is not set"}
    try:
        return dict(_in_process("fsps"))
    except RuntimeError as error:
        return {"not measured": str(error)}


def _in_process(*arguments: str) -> dict[str, Any]:
    """Run a task of this module in a process with one thread; its last line is its result."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.simulate", *arguments],
        cwd=ROOT,
        env=os.environ | _THREADS,
        capture_output=True,
        text=True,
        check=False,
    )
    try:  # FSPS ends the process with status 0 when a file is missing
        return json.loads(result.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = (result.stderr or result.stdout).strip().splitlines() or ["nothing"]
        raise RuntimeError(f"it ended with status {result.returncode}: {said[-1]}") from None


def _chunk(path: str, n: str, chunk: str) -> dict[str, float]:
    from photoz.simulations.priors import Prior
    from photoz.simulations.simulation import simulate_chunk
    from photoz.survey.survey import load_survey

    bands = load_survey(SURVEY).bands
    simulate_chunk(path, Prior(), bands, 1, 0, 0, "")  # grid, tables: once per process
    start = time.process_time()
    simulate_chunk(path, Prior(), bands, int(n), 1, int(chunk), "")
    return {
        "start": start,
        "processor": time.process_time() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _tables(n: int) -> tuple[Any, Any, Mapping[str, np.ndarray]]:
    from photoz.simulations.priors import Prior, sample
    from photoz.sps import BandProjector, load_grid
    from photoz.survey.survey import load_survey

    grid = load_grid()
    bands = load_survey(SURVEY).bands
    projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, 1.2)
    return grid, projector, sample(Prior(), n, np.random.default_rng(0))


def _engines(n: int = 8192) -> dict[str, float]:
    """Time per galaxy with numpy, with tensors on the processor, and on a GPU if there is one."""
    import torch

    from photoz.sps import simulate_fluxes

    torch.set_num_threads(1)
    grid, projector, galaxies = _tables(n)

    def task(device: str | None) -> Callable[[], Any]:
        return lambda: simulate_fluxes(grid, projector, galaxies, device=device)

    processor = {"numpy": task(None), "tensors on the processor": task("cpu")}
    seconds = interleaved(processor, repeats=3, clock=time.process_time)
    if torch.cuda.is_available():
        seconds |= interleaved({"tensors on a GPU": task("cuda")}, repeats=3)
    return {f"{name}, us per galaxy": 1e6 * value / n for name, value in seconds.items()}


def _fsps(n: int = FSPS_GALAXIES) -> dict[str, float]:
    """Time a spectrum by FSPS (dust, nebular emission) and all our band fluxes per galaxy."""
    import fsps

    from photoz.sps import simulate_fluxes

    grid, projector, galaxies = _tables(n)
    population = fsps.StellarPopulation(
        zcontinuous=1, sfh=1, dust_type=2, add_neb_emission=True, imf_type=1
    )
    names = ("logzsol", "tau", "const", "sf_start", "dust2", "gas_logz")

    def spectra() -> None:
        for row in range(n):
            for name in names:
                population.params[name] = galaxies[name][row]
            population.params["gas_logu"] = min(galaxies["gas_logu"][row], -1.0)
            population.get_spectrum(tage=galaxies["tage"][row], peraa=True)

    many = {name: np.tile(values, 200) for name, values in galaxies.items()}
    seconds = interleaved(
        {"python-fsps": spectra, "photoz": lambda: simulate_fluxes(grid, projector, many)},
        repeats=3,
    )
    theirs, ours = seconds["python-fsps"] / n, seconds["photoz"] / (200 * n)
    return {
        "python-fsps, us per spectrum": 1e6 * theirs,
        "photoz, us per galaxy": 1e6 * ours,
        "ratio": theirs / ours,
    }


if __name__ == "__main__":
    task = {"chunk": _chunk, "engines": _engines, "fsps": _fsps}[sys.argv[1]]
    print(json.dumps(task(*sys.argv[2:])))
