"""Draw photometric against spectroscopic redshift (paper, Fig. D1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import figd1, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log


def main(job):
    panels = {}
    for variant, path in zip(job.params.variants, job.input.tables, strict=True):
        table = read_table(path, ["z_spec", "z_mode"])
        panels[style.variant_style(variant).label] = (table["z_spec"], table["z_mode"])
    style.save(figd1.draw(panels), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
