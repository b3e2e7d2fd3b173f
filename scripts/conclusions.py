"""Test the paper's conclusions on every catalogue that imitates its survey."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures.inputs import read_table
from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.conclusions import conclude
from photoz.metrics.paper_conclusions import PAPER_CONCLUSIONS
from photoz.pdf.table import read_photoz_table


def main(job):
    tables, splits = {}, {}
    evaluated = zip(job.params.evaluated, job.input.tables, job.input.singles, strict=True)
    for (catalogue, variant), table, single in evaluated:
        tables.setdefault(catalogue, {})[variant] = read_photoz_table(table)
        splits.setdefault(catalogue, {})[variant] = read_photoz_table(single)
    varied = zip(job.params.varied, job.input.variations, strict=True)
    for (catalogue, variant), path in varied:
        variation = read_table(path, ["id", "variation"]).set_index("id")["variation"]
        table = tables[catalogue][variant]
        table["variation"] = variation.reindex(table["id"]).to_numpy()
    rows = conclude(PAPER_CONCLUSIONS, tables, splits, job.params.n_boot, job.params.seed)
    with replace_when_done(job.output[0]) as path:
        rows.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
