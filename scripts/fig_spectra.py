"""Draw example spectra of the simulation with the survey's bands over them."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_spectra, style
from photoz.logs import job_log
from photoz.sps.examples import example_spectra
from photoz.sps.grid import load_grid
from photoz.survey.survey import load_survey


def main(job):
    survey = load_survey(job.input.survey)
    redshift = job.params.redshift
    examples = example_spectra(load_grid(), survey.bands, redshift)
    figure = fig_spectra.draw(examples, survey.bands, redshift, survey.reference_band)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
