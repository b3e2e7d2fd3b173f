"""Draw the PIT of one split and of the ensemble (paper, Fig. 8)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig8, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def read_pit(path, split=None):
    """PIT of every galaxy, or of one split from the table of all."""
    table = read_table(path, ["pit"] if split is None else ["pit", "split"])
    return table["pit"] if split is None else table.loc[table["split"] == split, "pit"]


def main(job):
    names = job.params.catalogues
    single = {n: read_pit(path, 0) for n, path in zip(names, job.input.single, strict=True)}
    ensemble = {n: read_pit(path) for n, path in zip(names, job.input.ensemble, strict=True)}
    style.save(fig8.draw(single, ensemble), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
