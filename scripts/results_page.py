"""Write the results page of the run."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import os
from pathlib import Path

import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.results_page import code_notes, page, read_timings

TABLES = ("metrics", "completeness", "calibration", "comparisons")


def main(job):
    output = Path(job.output[0])
    text = page(
        job.params.name,
        job.params.command,
        *(pd.read_csv(job.input[name]) for name in TABLES),
        read_timings(job.params.benchmarks),
        [os.path.relpath(path, output.parent) for path in job.input.figures],
        code_notes(job.params.logs, job.params.jobs, job.params.mixed_code),
    )
    with replace_when_done(output) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
