"""What one job of a run costs: products of matrices, other work, memory and disk.

Products are counted from the network's shape (`photoz.training_costs`). Everything else is a
constant times what it is proportional to. Constants are processor seconds of one core of an AMD
EPYC with AVX-512 and bfloat16; without another command beside them they come from the benchmark
tables of `snakemake all --cores 2` (docs/sizes.md says how far off they are). A rule that this
module does not know costs what a small one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from photoz import stages

FILE_GALAXIES = 8566
"""Galaxies of a catalogue that is read from a file, which is not opened: those of the paper."""

START, START_TORCH = 1.2, 2.4
"""Imports of a job, without and with torch."""
SIMULATE = {"populations": 28e-6, "templates": 25e-6}
"""A simulated galaxy: `python -m benchmarks simulate --full`, and config/simulations.yaml."""
SIMULATE_FSPS = 66e-3
"""A galaxy of `engine: fsps`: `python -m benchmarks simulate` with FSPS."""
TEMPLATE_FIT = {"coarse": 9.9e-3, "all": 27.5e-3, "multiplicative": 4.7}
"""A galaxy in 35 runs at 1491 redshifts: `python -m benchmarks templates`."""
TEMPLATE_AT_REDSHIFT = 175e-6
"""A galaxy in 35 runs at its own redshift, in zero-points and priors: config/templates.yaml."""
TEMPLATE_MODEL, TEMPLATE_START = 8.5, 6.0
"""The model in 35 runs at 1491 redshifts; loading of kernels and model: config/templates.yaml."""
PUBLISHED = {"redshifts": 1491, "runs": 35, "iterations": 1000}
RUNS = {"ellipticals": 1}
ENSEMBLE = 2.2e-6
"""A component of the p(z) of a galaxy."""
EVALUATE, EVALUATE_COMPONENT, EVALUATE_PAIR = 3.4, 24e-6, 4e-8
"""With 300 bootstrap samples of 8566 galaxies; the score of each component, and of each pair."""
COMPARE = 0.5
"""A pair of variants on a catalogue, with as many."""

MB = 1e6
MEMORY, MEMORY_TORCH, MEMORY_TRAINING = 210 * MB, 420 * MB, 550 * MB
"""Peak of a job with little data: without torch, with it, and in training."""
FLOAT = 4


@dataclass(frozen=True)
class Cost:
    """What a job takes, in units of the machine of the constants.

    Attributes
    ----------
    work : float
        Processor seconds of everything but products.
    products : float
        FLOP of matrix products.
    precision : str
        Of the products while training.
    kernels : float
        What `work` is on a GPU, its start aside: seconds by the clock of an NVIDIA H200.
    gpu : bool
        Whether the job uses one.
    memory, disk : float
        Peak bytes, and bytes of results.
    """

    work: float = START
    products: float = 0.0
    precision: str = "float32"
    kernels: float = 0.0
    gpu: bool = False
    memory: float = MEMORY
    disk: float = 0.0


@dataclass(frozen=True)
class Run:
    """A resolved configuration and the numbers of its survey.

    Attributes
    ----------
    config : mapping
    n_bands, n_narrow, n_exposures : int
        Bands, narrow bands, and the largest number of exposures of each.
    """

    config: Mapping[str, Any]
    n_bands: int
    n_narrow: int
    n_exposures: int

    def galaxies(self, catalogue: str) -> int:
        """Galaxies of a catalogue."""
        return int(self.config["catalogues"][catalogue].get("n_galaxies", FILE_GALAXIES))

    def learned_from(self, catalogue: str, fraction: float) -> int:
        """Galaxies that the network of a fold learns from."""
        n_folds = self.config["splits"]["n_folds"]
        return max(1, round(fraction * self.galaxies(catalogue) * (n_folds - 1) / n_folds))

    @property
    def n_folds(self) -> int:
        """Networks of a split."""
        return int(self.config["splits"]["n_folds"])


def simulated(section: Mapping[str, Any]) -> float:
    """Seconds of one simulated galaxy."""
    if section.get("engine") == "fsps":
        return SIMULATE_FSPS
    return SIMULATE.get(section["kind"], SIMULATE["populations"])


def simulate(run: Run, what: list[str]) -> Cost:
    """A chunk of simulated galaxies."""
    section = run.config["simulations"][what[0]]
    n = stages.chunks(run.config, what[0])[int(what[1].removeprefix("chunk-"))]
    parameters = 19 if section["kind"] == "templates" else 9
    return Cost(
        work=START + 1.2 + n * simulated(section),
        memory=360 * MB,
        disk=n * FLOAT * (run.n_bands + parameters + 3),
    )


def components(run: Run, chosen: stages.Training) -> int:
    """Components of the p(z) of one split: twice as many once calibrated, two for neighbours."""
    if chosen.network is None:
        return 2
    section = run.config["finetuning"][chosen.finetuning]
    twice = 2 if section["calibrate"] else 1
    return twice * int(run.config["networks"][chosen.network]["components"])


def _grid(run: Run, templates: str) -> tuple[int, float]:
    """Redshifts of a template fit, and its size in units of the published one's."""
    model = run.config["templates"][templates]["model"]
    span = model["redshift_max"] - model["redshift_min"]
    n_redshifts = int(span / model["redshift_step"] + 1e-6) + 1
    runs = RUNS.get(model["runs"], PUBLISHED["runs"]) / PUBLISHED["runs"]
    return n_redshifts, n_redshifts / PUBLISHED["redshifts"] * runs


