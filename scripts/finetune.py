"""Train the networks of a split or several on observed galaxies (paper, sections 2.4 and 5)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np
import pandas as pd
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
from photoz.training.checkpoints import joined, load_networks, save_networks
from photoz.training.config import FinetuningConfig
from photoz.training.device import pick_device
from photoz.training.finetune import finetune_splits
from photoz.training.resume import Checkpoint

# Names of other sections, resolved by the rules, and what they group into jobs.
STAGES = ("network", "match_steps_of", "splits_per_job")


def main(job):
    torch.set_num_threads(job.threads)
    catalogue, splits = read_catalogue(job.input.catalogue), job.params.splits
    folds = [read_folds(job.input.splits, catalogue.id, split) for split in splits]
    device = pick_device()
    start = [load_networks(path, device) for path in job.input.start]
    section = {key: value for key, value in job.params.section.items() if key not in STAGES}
    config = FinetuningConfig(**section)
    network = NetworkConfig(**job.params.network)
    if job.input.get("survey"):  # where a network without pretraining asks which bands are narrow
        network = arranged(network, load_survey(job.input.survey).bands)
    seeds = [[seed] for seed in job.params.seeds]
    checkpoint = Checkpoint(f"{job.output.networks}.checkpoint", origin(job.params, job.input))
    results = finetune_splits(
        catalogue,
        np.stack(folds, axis=1),
        joined(start) if start else None,
        network,
        config,
        seeds,
        device,
        job.params.fraction,
        job.params.extra_steps,
        checkpoint,
    )
    networks = [trained for trained, _ in results]
    if config.calibrate:
        for trained, of_split, seed in zip(networks, folds, seeds, strict=True):
            calibrate(trained, catalogue, of_split, job.params.fraction, seed)
    metadata = {
        "stage": "finetuning",
        "config": dict(job.params.section),
        "seeds": job.params.seeds,
        "splits": splits,
        "training_fraction": job.params.fraction,
        "data": {path: sha256(path) for path in job.input},
    }
    save_networks(job.output.networks, joined(networks), metadata)
    history = pd.concat(
        [losses.assign(split=split) for split, (_, losses) in zip(splits, results, strict=True)]
    )
    with replace_when_done(job.output.history) as path:
        history.to_parquet(path, index=False)
    checkpoint.remove()


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
