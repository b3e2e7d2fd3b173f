"""Draw p(z) of a galaxy with each of its exposures left out in turn (paper, Fig. 7)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig7, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log
from photoz.pdf.io import read_pdf


def main(job):
    moves = read_tables(job.input.galaxies)
    pdf, columns = read_pdf(job.input.pdf[0])
    style.save(fig7.draw(pdf, columns, moves), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
