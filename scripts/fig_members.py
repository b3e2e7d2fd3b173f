"""Draw the scatter against the number of networks averaged (paper, section 5.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_members, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log


def main(job):
    figure = fig_members.draw(read_tables(job.input.members))
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