def template_model(run: Run, what: list[str]) -> Cost:
    """Model fluxes of a template fit."""
    size = _grid(run, what[0])[1]
    return Cost(2 + TEMPLATE_MODEL * size, memory=(300 + 560 * size) * MB, disk=89 * MB * size)


def template_learned(run: Run, what: list[str], rounds: int | None = None) -> Cost:
    """Zero-points, in at most so many rounds, or the prior, in one."""
    chosen = stages.trainings(run.config)[what[1]]
    section = run.config["templates"][chosen.templates]
    runs = RUNS.get(section["model"]["runs"], PUBLISHED["runs"]) / PUBLISHED["runs"]
    each = runs * TEMPLATE_AT_REDSHIFT * run.learned_from(what[0], chosen.fraction)
    work = TEMPLATE_START + each * (rounds or section["fit"]["zero_point_rounds"])
    size = _grid(run, chosen.templates or "")[1]
    return Cost(work, memory=(300 + 500 * size) * MB, disk=0.03 * MB)


def template_fit(run: Run, what: list[str]) -> Cost:
    """p(z) of a part of the galaxies of a fold."""
    section = run.config["templates"][stages.trainings(run.config)[what[1]].templates]
    fit = section["fit"]
    n_redshifts, size = _grid(run, stages.trainings(run.config)[what[1]].templates or "")
    if fit["method"] == "multiplicative":
        each = TEMPLATE_FIT["multiplicative"] * fit["iterations"] / PUBLISHED["iterations"]
    else:
        each = TEMPLATE_FIT["all" if fit["coarse_step"] == 1 else "coarse"]
    n = run.galaxies(what[0]) / run.n_folds / section["jobs_per_fold"]
    return Cost(
        TEMPLATE_START + n * each * size,
        memory=(300 + 500 * size) * MB + 3 * 8 * n * n_redshifts,
        disk=n * FLOAT * n_redshifts,
    )


def template_gather(run: Run, what: list[str]) -> Cost:
    """p(z) of all folds in one file."""
    n_redshifts = _grid(run, stages.trainings(run.config)[what[1]].templates or "")[0]
    stored = run.galaxies(what[0]) * FLOAT * n_redshifts
    return Cost(START + 1, memory=MEMORY + 3 * stored, disk=stored)


def observe(run: Run, what: list[str]) -> Cost:
    """A catalogue."""
    n = run.galaxies(what[0])
    exposures = 2 * FLOAT * run.n_narrow * run.n_exposures
    return Cost(
        START + 1.0 + n * 140e-6, memory=450 * MB, disk=n * (exposures + 8 * run.n_bands + 200)
    )


def ensemble(run: Run, what: list[str]) -> Cost:
    """The p(z) and the tables of a variant."""
    n, (per_galaxy, splits) = run.galaxies(what[0]), _p_of_z(run, what[1])
    stored = _stored(run, what[1])
    return Cost(
        START + n * per_galaxy * ENSEMBLE,
        memory=MEMORY + 11 * n * stored,
        disk=n * (stored + 140 + 75 * splits),
    )


def evaluate(run: Run, what: list[str]) -> Cost:
    """The metrics of a variant."""
    n, (per_galaxy, _) = run.galaxies(what[0]), _p_of_z(run, what[1])
    samples = run.config["evaluation"]["n_boot"] / 300 * n / 8566
    scores = EVALUATE_COMPONENT * per_galaxy + EVALUATE_PAIR * per_galaxy**2
    return Cost(
        START + EVALUATE * samples + n * scores,
        memory=MEMORY + n * (4000 + 6 * _stored(run, what[1])),
        disk=0.04 * MB,
    )


def _p_of_z(run: Run, variant: str) -> tuple[int, int]:
    """Components of the ensemble's p(z), a grid counting as twenty, and its splits."""
    chosen = stages.variant_training(run.config, variant)
    splits = int(run.config["variants"][variant]["splits"])
    return (20 if chosen.templates else splits * components(run, chosen)), splits


def _stored(run: Run, variant: str) -> int:
    """Bytes of the ensemble's p(z) of a galaxy."""
    templates = stages.variant_training(run.config, variant).templates
    if templates:
        return FLOAT * _grid(run, templates)[0]
    return 3 * FLOAT * _p_of_z(run, variant)[0]


def compare(run: Run, what: list[str]) -> Cost:
    """All comparisons."""
    pairs = len(stages.comparisons(run.config)) + len(run.config["evaluation"]["contrasts"])
    samples = run.config["evaluation"]["n_boot"] / 300
    work = COMPARE * pairs * len(run.config["catalogues"]) * samples
    return Cost(START + work, memory=240 * MB)
