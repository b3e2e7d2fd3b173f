"""Write the results page of the run."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import os
from pathlib import Path

import pandas as pd

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.results_page import Run, page
from photoz.run_record import code_notes, read_timings

TABLES = ("metrics", "completeness", "calibration", "comparisons")


def main(job):
    output, params = Path(job.output[0]), job.params
    run = Run(
        name=params.name,
        command=params.command,
        code=params.code,
        paper=params.paper,
        figures=[os.path.relpath(path, output.parent) for path in job.input.figures],
        notes=[*code_notes(params.logs, params.jobs, params.mixed_code), *params.notes],
    )
    tables = (pd.read_csv(job.input[name]) for name in TABLES)
    timings = read_timings(params.benchmarks, params.jobs)
    conclusions, table1 = (pd.read_csv(job.input[name]) for name in ("conclusions", "table1"))
    text = page(run, *tables, timings, conclusions, table1)
    with replace_when_done(output) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
