"""Learn the zero-points of the bands from the galaxies outside a fold (paper, appendix A)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.templates.config import TemplateFitConfig
from photoz.templates.model_file import read_model
from photoz.templates.zeropoints import calibrate_zero_points, write_zero_points
from photoz.training.galaxies import training_galaxies


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, int(job.wildcards.split))
    fold, fraction, seed = int(job.wildcards.fold), job.params.fraction, [job.params.seed]
    # The same galaxies as the networks of this fold learn from.
    members = training_galaxies(catalogue, folds, fold, fraction, seed)
    learn = np.isin(np.arange(len(catalogue)), members)
    model = read_model(job.input.model)
    config = TemplateFitConfig(**job.params.section)
    write_zero_points(job.output[0], calibrate_zero_points(model, catalogue, learn, config))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
