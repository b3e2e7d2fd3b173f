"""Predict the same exposures in several orders (paper, appendix F and Fig. F1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import pandas as pd
import torch

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.exposure_orders import order_scatter
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.training.checkpoints import load_networks
from photoz.training.exposure_orders import predict_orders


def main(job):
    torch.set_num_threads(job.threads)
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, 0)
    trained = load_networks(job.input.networks, split=0)
    modes = predict_orders(trained, catalogue, folds, job.params.orders, job.params.seed)
    columns = order_scatter(modes, catalogue.redshift)
    with replace_when_done(job.output[0]) as path:
        pd.DataFrame({"id": catalogue.id} | columns).to_parquet(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
