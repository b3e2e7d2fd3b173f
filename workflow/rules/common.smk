# The configuration of the run, and what the rules ask of it.
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from photoz import (
    configuration,
    consistency,
    exposure_stages,
    figure_stages,
    inputs,
    provenance,
    stages,
)
from photoz.captions import caption_html
from photoz.files import InputError
from photoz.yaml_files import read_yaml

try:
    for path in workflow.configfiles:
        read_yaml(path)  # refuses a repeated key, of which Snakemake takes the last
    run = configuration.resolve(config)
    if workflow.is_main_process:  # the jobs it starts need not wait for that
        consistency.check(run)
        # With conda FSPS is in the jobs' environment, not in this one.
        deployment = workflow.deployment_settings.deployment_method
        if "CONDA" not in [method.name for method in deployment]:
            inputs.check_fsps(run)
    SHOWN = figure_stages.shown(run)
    CURVES = inputs.curve_files(run)
    # What Figs 6 and 7, F1 and the other figures on exposures show, as (catalogue, variant).
    SCAN = exposure_stages.alpha_scan(run)
    MEMBERS = exposure_stages.members(run)
    TEST_TIME = exposure_stages.coadd_networks(run)
    VARIED = exposure_stages.varied(run)
    ORDERED = exposure_stages.ordered(run)
except InputError as error:
    raise WorkflowError(str(error))


RESULTS = f"{run['results_dir']}/{run['name']}"

# What makes this run again, as the results page says it.
COMMAND = stages.command(
    [os.path.relpath(path) for path in workflow.configfiles],
    workflow.config_settings.config,
)


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",
    page="-".join(["results", *filter(None, [run["publish_as"]])]),


NAME = "[A-Za-z][A-Za-z0-9_-]*"


wildcard_constraints:
    simulation=NAME,
    noise=NAME,
    pretraining=rf"{NAME}(?:/{NAME}/split-\d+)?",
    catalogue=NAME,
    variant=NAME,
    training="[A-Za-z0-9_.-]+",
    templates=NAME,
    fold=r"\d+",
    chunk=r"\d+",
    split=r"\d+",
    splits=r"\d+(?:-\d+)?",


CPU = "../../envs/cpu.yaml"
GPU = "../../envs/gpu.yaml"
FSPS = "../../envs/fsps.yaml"

TRAININGS = stages.trainings(run)


def say_estimate():
    """Print what a whole run takes; whatever goes wrong with that is no reason not to run."""
    try:
        from photoz import estimate

        cores = workflow.resource_settings.cores or workflow.resource_settings.nodes
        gpus = workflow.global_resources.get("gpu")
        text = "\n".join(estimate.before_a_run(run, cores, gpus))
    except Exception as error:
        text = f"photoz: no estimate of this run ({type(error).__name__}: {error})"
    print(text, file=sys.stderr, flush=True)


def growing(amount):
    """Return memory or time that doubles at each new attempt (`retries` in a profile).

    `amount` is what a first attempt asks for, or a function of wildcards and threads.
    """

    def resource(wildcards, threads, attempt):
        first = amount(wildcards, threads) if callable(amount) else amount
        return first * 2 ** (attempt - 1)

    return resource


# --- what a job depends on ---------------------------------------------------------------------


def section(name, wildcard=None):
    """Return the part of the configuration a job depends on, and nothing else."""
    if wildcard is None:
        return run[name]
    if wildcard == "pretraining":
        return lambda wildcards: run[name][pretraining(wildcards).name]
    return lambda wildcards: run[name][wildcards[wildcard]]


def seed(*labels):
    """Return a job's own seed, derived from the run's seed and the job's names."""
    return lambda wildcards: configuration.derive_seed(run["seed"], *labels, *wildcards)


def split_seed(wildcards, split=None):
    """Return one seed for all trainings of a split: rivals see the same galaxies."""
    return configuration.derive_seed(
        run["seed"],
        "finetune",
        wildcards.catalogue,
        str(wildcards.split if split is None else split),
    )


def pretraining(wildcards):
    """Return the pretraining a job belongs to."""
    return stages.Pretraining.from_file(wildcards.pretraining)


def training(wildcards):
    """Return the training a job belongs to."""
    return TRAININGS[wildcards.training]


def stage(section, key):
    """Return what a pretraining names in another section, resolved."""
    return lambda wildcards: run[section][
        run["pretraining"][pretraining(wildcards).name][key]
    ]


# --- what is left behind -----------------------------------------------------------------------


