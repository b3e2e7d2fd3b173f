"""Make a noise model for a simulation, and a noisy sample to look at (paper, section 2.4)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.simulations.noisy_sample import noisy_sample
from photoz.simulations.simulation import read_simulation
from photoz.survey.catalogue import write_catalogue
from photoz.survey.noise import FixedSNR, SurveyDepth, write_noise_model
from photoz.survey.outlying_noise import OutlyingNoise
from photoz.survey.survey import load_survey


def noise_model(section, survey):
    settings = dict(section)
    kind = settings.pop("kind")
    if kind == OutlyingNoise.name:
        return OutlyingNoise(noise_model(settings.pop("noise"), survey), **settings)
    if kind == SurveyDepth.name:
        return SurveyDepth.for_survey(survey, **settings)
    return FixedSNR.for_bands(survey.bands, **settings)


def main(job):
    survey = load_survey(job.input.survey)
    model = noise_model(job.params.section, survey)
    write_noise_model(job.output.model, model, survey.bands.names)
    simulation = read_simulation(job.input.simulation)
    write_catalogue(job.output.sample, noisy_sample(simulation, model, survey, job.params.seed))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
