"""Compare variants galaxy by galaxy, with a paired bootstrap."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np
import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics import compare_variants, redshift_error, require_same_galaxies
from photoz.pdf.table import read_photoz_table


def read_errors(paths):
    """Identifiers and redshift errors (n, splits) by file; a table of no split is one column."""
    ids, errors = {}, {}
    for path in paths:
        table = read_photoz_table(path)
        dz = redshift_error(table["z_mode"], table["z_spec"])
        members = {path: np.ones(len(table), dtype=bool)}
        if "split" in table:
            members = {f"{path}, split {k},": table["split"] == k for k in table["split"].unique()}
        ids |= {name: table["id"][member] for name, member in members.items()}
        errors[path] = [dz[member] for member in members.values()]
    require_same_galaxies(ids)
    return {path: np.stack(columns, axis=1) for path, columns in errors.items()}


def main(job):
    files = {}
    evaluated = zip(job.params.evaluated, job.input.tables, job.input.singles, strict=True)
    for (catalogue, variant), table, single in evaluated:
        files.setdefault(catalogue, {})[variant] = (table, single)
    compared = []
    for catalogue, variants in files.items():
        errors = read_errors([path for pair in variants.values() for path in pair])
        rows = compare_variants(
            {variant: errors[table][:, 0] for variant, (table, _) in variants.items()},
            {variant: errors[single] for variant, (_, single) in variants.items()},
            job.params.pairs,
            job.params.contrasts,
            job.params.n_boot,
            job.params.seed,
        )
        rows.insert(0, "catalogue", catalogue)
        compared.append(rows)
    with replace_when_done(job.output[0]) as path:
        rows = pd.concat([rows for rows in compared if len(rows)] or compared, ignore_index=True)
        rows.to_parquet(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
