"""Draw the losses of pretraining and fine-tuning."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_training, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def histories(names, paths):
    return {name: read_table(path) for name, path in zip(names, paths, strict=True)}


def main(job):
    pretraining = histories(job.params.pretraining, job.input.pretraining)
    finetuning = histories(job.params.finetuning, job.input.finetuning)
    figure = fig_training.draw(pretraining, finetuning)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