def cancel_slurm_jobs(logs):
    """Cancel the jobs that Slurm still has of a run, which Snakemake names in its log."""
    named = [
        re.findall(r"^SLURM run ID: (\S+)$", Path(log).read_text(), re.MULTILINE)
        for log in logs
    ]
    for name in [name for names in named for name in names]:
        subprocess.run(["scancel", "--name", name], check=False)


# --- files that jobs read, where a plain pattern cannot say it ---------------------------------


def ssp_grid(wildcards):
    """Return the grid of stellar populations, where a simulation has another than the shipped."""
    grid = run["simulations"][wildcards.simulation].get("grid") or []
    return "<results>/sps/fsps.npz" if grid == "fsps" else grid


def runs_fsps(wildcards):
    """Return whether FSPS itself computes each galaxy of a simulation."""
    return run["simulations"][wildcards.simulation].get("engine") == "fsps"


def simulation_chunks(simulation):
    """Return the files of a simulation."""
    return expand(
        "<results>/simulations/{simulation}/chunk-{chunk}.h5",
        simulation=simulation,
        chunk=range(len(stages.chunks(run, simulation))),
    )


def pretraining_simulation(wildcards):
    """Return the files of the simulation that a pretraining learns from, if it reads any."""
    section = run["pretraining"][pretraining(wildcards).name]
    return [] if section["fresh"] else simulation_chunks(section["simulation"])


def pretraining_grid(wildcards):
    """Return the user's grid of stellar populations, where a pretraining simulates with one."""
    section = run["pretraining"][pretraining(wildcards).name]
    return ssp_grid(SimpleNamespace(**section)) if section["fresh"] else []


def pretraining_threads(wildcards):
    """Return two where galaxies are simulated while the network trains."""
    return 2 if run["pretraining"][pretraining(wildcards).name]["fresh"] else 1


def pretraining_galaxies(wildcards):
    """Return what a pretraining draws new galaxies from, if it does."""
    section = run["pretraining"][pretraining(wildcards).name]
    return stages.stream(run, section["simulation"]) if section["fresh"] else None


def pretraining_noise(wildcards):
    """Return the noise model of a pretraining."""
    return [f"<results>/noise/{stages.noise_file(run, pretraining(wildcards))}.json"]


def training_catalogue(wildcards):
    """Return the galaxies that networks learn from: with coadds, or with single exposures."""
    present = exposure_stages.layout(run, training(wildcards))
    layout = "" if present is None else f".exposures-{present}"
    return f"<results>/catalogues/{wildcards.catalogue}{layout}.h5"


def laid_out_exposures(wildcards):
    """Return the single exposures that the networks of a variant read."""
    chosen = stages.variant_training(run, wildcards.variant)
    present = exposure_stages.layout(run, chosen)
    return f"<results>/catalogues/{wildcards.catalogue}.exposures-{present}.h5"


def job_splits(wildcards):
    """Return the splits whose networks a job trains."""
    return stages.splits_of(wildcards.splits)


def trained(catalogue, chosen, split=0, suffix="safetensors"):
    """Return what the job has written that trains the networks of a split."""
    splits = stages.job_splits(run, catalogue, chosen, split)
    return f"<results>/finetuning/{catalogue}/{chosen.name}/split-{splits}.{suffix}"


def split_networks(wildcards):
    """Return the networks of a split, in a file that may have others as well."""
    return trained(wildcards.catalogue, training(wildcards), int(wildcards.split))


def first_networks(wildcards):
    """Return the networks of a variant's first split."""
    return trained(wildcards.catalogue, stages.variant_training(run, wildcards.variant))


def start_networks(wildcards):
    """Return the pretrained networks that a training starts from, if any."""
    name = training(wildcards).pretraining
    if name is None:
        return []
    starts = [
        stages.pretraining_for(run, name, wildcards.catalogue, split)
        for split in job_splits(wildcards)
    ]
    files = [f"<results>/pretraining/{start.file}.safetensors" for start in starts]
    return list(dict.fromkeys(files))


def convolved_survey(wildcards):
    """Return the survey where a network that is not pretrained convolves its narrow bands."""
    this = training(wildcards)
    front_end = run["networks"][this.network]["front_end"]
    new = this.pretraining is None
    return run["survey"] if new and front_end == "convolutional" else []


def template_section(wildcards):
    """Return the settings of the template fit that a job belongs to."""
    return run["templates"][training(wildcards).templates]


def template_model(wildcards):
    """Return the model fluxes of a template fit."""
    return f"<results>/templates/{training(wildcards).templates}.h5"


def template_learned(key, path):
    """Return what is learned for a fold, if anything, from the galaxies outside it."""
    return lambda wildcards: path if template_section(wildcards)[key] else []


