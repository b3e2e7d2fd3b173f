"""Predict the galaxies of each fold from their nearest neighbours in the other folds."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.files import InputError
from photoz.logs import job_log
from photoz.pdf.io import write_pdf
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.survey.survey import load_survey
from photoz.training.galaxies import training_galaxies
from photoz.training.neighbours import NeighbourConfig, default_bands, predict_folds


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    bands = load_survey(job.input.survey).bands
    if tuple(catalogue.bands) != tuple(bands.names):
        raise InputError(
            f"{job.input.catalogue}: its bands are not those of {job.input.survey}; make the "
            "catalogue again"
        )
    folds = read_folds(job.input.splits, catalogue.id, int(job.wildcards.split))
    section = dict(job.params.section)
    section["bands"] = default_bands(bands.is_narrow) if section["bands"] == "broad" else None
    fraction, seed = job.params.fraction, [job.params.seed]  # the same galaxies as the networks
    training = {
        int(fold): training_galaxies(catalogue, folds, int(fold), fraction, seed)
        for fold in np.unique(folds)
    }
    pdf = predict_folds(catalogue, folds, training, NeighbourConfig(**section))
    write_pdf(job.output[0], pdf, {"id": catalogue.id})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
