"""Make a noise model for a simulation, and a noisy sample to look at (paper, section 2.4)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.simulations.simulation import read_simulation
from photoz.survey.catalogue import Catalogue, write_catalogue
from photoz.survey.noise import FixedSNR, add_noise, write_noise_model
from photoz.survey.photometry import ab_magnitude
from photoz.survey.survey import load_survey

SAMPLE = 1000  # galaxies, enough to see the noise
MAGGIES = 0.0  # their zero-point


def main(job):
    survey = load_survey(job.input.survey)
    bands = survey.bands
    section = job.params.section
    model = FixedSNR.for_bands(bands, section["narrow"], section["broad"])
    write_noise_model(job.output.model, model, bands.names)

    simulation = read_simulation(job.input.simulation)
    rng = np.random.default_rng(job.params.seed)
    noisy, error = add_noise(simulation.flux[:SAMPLE], model, rng)
    sample = Catalogue(
        id=np.arange(len(noisy)),
        redshift=simulation.redshift[:SAMPLE],
        mag_i=ab_magnitude(noisy[:, survey.reference_index], MAGGIES),
        flux=noisy,
        error=error,
        bands=bands.names,
        survey=survey.name,
        zero_point=MAGGIES,
        reference_band=survey.reference_band,
    )
    write_catalogue(job.output.sample, sample)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
