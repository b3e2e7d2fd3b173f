"""Train an autoencoder on one elliptical template and denoise a galaxy (paper, section 4.1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import torch

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.denoising_example import single_template_example
from photoz.networks.config import NetworkConfig
from photoz.survey.survey import load_survey
from photoz.training.config import PretrainingConfig

STEPS, RATE = 2000, 3e-3  # enough for one template


def main(job):
    torch.set_num_threads(job.threads)
    table = single_template_example(
        load_survey(job.input.survey),
        NetworkConfig(**job.params.network),
        PretrainingConfig(steps=min(job.params.steps, STEPS), learning_rate=RATE, precision="auto"),
        seed=job.params.seed,
    )
    with replace_when_done(job.output[0]) as path:
        table.to_parquet(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
