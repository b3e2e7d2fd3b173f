"""Gather metrics, calibration, quality cuts and comparisons in tables that anything can read."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log


def write(path, table):
    with replace_when_done(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def main(job):
    for name in ("metrics", "calibration", "completeness"):
        tables = [pd.read_parquet(path) for path in job.input[name]]
        write(job.output[name], pd.concat(tables, ignore_index=True))
    write(job.output.comparisons, pd.read_parquet(job.input.comparisons))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
