"""Average the p(z) of more and more splits and measure them (paper, section 5.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.metrics.members import member_metrics
from photoz.pdf.io import read_pdf
from photoz.survey.catalogue import read_catalogue


def main(job):
    catalogue = read_catalogue(job.input.catalogue)
    pdfs = [read_pdf(path)[0] for path in job.input.predictions]
    table = member_metrics(pdfs, catalogue.redshift, job.params.n_boot, job.params.seed)
    table.insert(0, "catalogue", job.wildcards.catalogue)
    table.insert(1, "variant", job.wildcards.variant)
    with replace_when_done(job.output.members) as path:
        table.to_parquet(path, index=False)
    with replace_when_done(job.output.table) as path:
        table.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
