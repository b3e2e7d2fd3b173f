"""Learn how frequent the runs are, by redshift and magnitude, from the galaxies outside a fold."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.templates.config import TemplateFitConfig
from photoz.templates.model_file import read_model
from photoz.templates.run_prior import learn_run_prior, write_run_prior
from photoz.templates.zeropoints import read_zero_points
from photoz.training.galaxies import training_galaxies


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, int(job.wildcards.split))
    fold, fraction, seed = int(job.wildcards.fold), job.params.fraction, [job.params.seed]
    # The same galaxies as the networks of this fold learn from.
    members = training_galaxies(catalogue, folds, fold, fraction, seed)
    learn = np.isin(np.arange(len(catalogue)), members)
    path = job.input.get("zero_points")
    prior = learn_run_prior(
        read_model(job.input.model),
        catalogue,
        learn,
        TemplateFitConfig(**job.params.section),
        read_zero_points(path).factor if path else None,
    )
    write_run_prior(job.output[0], prior)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
