"""Draw the scatter against the number of galaxies at nearly the same redshift (paper, Fig. 3)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig3, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def main(job):
    table = read_table(job.input.metrics, fig3.COLUMNS)
    wanted = [name for name in job.params.variants if name in set(table["variant"])]
    style.save(fig3.draw(table, variants=wanted), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
