"""Put the p(z) of all folds in the order of the catalogue."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.pdf.ensemble import gather
from photoz.pdf.io import read_pdf, write_pdf
from photoz.survey.catalogue import read_catalogue


def main(job):
    ids = read_catalogue(job.input.catalogue).id
    parts = [read_pdf(path) for path in job.input.parts]
    pdf, rows = gather([(pdf, columns["id"]) for pdf, columns in parts], ids)
    columns = {
        name: np.concatenate([columns[name] for _, columns in parts])[rows] for name in parts[0][1]
    }
    write_pdf(job.output[0], pdf, columns)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
