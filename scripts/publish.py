"""Join the results pages of several runs for the documentation, with their figures."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import shutil
from pathlib import Path

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.results_page import join


def main(job):
    pages = {Path(path).parent.name: Path(path) for path in job.input}
    images = Path(job.output.images)
    for name, page in pages.items():
        shutil.copytree(
            page.parent / "figures", images / name, ignore=shutil.ignore_patterns("*.pdf")
        )
    text = join(
        {name: page.read_text(encoding="utf-8") for name, page in pages.items()}, images.name
    )
    with replace_when_done(job.output.page) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
