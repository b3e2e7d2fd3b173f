"""Draw PIT, coverage and CRPS by magnitude."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_calibration, style
from photoz.figures.inputs import read_table, read_tables
from photoz.logs import job_log
from photoz.survey.survey import load_survey


def main(job):
    tables = {
        name: read_table(path, fig_calibration.COLUMNS)
        for name, path in zip(job.params.catalogues, job.input.tables, strict=True)
    }
    metrics = read_tables(job.input.metrics, fig_calibration.METRIC_COLUMNS)
    band = load_survey(job.input.survey).reference_band
    figure = fig_calibration.draw(tables, metrics, job.params.variants, band)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
