"""Draw the effect of wrong fluxes on ellipticals (paper, Fig. B1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import figb1, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def main(job):
    figure = figb1.draw(read_table(job.input.table, figb1.COLUMNS))
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
