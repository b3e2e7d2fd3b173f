"""Learn a catalogue's noise without the test fold, and make a noisy sample to look at."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.simulations.noisy_sample import noisy_sample
from photoz.simulations.simulation import read_simulation
from photoz.survey.catalogue import read_catalogue, write_catalogue
from photoz.survey.noise import write_noise_model
from photoz.survey.noise_learning import learn_noise
from photoz.survey.outlying_noise import OutlyingNoise
from photoz.survey.splits import read_folds
from photoz.survey.survey import load_survey


def around(section, learned):
    """The learned noise, or what wraps it."""
    if section["kind"] != OutlyingNoise.name:
        return learned
    return OutlyingNoise(learned, section["fraction"], section["amplitude"])


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, int(job.wildcards.split))
    learned = learn_noise(catalogue, folds)
    model, first = around(job.params.section, learned), learned.member(0)
    write_noise_model(job.output.model, model, catalogue.bands)
    simulation, survey = read_simulation(job.input.simulation), load_survey(job.input.survey)
    sample = noisy_sample(simulation, around(job.params.section, first), survey, job.params.seed)
    write_catalogue(job.output.sample, sample)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
