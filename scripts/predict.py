"""Predict every galaxy of a split with the network that never saw it (paper, section 2.4)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import torch

from photoz.logs import job_log
from photoz.pdf.io import write_pdf
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.training.checkpoints import load_networks
from photoz.training.predict import predict_folds


def main(job):
    torch.set_num_threads(job.threads)
    catalogue = read_catalogue(job.input.catalogue)
    split = int(job.wildcards.split)
    folds = read_folds(job.input.splits, catalogue.id, split)
    pdf = predict_folds(load_networks(job.input.networks, split=split), catalogue, folds)
    write_pdf(job.output[0], pdf, {"id": catalogue.id})


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
