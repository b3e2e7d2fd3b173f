"""Draw one galaxy before and after the autoencoder (paper, Fig. 4)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig4, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log


def main(job):
    example = read_tables(job.input.example)
    style.save(fig4.draw(example), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
