"""Draw scatter and outliers against completeness (paper, Fig. 9)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig9, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log


def main(job):
    curves = read_tables(job.input.curves, fig9.COLUMNS)
    params = job.params
    figure = fig9.draw(curves, variants=params.variants, target_on=params.target_on)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
