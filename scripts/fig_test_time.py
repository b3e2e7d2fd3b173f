"""Draw quality cuts on the variation between random coadds (paper, section 6.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_test_time, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log


def main(job):
    figure = fig_test_time.draw(read_tables(job.input.curves))
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
