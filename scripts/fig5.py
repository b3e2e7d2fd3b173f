"""Draw the errors of denoised fluxes and their correlation (paper, Fig. 5)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig5, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log


def main(job):
    tables = (read_tables(paths) for paths in (job.input.bands, job.input.correlation))
    style.save(fig5.draw(*tables), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
