"""Divide the galaxies of a catalogue into folds (paper, section 2.4)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import make_splits, write_splits


def main(job):
    catalogue = read_catalogue(job.input[0])
    folds = make_splits(catalogue.id, **job.params.section, seed=job.params.seed)
    write_splits(job.output[0], catalogue.id, folds)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
