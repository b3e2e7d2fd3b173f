"""Fit templates to a part of the galaxies of a fold (paper, appendix A)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.pdf.io import write_pdf
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import fold_part, read_folds
from photoz.templates.config import TemplateFitConfig
from photoz.templates.fit import fit_catalogue
from photoz.templates.model_file import read_model
from photoz.templates.run_prior import read_run_prior
from photoz.templates.zeropoints import read_zero_points


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, int(job.wildcards.split))
    fold, chunk = int(job.wildcards.fold), int(job.wildcards.chunk)
    part = catalogue.take(fold_part(folds, fold, chunk, job.params.n_chunks))
    zero_points, prior = job.input.get("zero_points"), job.input.get("prior")
    fit = fit_catalogue(
        read_model(job.input.model).select_bands(catalogue.bands),
        part.flux,
        part.error,
        TemplateFitConfig(**job.params.section),
        read_zero_points(zero_points).factor if zero_points else None,
        read_run_prior(prior) if prior else None,
        part.mag_i,
    )
    write_pdf(job.output[0], fit.pdf, {"id": part.id, **fit.columns})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
