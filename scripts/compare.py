"""Compare variants galaxy by galaxy, with a paired bootstrap."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics import paired_difference, redshift_error
from photoz.metrics.binned import METRICS
from photoz.pdf.table import read_photoz_table

COMPARED = ("sigma68", "strict_outliers", "outliers")
COLUMNS = ("catalogue", "variant", "reference", "metric")


def read_errors(path):
    table = read_photoz_table(path)
    return redshift_error(table["z_mode"], table["z_spec"])


def main(job):
    errors = {
        tuple(pair): read_errors(path)
        for pair, path in zip(job.params.evaluated, job.input.tables, strict=True)
    }
    rows = []
    for catalogue in dict.fromkeys(catalogue for catalogue, _ in errors):
        for variant, reference in job.params.pairs:
            a, b = errors.get((catalogue, variant)), errors.get((catalogue, reference))
            if a is None or b is None:
                continue
            for metric in COMPARED:
                result = paired_difference(
                    METRICS[metric], a, b, job.params.seed, job.params.n_boot
                )
                names = dict(zip(COLUMNS, (catalogue, variant, reference, metric), strict=True))
                rows.append(names | result._asdict())
    columns = [*COLUMNS, *type(result)._fields] if rows else list(COLUMNS)
    with replace_when_done(job.output[0]) as path:
        pd.DataFrame(rows, columns=columns).to_parquet(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
