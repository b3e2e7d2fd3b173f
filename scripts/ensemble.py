"""Average the p(z) of a variant's splits and summarise them (paper, section 5.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.pdf.io import read_pdf, write_pdf
from photoz.pdf.mixture import average
from photoz.pdf.table import write_photoz_table
from photoz.products import photoz_columns
from photoz.survey.catalogue import read_catalogue


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    pdfs = [read_pdf(path)[0] for path in job.input.predictions]
    ensemble = average(pdfs)
    table = photoz_columns(ensemble, catalogue, job.params.odds_width)
    write_photoz_table(job.output.table, table)
    write_pdf(job.output.pdf, ensemble, table)
    singles = [photoz_columns(pdf, catalogue, job.params.odds_width) for pdf in pdfs]
    rows = {name: np.concatenate([single[name] for single in singles]) for name in table}
    rows["split"] = np.repeat(np.arange(len(pdfs)), len(catalogue))
    write_photoz_table(job.output.single, rows, {"split": ("", "split whose network predicts")})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
