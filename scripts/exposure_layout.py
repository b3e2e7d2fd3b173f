"""Lay the exposures of a catalogue out as bands of their own (paper, appendix F)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.survey.catalogue import read_catalogue, write_catalogue
from photoz.survey.exposure_layout import lay_out


def main(job):
    catalogue = read_catalogue(job.input[0])
    present = float(job.wildcards.present) / 100
    write_catalogue(job.output[0], lay_out(catalogue, present, job.params.seed))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
