"""Measure how much noise a pretrained autoencoder takes away (paper, section 4.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np
import pandas as pd
import torch

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.denoising import broad_band_table, measure, paper_noise
from photoz.simulations.simulation import read_simulation
from photoz.survey.noise import read_noise_model
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import load_networks

GALAXIES = 20_000


def main(job):
    torch.set_num_threads(job.threads)
    survey = load_survey(job.input.survey)
    simulation = read_simulation(job.input.simulation)
    trained = load_networks(job.input.networks)
    own = read_noise_model(job.input.noise[0])[0]
    noises = dict([paper_noise(survey.bands)])
    if own not in noises.values():
        noises["Noise of the pretraining"] = own
    tables, matrices = [], []
    for name, noise in noises.items():
        rng = np.random.default_rng(job.params.seed)
        flux, redshift = simulation.flux[:GALAXIES], simulation.redshift[:GALAXIES]
        found = measure(trained, survey.bands, flux, redshift, noise, rng)
        tables.append(found.table.assign(noise=name))
        matrix = pd.DataFrame(found.correlation, columns=survey.bands.names)
        matrices.append(matrix.assign(band=survey.bands.names, noise=name))
    table = pd.concat(tables, ignore_index=True)
    with replace_when_done(job.output.bands) as path:
        table.to_parquet(path, index=False)
    with replace_when_done(job.output.correlation) as path:
        pd.concat(matrices, ignore_index=True).to_parquet(path, index=False)
    with replace_when_done(job.output.table) as path:
        broad_band_table(table, survey.bands).to_csv(path, index=False, float_format="%.4g")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
