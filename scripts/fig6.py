"""Draw the scatter against the share of exposures in random coadds (paper, Fig. 6)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig6, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log
from photoz.metrics.alpha_scan import alpha_table


def main(job):
    table = alpha_table(job.params.points, read_tables(job.input.members))
    style.save(fig6.draw(table), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
