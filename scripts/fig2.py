"""Draw the scatter against magnitude (paper, Fig. 2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig2, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log
from photoz.survey.survey import load_survey


def main(job):
    metrics = read_tables(job.input.metrics, fig2.COLUMNS)
    band = load_survey(job.input.survey).reference_band
    figure = fig2.draw(metrics, variants=job.params.variants, reference_band=band)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
