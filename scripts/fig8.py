"""Draw the PIT of one network and of the ensemble (paper, Fig. 8)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig8, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def pit_by_catalogue(names, paths):
    return {name: read_table(path, ["pit"])["pit"] for name, path in zip(names, paths, strict=True)}


def main(job):
    single = pit_by_catalogue(job.params.catalogues, job.input.single)
    ensemble = pit_by_catalogue(job.params.catalogues, job.input.ensemble)
    style.save(fig8.draw(single, ensemble), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
