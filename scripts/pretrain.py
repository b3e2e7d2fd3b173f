"""Train a network on simulated galaxies (paper, sections 2.4 and 3)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import torch

from photoz.files import replace_when_done, sha256
from photoz.logs import job_log
from photoz.networks.config import NetworkConfig
from photoz.networks.transform import FluxRatio, check_bands
from photoz.simulations.simulation import read_simulation
from photoz.survey.noise import read_noise_model
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import save_networks
from photoz.training.config import PretrainingConfig
from photoz.training.device import pick_device
from photoz.training.pretrain import pretrain

STAGES = ("network", "simulation", "noise")  # names of other sections, resolved by the rule


def main(job):
    torch.set_num_threads(job.threads)
    survey = load_survey(job.input.survey)
    simulation = read_simulation(job.input.simulation)
    noise, noise_bands = read_noise_model(job.input.noise[0])
    transform = FluxRatio(survey.bands.names, survey.reference_band)
    check_bands(transform, simulation.bands, "the simulation")
    check_bands(transform, noise_bands, "the noise model")
    section = {key: value for key, value in job.params.section.items() if key not in STAGES}
    trained, history = pretrain(
        simulation.flux,
        simulation.redshift,
        transform,
        noise,
        NetworkConfig(**job.params.network),
        PretrainingConfig(**section),
        seed=job.params.seed,
        device=pick_device(),
    )
    metadata = {
        "stage": "pretraining",
        "config": dict(job.params.section),
        "seed": job.params.seed,
        "data": {path: sha256(path) for path in (*job.input.simulation, *job.input.noise)},
    }
    save_networks(job.output.networks, trained, metadata)
    with replace_when_done(job.output.history) as path:
        history.to_parquet(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
