"""Template fits: exact against published, accuracy, growth with the number of galaxies.

Mock PAUS galaxies are fitted with the 35 runs at 1491 redshifts. The published algorithm is
1000 multiplicative updates with numpy, as BCNz2 does them (`photoz.templates.multiplicative`).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from benchmarks.timing import interleaved
from photoz.simulations.mock import MockConfig, make_mock
from photoz.survey.catalogue import Catalogue, read_catalogue, write_catalogue
from photoz.survey.survey import load_survey
from photoz.templates import (
    ModelConfig,
    ModelGrid,
    TemplateFitConfig,
    build_model,
    fit_catalogue,
    read_model,
    write_model,
)
from photoz.templates.fit import chi2_curves, compile_kernels
from photoz.templates.photometry import prepare

ROOT = Path(__file__).parents[1]
SURVEY = ROOT / "config" / "surveys" / "paus.yaml"
GALAXIES = 128
CATALOGUE = 8566  # galaxies of the paper
NEAR = 60.0  # chi2 above the minimum that still matters
PUBLISHED = TemplateFitConfig(method="multiplicative")
METHODS = {
    "coarse to fine": TemplateFitConfig(),
    "all redshifts": TemplateFitConfig(coarse_step=1),
    "all redshifts, k = 1": TemplateFitConfig(coarse_step=1, fit_scale=False),
}


def run(full: bool = False) -> dict[str, Any]:
    """Measure speed and accuracy; `full` fits a catalogue of 8566 galaxies as well.

    Returns
    -------
    dict
        Processor seconds per galaxy and core of each method and how many times faster than the
        published algorithm they are; growth from 128 to 512 galaxies; agreement with scipy;
        what coarse to fine missed; what the published algorithm left in chi2.
    """
    survey = load_survey(SURVEY)
    started = time.process_time()
    model = build_model(survey.bands, ModelConfig())
    built = time.process_time() - started
    mock = make_mock(survey, MockConfig(n_galaxies=4 * GALAXIES), 1)
    compile_kernels()
    result = {
        "model": {"seconds to build": built, "megabytes": model.flux.nbytes / 1e6},
        **speed(model, mock),
        "agreement with scipy.optimize.nnls": agreement(model, mock),
        "coarse to fine against all redshifts": missed(model, mock),
        "published against exact": convergence(model, mock),
    }
    if full:
        result["catalogue"] = catalogue(model)
    return result


def _fit(model: ModelGrid, mock: Catalogue, n: int, config: TemplateFitConfig) -> None:
    fit_catalogue(model, mock.flux[:n], mock.error[:n], config)


def speed(model: ModelGrid, mock: Catalogue) -> dict[str, Any]:
    """Processor time of each method per galaxy, interleaved, and the growth with their number."""
    tasks = {
        name: lambda config=config: _fit(model, mock, GALAXIES, config)
        for name, config in METHODS.items()
    }
    tasks["published"] = lambda: _fit(model, mock, 1, PUBLISHED)
    seconds = interleaved(tasks, 3, time.process_time)
    each = {
        name: value / (1 if name == "published" else GALAXIES) for name, value in seconds.items()
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sizes = interleaved(
        {
            n: lambda n=n: _fit(model, mock, n, TemplateFitConfig())
            for n in (GALAXIES, 4 * GALAXIES)
        },
        3,
        time.process_time,
    )
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "milliseconds per galaxy and core": {name: 1e3 * value for name, value in each.items()},
        "times the published speed": {name: each["published"] / each[name] for name in METHODS},
        "minutes for 8566 galaxies on 2 cores": each["coarse to fine"] * CATALOGUE / 120,
        "time per galaxy at 512 over at 128": sizes[4 * GALAXIES] / sizes[GALAXIES] / 4,
        "memory grown between 128 and 512 galaxies, MB": (after - before) / 1e3,
    }


def _curves(
    model: ModelGrid, mock: Catalogue, rows: slice, config: TemplateFitConfig
) -> tuple[np.ndarray, int]:
    """chi2 of every run and redshift (run, z, g) and the number of problems solved."""
    photometry = prepare(model, mock.flux[rows], mock.error[rows], config)
    every = np.empty((len(model.runs), len(model.redshift), len(photometry)))
    return every, chi2_curves(model, photometry, config, None, every).fitted


def agreement(model: ModelGrid, mock: Catalogue, problems: int = 4000) -> dict[str, float]:
    """Relative difference from scipy in problems of real fits within 60 of the minimum, k = 1."""
    rng = np.random.default_rng(2)
    config = METHODS["all redshifts, k = 1"]
    every, _ = _curves(model, mock, slice(0, 32), config)
    near = np.argwhere(every < every.min(axis=(0, 1)) + NEAR)
    differences = []
    for r, z, g in near[rng.integers(len(near), size=problems)]:
        error = mock.error[g].astype(float)
        matrix = model.run_flux(r)[:, z].astype(float) / error
        expected = nnls(matrix.T, mock.flux[g] / error)[1] ** 2
        differences.append(abs(every[r, z, g] / expected - 1))
    return {
        "problems": float(problems),
        "largest relative difference of chi2": float(np.max(differences)),
    }


def missed(model: ModelGrid, mock: Catalogue) -> dict[str, float]:
    """What coarse to fine leaves out where chi2 is within 60 of the minimum."""
    near = lost = fitted = every_one = 0
    largest = change = 0.0
    for start in range(0, len(mock), 64):
        rows = slice(start, start + 64)
        full, solved_all = _curves(model, mock, rows, METHODS["all redshifts"])
        fine, solved = _curves(model, mock, rows, METHODS["coarse to fine"])
        inside = full < full.min(axis=(0, 1)) + NEAR
        found = np.isfinite(fine)
        near, lost = near + int(inside.sum()), lost + int((inside & ~found).sum())
        both = inside & found
        largest = max(largest, float(np.max(np.abs(fine[both] / full[both] - 1))))
        change = max(change, float(np.max(np.abs(fine.min((0, 1)) - full.min((0, 1))))))
        fitted, every_one = fitted + solved, every_one + solved_all
    return {
        "galaxies": float(len(mock)),
        "problems within 60 of the minimum": float(near),
        "of these not fitted": float(lost),
        "largest relative difference of chi2": largest,
        "largest difference of the minimum": change,
        "problems solved per galaxy": fitted / len(mock),
        "share of all problems": fitted / every_one,
    }


def convergence(model: ModelGrid, mock: Catalogue, galaxies: int = 4) -> dict[str, float]:
    """Excess of chi2 after 1000 multiplicative updates where the exact one is within 60 of best."""
    rows = slice(0, galaxies)
    exact, _ = _curves(model, mock, rows, METHODS["all redshifts"])
    published, _ = _curves(model, mock, rows, PUBLISHED)
    near = exact < exact.min(axis=(0, 1)) + NEAR
    excess = (published - exact)[near]
    shift = published.min((0, 1)) - exact.min((0, 1))
    return {
        "galaxies": float(galaxies),
        "problems within 60 of the minimum": float(near.sum()),
        "median excess of chi2": float(np.median(excess)),
        "95 per cent": float(np.quantile(excess, 0.95)),
        "largest": float(excess.max()),
        "lowest": float(excess.min()),
        "mean excess of the minimum": float(np.mean(shift)),
    }


def catalogue(model: ModelGrid, processes: int | None = None) -> dict[str, float]:
    """Fit 8566 galaxies in processes of one thread, one per core, by the clock."""
    processes = processes or len(os.sched_getaffinity(0))
    survey = load_survey(SURVEY)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder / "model.h5", model)
        mock = make_mock(survey, MockConfig(n_galaxies=CATALOGUE), 2)
        for part in range(processes):
            write_catalogue(folder / f"{part}.h5", mock.take(np.arange(part, CATALOGUE, processes)))
        started = time.perf_counter()
        jobs = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.templates", str(folder), str(part)],
                cwd=ROOT,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
            for part in range(processes)
        ]
        if any(job.wait() for job in jobs):
            raise RuntimeError("a process of the benchmark failed")
        seconds = time.perf_counter() - started
    return {"processes": float(processes), "minutes": seconds / 60}


def _part(folder: Path, part: str) -> None:
    mock = read_catalogue(folder / f"{part}.h5")
    fit_catalogue(read_model(folder / "model.h5"), mock.flux, mock.error)


if __name__ == "__main__":
    _part(Path(sys.argv[1]), sys.argv[2])
