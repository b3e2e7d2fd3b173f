"""What the jobs of networks and their bare rivals cost: training, prediction, denoising.

See `photoz.costs` for the machine of the constants and where they come from.
"""

from __future__ import annotations

from photoz import stages
from photoz import training_costs as steps
from photoz.costs import (
    FLOAT,
    MB,
    MEMORY_TORCH,
    MEMORY_TRAINING,
    START_TORCH,
    Cost,
    Run,
    components,
    simulated,
)

EMPIRICAL_DRAWS = 4
"""Random numbers of learned noise for each band of a galaxy, where other noise has one."""
CALIBRATE = 40e-6
"""A galaxy that a network learns the widths of its p(z) from."""
PREDICT_ACTIVATION, PREDICT = 0.6e-9, 5e-6
"""A node, and a galaxy besides: `python -m benchmarks predict`."""
NEIGHBOURS = 110e-6
"""A galaxy predicted by its neighbours."""
SIMULATOR = 350 * MB
"""Memory of the process that simulates fresh galaxies: `python -m benchmarks simulate`."""
OUTLIER_TEST = 120.0
"""With 10 000 galaxies and 4000 steps: `snakemake --cores 2 figB1`."""
DENOISE = 70e-6
"""A galaxy of the denoising measurements, beside its products."""
SETTLED = 20_000  # galaxies that these measurements take, as scripts/denoising.py says
EXAMPLE_STEPS, EXAMPLE_BATCH = 2000, 500  # of scripts/denoising_example.py


def pretrain(run: Run, what: list[str]) -> Cost:
    """A pretraining: one network, or one for each fold where noise is learned."""
    pretraining = stages.Pretraining.from_file("/".join(what))
    section = run.config["pretraining"][pretraining.name]
    network = run.config["networks"][section["network"]]
    simulation = run.config["simulations"][section["simulation"]]
    learned = stages.learns_noise(run.config, pretraining.name)
    n_networks = 1 if pretraining.catalogue is None else run.n_folds
    step = steps.training_step(network, run.n_bands, pretraining=True)
    n_steps, batch = section["steps"], section["batch_size"]
    draws = run.n_bands * (EMPIRICAL_DRAWS if learned else 1)
    work = n_steps * steps.step_work(step, n_networks, batch, draws)
    stored, simulator = simulation["n_galaxies"], 0.0
    if section["fresh"]:
        work += n_steps * batch * simulated(simulation)
        stored = 3 * simulation["chunk_size"]
        simulator = SIMULATOR
    return Cost(
        work=START_TORCH + work,
        products=steps.PRODUCTS * n_steps * batch * n_networks * step.products,
        precision=section["precision"],
        kernels=n_steps * steps.step_kernels(step, n_networks),
        gpu=True,
        # Fluxes as read and in units of the reference band.
        memory=MEMORY_TRAINING
        + simulator
        + 2.2 * FLOAT * run.n_bands * stored
        + steps.step_bytes(step, n_networks, batch),
        disk=n_networks * FLOAT * steps.stored_parameters(network, run.n_bands)
        + 1.7 * n_steps * n_networks,
    )


def finetune(run: Run, what: list[str]) -> Cost:
    """The networks of a split or several, with the calibration of their p(z)."""
    catalogue, name = what[0], what[1]
    chosen = stages.trainings(run.config)[name]
    section = run.config["finetuning"][chosen.finetuning]
    network = run.config["networks"][chosen.network]
    n_networks = run.n_folds * len(stages.splits_of(what[2].removeprefix("split-")))
    n = run.learned_from(catalogue, chosen.fraction)
    extra = stages.extra_steps(run.config, chosen)
    n_steps, batch = steps.finetuning_steps(section, n, extra)
    step = steps.training_step(network, run.n_bands, pretraining=section["unlabelled"] != "none")
    exposures = run.n_narrow * run.n_exposures
    draws = exposures if section["alpha"] < 1 else 0
    work = n_steps * steps.step_work(step, n_networks, batch, draws)
    work += n_networks * n * CALIBRATE * bool(section["calibrate"])
    return Cost(
        work=START_TORCH + work,
        products=steps.PRODUCTS * n_steps * batch * n_networks * step.products,
        precision=section["precision"],
        kernels=n_steps * steps.step_kernels(step, n_networks),
        gpu=True,
        # Exposures as read, and their weights, weighted fluxes and handicaps.
        memory=MEMORY_TRAINING
        + 5 * FLOAT * exposures * run.galaxies(catalogue)
        + steps.step_bytes(step, n_networks, batch),
        disk=n_networks * FLOAT * steps.stored_parameters(network, run.n_bands)
        + 18 * n_networks * steps.epochs(section),
    )


def predict(run: Run, what: list[str]) -> Cost:
    """The p(z) of every galaxy by the network of its fold."""
    chosen = stages.trainings(run.config)[what[1]]
    network, n = run.config["networks"][chosen.network], run.galaxies(what[0])
    step = steps.training_step(network, run.n_bands, pretraining=False)
    return Cost(
        work=START_TORCH + n * (PREDICT + PREDICT_ACTIVATION * step.activations),
        products=n * steps.forward_products(network, run.n_bands),
        memory=MEMORY_TORCH,
        disk=n * (8 + 3 * FLOAT * components(run, chosen)),
    )


def neighbours(run: Run, what: list[str]) -> Cost:
    """The p(z) of every galaxy from its neighbours."""
    n = run.galaxies(what[0])
    return Cost(START_TORCH + n * NEIGHBOURS, memory=500 * MB, disk=n * (8 + 3 * FLOAT * 2))


def denoising_example(run: Run, what: list[str]) -> Cost:
    """The autoencoder of Fig. 4, trained for it."""
    section = run.config["pretraining"]["/".join(what)]
    network = run.config["networks"][section["network"]]
    whole = steps.training_step(network, run.n_bands, pretraining=True)
    n_steps = min(section["steps"], EXAMPLE_STEPS)
    # Two of the three networks are trained.
    work = 2 / 3 * n_steps * steps.step_work(whole, 1, EXAMPLE_BATCH, run.n_bands)
    products = 2 / 3 * n_steps * EXAMPLE_BATCH * steps.PRODUCTS * whole.products
    return Cost(START_TORCH + 1 + work, products, "auto", memory=600 * MB, disk=0.05 * MB)


def denoising(run: Run, what: list[str]) -> Cost:
    """Denoised fluxes under two kinds of noise (Fig. 5)."""
    section = run.config["pretraining"]["/".join(what)]
    network = run.config["networks"][section["network"]]
    forward = steps.forward_products(network, run.n_bands, decoder=True)
    return Cost(
        START_TORCH + 2 * SETTLED * DENOISE, 2 * SETTLED * forward, memory=590 * MB, disk=0.05 * MB
    )


def outlier_test(run: Run, what: list[str]) -> Cost:
    """Fig. B1: two trainings and template fits."""
    section = run.config["outlier_test"]
    share = (section["n_galaxies"] / 10_000 + section["steps"] / 4000) / 2
    return Cost(START_TORCH + OUTLIER_TEST * share, memory=700 * MB, disk=0.05 * MB)
