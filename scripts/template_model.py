"""Compute the fluxes of all templates on a grid of redshifts (paper, equation A1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.survey.survey import load_survey
from photoz.templates.model import ModelConfig, build_model
from photoz.templates.model_file import write_model


def main(job):
    bands = load_survey(job.input.survey).bands
    write_model(job.output[0], build_model(bands, ModelConfig(**job.params.section)))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
