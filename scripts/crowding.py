"""Measure scatter against the number of galaxies with nearly the same redshift (paper, Fig. 3)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics import require_same_galaxies
from photoz.metrics.crowding import crowding_metrics
from photoz.pdf.table import read_photoz_table


def main(job):
    tables = {}
    for (catalogue, variant), path in zip(job.params.evaluated, job.input.tables, strict=True):
        tables.setdefault(catalogue, {})[variant] = read_photoz_table(path)
    measured = []
    for catalogue, variants in tables.items():
        require_same_galaxies({f"{catalogue}, {name}": t["id"] for name, t in variants.items()})
        rows = crowding_metrics(
            {name: table["z_mode"] for name, table in variants.items()},
            next(iter(variants.values()))["z_spec"],
            job.params.n_boot,
            job.params.seed,
        )
        rows.insert(0, "catalogue", catalogue)
        measured.append(rows)
    rows = pd.concat(measured, ignore_index=True)
    with replace_when_done(job.output.metrics) as path:
        rows.to_parquet(path, index=False)
    with replace_when_done(job.output.table) as path:
        rows.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
