"""Train a network on simulated galaxies (paper, sections 2.4 and 3)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import torch

from photoz.files import replace_when_done, sha256
from photoz.logs import job_log
from photoz.networks.config import NetworkConfig
from photoz.networks.convolution import arranged
from photoz.networks.transform import FluxRatio, check_bands
from photoz.provenance import origin
from photoz.simulations.simulation import read_simulation
from photoz.simulations.stream import GalaxyStream, make_draw
from photoz.sps.grid import load_grid
from photoz.survey.noise import read_noise_model
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import save_networks
from photoz.training.config import PretrainingConfig
from photoz.training.device import pick_device
from photoz.training.pretrain import pretrain, pretrain_fresh
from photoz.training.resume import Checkpoint

STAGES = ("network", "simulation", "noise")  # names of other sections, resolved by the rule


def galaxy_stream(job, survey, device):
    """Galaxies without end: simulated on the GPU that trains, or on a second core."""
    stream, gpu = job.params.stream, device.type == "cuda"
    draw = make_draw(
        stream["kind"],
        stream["galaxies"],
        survey.bands,
        survey.reference_band,
        grid=load_grid(job.input.get("grid") or None),
        device=str(device) if gpu else None,
    )
    background = job.threads > 1 and not gpu
    return GalaxyStream(draw, stream["block_size"], stream["seed"], background)


def main(job):
    survey = load_survey(job.input.survey)
    noise, noise_bands = read_noise_model(job.input.noise[0])
    transform = FluxRatio(survey.bands.names, survey.reference_band)
    check_bands(transform, noise_bands, "the noise model")
    section = {key: value for key, value in job.params.section.items() if key not in STAGES}
    config, device = PretrainingConfig(**section), pick_device()
    # One thread each for training and for what simulates beside it.
    torch.set_num_threads(1 if config.fresh else job.threads)
    network = arranged(NetworkConfig(**job.params.network), survey.bands)
    shared = (transform, noise, network, config)
    checkpoint = Checkpoint(f"{job.output.networks}.checkpoint", origin(job.params, job.input))
    if config.fresh:
        with galaxy_stream(job, survey, device) as galaxies:
            trained, history = pretrain_fresh(
                galaxies, *shared, job.params.seed, device, checkpoint
            )
    else:
        simulation = read_simulation(job.input.simulation)
        check_bands(transform, simulation.bands, "the simulation")
        trained, history = pretrain(
            simulation.flux, simulation.redshift, *shared, job.params.seed, device, checkpoint
        )
    metadata = {
        "stage": "pretraining",
        "config": dict(job.params.section),
        "seed": job.params.seed,
        "stream": job.params.stream,
        "data": {path: sha256(path) for path in (*job.input.simulation, *job.input.noise)},
    }
    save_networks(job.output.networks, trained, metadata)
    with replace_when_done(job.output.history) as path:
        history.to_parquet(path, index=False)
    checkpoint.remove()


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
