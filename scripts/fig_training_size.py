"""Draw scatter against the number of training galaxies (paper, section 7)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_training_size, style
from photoz.figures.inputs import read_tables
from photoz.logs import job_log


def main(job):
    metrics = read_tables(job.input.metrics, fig_training_size.COLUMNS)
    figure = fig_training_size.draw(metrics, job.params.sizes, job.params.n_folds)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