template_zero_points = template_learned(
    "zero_points",
    "<results>/templates/{catalogue}/{training}/split-{split}/fold-{fold}.zero_points.json",
)
template_prior = template_learned(
    "prior",
    "<results>/templates/{catalogue}/{training}/split-{split}/fold-{fold}.prior.json",
)


def template_parts(wildcards):
    """Return the p(z) of every part of every fold."""
    return expand(
        "<results>/templates/{catalogue}/{training}/split-{split}/fold-{fold}.chunk-{chunk}.hdf5",
        catalogue=wildcards.catalogue,
        training=wildcards.training,
        split=wildcards.split,
        fold=range(run["splits"]["n_folds"]),
        chunk=range(template_section(wildcards)["jobs_per_fold"]),
    )


def zero_point_files():
    """Return pairs of catalogue and zero-points of a fold, for the figure of them."""
    pattern = "<results>/templates/{}/{}/split-0/fold-{}.zero_points.json"
    return [
        (catalogue, pattern.format(catalogue, training, fold))
        for catalogue, training in SHOWN.zero_points
        for fold in range(run["splits"]["n_folds"])
    ]


def catalogue_file(wildcards):
    """Return the user's file, where a catalogue comes from one."""
    return run["catalogues"][wildcards.catalogue].get("path", [])


def exposure_tables(wildcards):
    """Return the table of single exposures beside the user's file, where there is one."""
    return inputs.exposure_tables(run, wildcards.catalogue)


def split_predictions(wildcards):
    """Return the p(z) of the splits that a variant averages."""
    return expand(
        "<results>/predictions/{catalogue}/{training}/split-{split}.hdf5",
        catalogue=wildcards.catalogue,
        training=stages.variant_training(run, wildcards.variant).name,
        split=range(run["variants"][wildcards.variant]["splits"]),
    )


def fill(pattern, pairs):
    """Fill a path for pairs of catalogue and variant."""
    return [
        pattern.format(catalogue=catalogue, variant=variant)
        for catalogue, variant in pairs
    ]


def evaluated(pattern):
    """Fill a path for every variant on every catalogue it runs on."""
    return fill(pattern, stages.evaluated(run))


# Catalogues and variants that the paper's conclusions are tested on.
IN_PAPER = [
    pair for pair in stages.evaluated(run) if pair[0] in run["evaluation"]["paper"]
]

# Those of them whose variation between random coadds is measured.
VARIED_IN_PAPER = [pair for pair in IN_PAPER if pair in VARIED]

# What the paper's figures show: catalogues like the paper's, if there are any.
DRAWN = IN_PAPER or stages.evaluated(run)
LINES = figure_stages.drawn_variants(run, DRAWN)


# The pretraining, if any, whose autoencoder Figs 4 and 5 show, and the rules behind them.
DENOISED = figure_stages.denoised(run)
DENOISING = ("denoising", "denoising_example")

# Figures that the results page shows: those whose rules say that this run can draw them.
FIGURES = []
CAPTIONS = {}


def figure(name, drawn=True):
    """Name a figure's PDF and PNG; the report shows the PNG with its caption."""
    CAPTIONS[name] = workflow.source_path(f"../report/{name}.rst")
    if drawn:
        FIGURES.append(name)
    return {
        "pdf": f"<results>/figures/{name}.pdf",
        "png": report(
            f"<results>/figures/{name}.png",
            caption=f"../report/{name}.rst",
            category="Figures",
            labels={"figure": name},
        ),
    }


def captions(wildcards):
    """Return the caption of every figure that the results page shows, as HTML."""
    return {
        name: caption_html(
            CAPTIONS[name],
            dict(getattr(rules, name).params.items()),
            run,
        )
        for name in FIGURES
    }


def jobs_behind(wildcards):
    """Return the jobs behind the results page as `<rule>/<what it makes>`."""
    figures = [f"figures/{figure}" for figure in FIGURES]
    behind = [f"{rule}/{name}" for rule in DENOISING for name in DENOISED]
    behind += ["outlier_test"] if run["figures"]["outlier_test"] else []
    behind += exposure_stages.jobs(run)
    return [*dict.fromkeys([*stages.jobs(run), *behind, *figures])]


def published(wildcards):
    """Return the results pages that `publish` names."""
    if not run["publish"]:  # before Snakemake removes the page that is there
        raise InputError(
            "config: publish: empty; name the runs whose results pages to join"
        )
    return expand(
        "{folder}/{name}/results.md", folder=run["results_dir"], name=run["publish"]
    )
