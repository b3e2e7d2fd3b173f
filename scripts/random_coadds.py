"""Predict random coadds at test time, and cut on how much they vary (paper, section 6.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import pandas as pd
import torch

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.random_coadds import random_coadd_curves, random_coadd_table
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.training.checkpoints import load_networks
from photoz.training.random_coadds import predict_random_coadds


def main(job):
    torch.set_num_threads(job.threads)
    catalogue, params = read_catalogue(job.input.catalogue), job.params
    columns = predict_random_coadds(
        load_networks(job.input.networks, split=0),
        catalogue,
        read_folds(job.input.splits, catalogue.id, 0),
        params.draws,
        params.alpha,
        params.seed,
        params.odds_width,
    )
    galaxies = {"id": catalogue.id, "z_spec": catalogue.redshift, "mag_i": catalogue.mag_i}
    with replace_when_done(job.output.galaxies) as path:
        pd.DataFrame(galaxies | columns).to_parquet(path, index=False)
    curves = random_coadd_curves(columns, catalogue.redshift, params.n_boot, params.seed)
    curves.insert(0, "catalogue", job.wildcards.catalogue)
    curves.insert(1, "variant", job.wildcards.variant)
    with replace_when_done(job.output.curves) as path:
        curves.to_parquet(path, index=False)
    with replace_when_done(job.output.table) as path:
        random_coadd_table(curves).to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
