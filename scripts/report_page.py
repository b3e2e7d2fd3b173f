"""Write the report of the run: one HTML file that opens without a network."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from pathlib import Path

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.report_page import report


def main(job):
    params = job.params
    text = report(
        params.name,
        Path(job.input.page).read_text(encoding="utf-8"),
        {Path(path).stem: Path(path).read_bytes() for path in job.input.figures},
        params.captions,
        params.given,
        params.resolved,
    )
    with replace_when_done(job.output[0]) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
