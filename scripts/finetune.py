"""Train the networks of one split on galaxies with redshifts (paper, sections 2.4 and 5)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import torch

from photoz.files import replace_when_done, sha256
from photoz.logs import job_log
from photoz.networks.config import NetworkConfig
from photoz.networks.convolution import arranged
from photoz.provenance import origin
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.survey.survey import load_survey
from photoz.training.calibrate import calibrate
from photoz.training.checkpoints import load_networks, save_networks
from photoz.training.config import FinetuningConfig
from photoz.training.device import pick_device
from photoz.training.finetune import finetune
from photoz.training.resume import Checkpoint

STAGES = ("network", "match_steps_of")  # names of other sections, resolved by the rule


def main(job):
    torch.set_num_threads(job.threads)
    catalogue = read_catalogue(job.input.catalogue)
    split = int(job.wildcards.split)
    folds = read_folds(job.input.splits, catalogue.id, split)
    device = pick_device()
    start = job.input.get("start")
    section = {key: value for key, value in job.params.section.items() if key not in STAGES}
    config = FinetuningConfig(**section)
    network = NetworkConfig(**job.params.network)
    if job.input.get("survey"):  # where a network without pretraining asks which bands are narrow
        network = arranged(network, load_survey(job.input.survey).bands)
    galaxies = {"training_fraction": job.params.fraction, "seed": [job.params.seed]}
    checkpoint = Checkpoint(f"{job.output.networks}.checkpoint", origin(job.params, job.input))
    trained, history = finetune(
        catalogue,
        folds,
        load_networks(start, device) if start else None,
        network,
        config,
        device=device,
        extra_steps=job.params.extra_steps,
        checkpoint=checkpoint,
        **galaxies,
    )
    if config.calibrate:
        calibrate(trained, catalogue, folds, **galaxies)
    metadata = {
        "stage": "finetuning",
        "config": dict(job.params.section),
        "seed": job.params.seed,
        "split": split,
        "training_fraction": job.params.fraction,
        "data": {path: sha256(path) for path in job.input},
    }
    save_networks(job.output.networks, trained, metadata)
    with replace_when_done(job.output.history) as path:
        history.to_parquet(path, index=False)
    checkpoint.remove()


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
