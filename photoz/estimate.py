"""What a run will take, before it starts: processor time, memory and disk, by kind of job.

The jobs are those of `photoz.stages`; what each costs is in `photoz.costs` and
`photoz.network_costs`; how fast this machine is, `photoz.machine` measures. The estimate is of a
whole run, from nothing.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photoz import costs, exposure_stages, figure_stages, network_costs, stages
from photoz.costs import MB, START_TORCH, Cost, Run
from photoz.machine import Machine, available_cores, measure

OVERHEAD = 1.9
"""Processor seconds that Snakemake itself takes for a job: the time by the clock of `snakemake all
--cores 2`, on both cores, less that in its benchmark tables, over the number of jobs."""

WORTH_MEASURING = 300.0
"""Seconds of a run before which the machine is measured, which takes some three."""

PLAIN = Cost(work=3.0, memory=420 * MB, disk=0.3 * MB)
"""A figure, a table, a page, or a rule that is not known here."""

COSTS: dict[str, Callable[[Run, list[str]], Cost]] = {
    "simulate": costs.simulate,
    "inject_noise": lambda run, what: Cost(2.0, memory=280 * MB, disk=0.42 * MB),
    "learn_noise": lambda run, what: Cost(4.0, memory=540 * MB, disk=1.5 * MB),
    "pretrain": network_costs.pretrain,
    "observe": costs.observe,
    "splits": lambda run, what: Cost(disk=0.09 * MB),
    "finetune": network_costs.finetune,
    "predict": network_costs.predict,
    "neighbours": network_costs.neighbours,
    "template_model": costs.template_model,
    "template_zero_points": costs.template_learned,
    "template_prior": lambda run, what: costs.template_learned(run, what, rounds=1),
    "template_fit": costs.template_fit,
    "template_gather": costs.template_gather,
    "ensemble": costs.ensemble,
    "evaluate": costs.evaluate,
    "compare": costs.compare,
    "crowding": lambda run, what: Cost(4.6, memory=250 * MB, disk=0.1 * MB),
    "tables": lambda run, what: Cost(disk=0.2 * MB),
    "denoising": network_costs.denoising,
    "denoising_example": network_costs.denoising_example,
    "outlier_test": network_costs.outlier_test,
}

# Rules that wait for one another: no number of cores makes a run shorter than the longest job of
# each, one after the other.
CHAINS = (
    ("simulate", "inject_noise", "learn_noise", "pretrain", "finetune", "predict"),
    ("template_model", "template_zero_points", "template_prior", "template_fit", "template_gather"),
)
CHAIN_END = ("ensemble", "evaluate", "compare", "tables", "figures", "results_page")
# After everything else, once.
ENDS = ("results_page", "report_page")


@dataclass(frozen=True)
class Row:
    """What the jobs of one rule take together.

    Attributes
    ----------
    rule : str
    jobs : int
    seconds, longest : float
        Of all of them, and of the longest.
    memory : float
        Of the largest, bytes.
    disk : float
        Of all their results, bytes.
    gpu : bool
        Whether they run on a GPU here.
    """

    rule: str
    jobs: int
    seconds: float
    longest: float
    memory: float
    disk: float
    gpu: bool


@dataclass(frozen=True)
class Estimate:
    """What a whole run takes.

    Attributes
    ----------
    rows : list of Row
        In the order of the chain.
    cores, gpus : int
        That it is for.
    memory_at_once : float
        Of as many of the largest jobs as there are cores, bytes.
    machine : Machine
    """

    rows: list[Row]
    cores: int
    gpus: int
    memory_at_once: float
    machine: Machine

    @property
    def jobs(self) -> int:
        """Number of jobs."""
        return sum(row.jobs for row in self.rows)

    @property
    def processor_seconds(self) -> float:
        """Of all jobs together."""
        return sum(row.seconds for row in self.rows)

    @property
    def chain_seconds(self) -> float:
        """The longest jobs one after the other, where each waits for the one before."""
        longest = {row.rule: row.longest for row in self.rows}
        ends = sum(longest.get(rule, 0.0) for rule in CHAIN_END)
        return ends + max(sum(longest.get(rule, 0.0) for rule in chain) for chain in CHAINS)

    @property
    def seconds(self) -> float:
        """By the clock, on all the cores and GPUs."""
        on_gpu = sum(row.seconds for row in self.rows if row.gpu)
        waiting = on_gpu / self.gpus if self.gpus else 0.0
        return max(self.processor_seconds / self.cores, waiting, self.chain_seconds)

    @property
    def memory(self) -> float:
        """Of the largest job, bytes."""
        return max(row.memory for row in self.rows)

    @property
    def disk(self) -> float:
        """Of all results, bytes."""
        return sum(row.disk for row in self.rows)


def estimate(
    config: Mapping[str, Any], machine: Machine, cores: int = 1, gpus: int = 0
) -> Estimate:
    """Estimate a whole run.

    Parameters
    ----------
    config : mapping
        Resolved (`photoz.configuration.load`).
    machine : Machine
        Speeds; see `photoz.machine.measure`.
    cores, gpus : int
        Where it is to run. Without a GPU on the machine that was measured, networks train on
        the cores.

    Raises
    ------
    InputError
        If the survey file is absent or wrong.
    """
    run = _run(config)
    gpus = gpus if machine.gpu_float32 else 0
    found: dict[str, list[tuple[Cost, float]]] = defaultdict(list)
    for job in jobs(config):
        cost = job_cost(run, job)
        seconds = OVERHEAD + job_seconds(cost, machine, gpus > 0)
        found[job.split("/")[0]].append((cost, seconds))
    rows = [
        Row(
            rule,
            len(made),
            sum(seconds for _, seconds in made),
            max(seconds for _, seconds in made),
            max(cost.memory for cost, _ in made),
            sum(cost.disk for cost, _ in made),
            gpus > 0 and any(cost.gpu for cost, _ in made),
        )
        for rule, made in found.items()
    ]
    memories = [cost.memory for made in found.values() for cost, _ in made]
    return Estimate(rows, cores, gpus, sum(heapq.nlargest(cores, memories)), machine)


def before_a_run(
    config: Mapping[str, Any], cores: int | None = None, gpus: int | None = None
) -> list[str]:
    """What a run prints before it starts, in two or three lines.

    The machine is measured only where the run takes long enough to care.

    Parameters
    ----------
    config : mapping
    cores : int or None
        None for all cores here.
    gpus : int or None
        Limit on jobs that use a GPU at once; None for no limit, then they share one.
    """
    cores = cores or available_cores()
    found = estimate(config, Machine(), cores)
    if found.seconds > WORTH_MEASURING:
        found = estimate(config, measure(), cores, 1 if gpus is None else gpus)
    return lines(found, config["name"])


def jobs(config: Mapping[str, Any]) -> list[str]:
    """Every job of a run as `<rule>/<what it makes>`; a figure for each module that draws one."""
    names = stages.jobs(config)
    for pretraining in figure_stages.denoised(config):
        names += [f"denoising/{pretraining}", f"denoising_example/{pretraining}"]
    if config["figures"]["outlier_test"]:
        names.append("outlier_test")
    names += exposure_stages.jobs(config)
    figures = [f"figures/{name}" for name in _figures(config)]
    return [*dict.fromkeys([*names, *figures]), *ENDS]


def _figures(config: Mapping[str, Any]) -> list[str]:
    """Modules that draw a figure of this run, as far as is known here."""
    shown = figure_stages.shown(config)
    coadds = config["figures"]["test_time"] and exposure_stages.coadd_networks(config)
    drawn = {
        "fig1": shown.network,
        "fig4": figure_stages.denoised(config),
        "fig5": figure_stages.denoised(config),
        "fig6": exposure_stages.alpha_scan(config),
        "fig7": coadds,
        "fig_test_time": coadds,
        "figf1": exposure_stages.ordered(config),
        "fig_members": exposure_stages.members(config),
        "fig_examples": shown.example,
        "fig_training_size": shown.training_sizes,
        "fig_mock": shown.mocks,
        "fig_training": shown.trainings,
        "fig_zero_points": shown.zero_points,
        "figb1": config["figures"]["outlier_test"],
        "fig_schedules": False,  # of a benchmark
    }
    modules = sorted(Path(__file__).with_name("figures").glob("fig*.py"))
    return [path.stem for path in modules if drawn.get(path.stem, True)]


def job_cost(run: Run, job: str) -> Cost:
    """Cost of a job; that of a small one if its rule is not known."""
    rule, *what = job.split("/")
    function = COSTS.get(rule)
    return PLAIN if function is None else function(run, what)


def job_seconds(cost: Cost, machine: Machine, on_gpu: bool = False) -> float:
    """Seconds of a job: processor time, or by the clock where a GPU does the work."""
    if on_gpu and cost.gpu:
        products = cost.products / machine.rate(cost.precision, on_gpu=True)
        return START_TORCH * machine.slowness + cost.kernels + products
    return cost.work * machine.slowness + cost.products / machine.rate(cost.precision)


def lines(found: Estimate, name: str) -> list[str]:
    """The sum of an estimate: two lines, three where the machine was not measured."""
    places = f"{found.cores} core{'s' * (found.cores != 1)}"
    if found.gpus:
        places += f" and {found.gpus} GPU{'s' * (found.gpus != 1)}"
    text = [
        f"photoz: all of {name!r}, from nothing: about {duration(found.seconds)} on {places} "
        f"({found.jobs} jobs, {duration(found.processor_seconds)} in all; give or take a third)",
        f"photoz: memory {size(found.memory)} for the largest job, at most "
        f"{size(found.memory_at_once)} at once; results {size(found.disk)}",
    ]
    if not found.machine.measured:
        text.append("photoz: this machine was not measured; times are those of an AMD EPYC")
    return text


def duration(seconds: float) -> str:
    """A time to read: `40 s`, `12 min`, `3.4 h`, `2.1 days`."""
    for limit, unit, digits in ((100, 1, "s"), (6000, 60, "min")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {digits}"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def size(n_bytes: float) -> str:
    """A number of bytes to read: `380 MB`, `1.2 GB`."""
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.1f} GB"


def _run(config: Mapping[str, Any]) -> Run:
    from photoz.survey.survey import load_survey  # slow to import

    survey = load_survey(config["survey"])
    n_narrow = int(survey.bands.is_narrow.sum())
    return Run(config, len(survey.bands), n_narrow, survey.exposures.maximum)
