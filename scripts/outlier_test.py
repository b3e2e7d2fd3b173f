"""Fit and predict elliptical galaxies with a wrong flux (paper, appendix B)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import torch

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.outlier_test import outlier_test
from photoz.survey.survey import load_survey


def main(job):
    torch.set_num_threads(job.threads)
    survey = load_survey(job.input.survey)
    table = outlier_test(survey, **job.params.section, seed=job.params.seed)
    with replace_when_done(job.output[0]) as path:
        table.to_parquet(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
