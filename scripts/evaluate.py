"""Measure photo-z of one variant against spectroscopic redshifts (paper, sections 3.3 and 6)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics import (
    binned_metrics,
    calibration_table,
    crps,
    negative_log_likelihood,
    quality_curves,
)
from photoz.pdf.io import read_pdf
from photoz.pdf.table import read_photoz_table


def write(path, table, job):
    """Write a table with the names of the catalogue and the variant in front."""
    table.insert(0, "catalogue", job.wildcards.catalogue)
    table.insert(1, "variant", job.wildcards.variant)
    with replace_when_done(path) as temporary:
        table.to_parquet(temporary, index=False)


def main(job):
    table = read_photoz_table(job.input.table)
    pdf, _ = read_pdf(job.input.pdf)
    section, seed = job.params.section, job.params.seed
    n_boot = section["n_boot"]
    metrics = binned_metrics(
        table["z_mode"],
        table["z_spec"],
        table["mag_i"],
        section["magnitude_edges"],
        section["redshift_edges"],
        averages={
            "crps": crps(pdf, table["z_spec"]),
            "negative_log_likelihood": negative_log_likelihood(pdf, table["z_spec"]),
            "odds": table["odds"],
        },
        n_boot=n_boot,
        rng=seed,
    )
    write(job.output.metrics, metrics, job)
    columns = (table[name] for name in ("z_mode", "z_spec", "odds", "width"))
    curves = quality_curves(*columns, n_boot=n_boot, seed=seed)
    write(job.output.completeness, curves, job)
    splits = [part["pit"] for _, part in read_photoz_table(job.input.single).groupby("split")]
    write(job.output.calibration, calibration_table(table["pit"], splits, n_boot, seed), job)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
