"""Measure photo-z of one variant against spectroscopic redshifts (paper, sections 3.3 and 6)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from dataclasses import asdict

import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics import (
    binned_metrics,
    central_bins,
    crps,
    negative_log_likelihood,
    pit_tests,
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


def calibration(density, pit):
    """Describe how uniform the PIT is, and how far its central bins stray from their mean."""
    centre = central_bins(pit)
    return (
        {"density": density}
        | asdict(pit_tests(pit))
        | {"central_deviation": centre.deviation, "expected_deviation": centre.expected}
    )


def main(job):
    table = read_photoz_table(job.input.table)
    pdf, _ = read_pdf(job.input.pdf)
    section = job.params.section
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
        n_boot=section["n_boot"],
        rng=job.params.seed,
    )
    write(job.output.metrics, metrics, job)
    curves = quality_curves(table["z_mode"], table["z_spec"], table["odds"], table["width"])
    write(job.output.completeness, curves, job)
    singles = read_photoz_table(job.input.single)
    rows = [calibration("ensemble", table["pit"]), calibration("single networks", singles["pit"])]
    write(job.output.calibration, pd.DataFrame(rows), job)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
