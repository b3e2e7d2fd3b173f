"""Average the p(z) of a variant's splits and summarise them (paper, section 5.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.pdf.ensemble import average
from photoz.pdf.io import read_pdf, write_pdf
from photoz.pdf.table import write_photoz_table
from photoz.products import photoz_columns
from photoz.survey.catalogue import read_catalogue


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    splits = [read_pdf(path) for path in job.input.predictions]
    singles = [
        photoz_columns(pdf, catalogue, job.params.odds_width, columns) for pdf, columns in splits
    ]
    ensemble = average([pdf for pdf, _ in splits])
    table = singles[0]  # with what the method tells of each galaxy
    if ensemble is not splits[0][0]:
        table = photoz_columns(ensemble, catalogue, job.params.odds_width)
    write_photoz_table(job.output.table, table)
    write_pdf(job.output.pdf, ensemble, table)
    rows = {name: np.concatenate([single[name] for single in singles]) for name in singles[0]}
    rows["split"] = np.repeat(np.arange(len(splits)), len(catalogue))
    write_photoz_table(job.output.single, rows, {"split": ("", "split whose network predicts")})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
