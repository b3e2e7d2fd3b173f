"""Predict the galaxies of each fold from their nearest neighbours in the other folds."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.pdf.io import write_pdf
from photoz.pdf.mixture import MixturePDF
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.survey.survey import load_survey
from photoz.training.finetune import training_galaxies
from photoz.training.neighbours import NeighbourConfig, default_bands, fit_predict


def predict_folds(catalogue, folds, fraction, seed, config):
    """Predict each galaxy from the training galaxies that the networks of its fold have."""
    predicted = {}
    for fold in np.unique(folds):
        train = training_galaxies(catalogue, folds, fold, fraction, seed)
        test = np.flatnonzero(folds == fold)
        pdf = fit_predict(
            catalogue.flux[train],
            catalogue.error[train],
            catalogue.redshift[train],
            catalogue.flux[test],
            catalogue.error[test],
            catalogue.reference_index,
            config,
        )
        for name in ("weights", "means", "sigmas"):
            values = getattr(pdf, name)
            whole = predicted.setdefault(name, np.empty((len(catalogue), values.shape[1])))
            whole[test] = values
    return MixturePDF(**predicted)


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, int(job.wildcards.split))
    section = dict(job.params.section)
    is_narrow = load_survey(job.input.survey).bands.is_narrow
    section["bands"] = default_bands(is_narrow) if section["bands"] == "broad" else None
    pdf = predict_folds(
        catalogue,
        folds,
        job.params.fraction,
        [job.params.seed],
        NeighbourConfig(**section),
    )
    write_pdf(job.output[0], pdf, {"id": catalogue.id})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
