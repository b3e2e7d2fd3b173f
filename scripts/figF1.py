"""Draw the scatter of redshifts between orders of the exposures (paper, Fig. F1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import figf1, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def main(job):
    pairs = zip(job.params.orders, job.input.tables, strict=True)
    tables = {order: read_table(path) for order, path in pairs}
    style.save(figf1.draw(tables), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
