"""Compare variants galaxy by galaxy, with a paired bootstrap."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics import paired_difference, redshift_error, require_same_galaxies
from photoz.metrics.binned import METRICS
from photoz.pdf.table import read_photoz_table

COMPARED = ("sigma68", "strict_outliers", "outliers")
COLUMNS = ("catalogue", "variant", "reference", "metric")


def read_errors(paths):
    """Redshift errors by variant: files of one catalogue, whose galaxies are the same."""
    tables = {variant: read_photoz_table(path) for variant, path in paths.items()}
    require_same_galaxies({paths[variant]: table["id"] for variant, table in tables.items()})
    return {
        variant: redshift_error(table["z_mode"], table["z_spec"])
        for variant, table in tables.items()
    }


def main(job):
    paths = {}
    for (catalogue, variant), path in zip(job.params.evaluated, job.input.tables, strict=True):
        paths.setdefault(catalogue, {})[variant] = path
    rows = []
    for catalogue in paths:
        errors = read_errors(paths[catalogue])
        for variant, reference in job.params.pairs:
            if variant not in errors or reference not in errors:
                continue
            a, b = errors[variant], errors[reference]
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
