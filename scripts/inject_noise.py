"""Make a noise model for a simulation, and a noisy sample to look at (paper, section 2.4)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np

from photoz.logs import job_log
from photoz.simulations.simulation import read_simulation
from photoz.survey.catalogue import Catalogue, write_catalogue
from photoz.survey.noise import FixedSNR, SurveyDepth, add_noise, write_noise_model
from photoz.survey.photometry import ab_magnitude
from photoz.survey.survey import load_survey

SAMPLE = 1000  # galaxies, enough to see the noise


def noise_model(section, survey):
    settings = dict(section)
    kind = settings.pop("kind")
    if kind == SurveyDepth.name:
        return SurveyDepth.for_survey(survey, **settings)
    return FixedSNR.for_bands(survey.bands, **settings)


def main(job):
    survey = load_survey(job.input.survey)
    bands = survey.bands
    model = noise_model(job.params.section, survey)
    write_noise_model(job.output.model, model, bands.names)

    simulation = read_simulation(job.input.simulation)
    rng = np.random.default_rng(job.params.seed)
    true = simulation.flux[:SAMPLE]
    true = true / true[:, [survey.reference_index]] * model.brightness(rng.random((len(true), 1)))
    noisy, error = add_noise(true, model, rng)
    sample = Catalogue(
        id=np.arange(len(noisy)),
        redshift=simulation.redshift[:SAMPLE],
        mag_i=ab_magnitude(noisy[:, survey.reference_index], survey.zero_point),
        flux=noisy,
        error=error,
        bands=bands.names,
        survey=survey.name,
        zero_point=survey.zero_point,
        reference_band=survey.reference_band,
    )
    write_catalogue(job.output.sample, sample)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
