"""Draw the network (paper, Fig. 1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig1, style
from photoz.logs import job_log
from photoz.survey.survey import load_survey


def main(job):
    bands = load_survey(job.input.survey).bands
    style.save(fig1.draw(job.params.network, len(bands)), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
