"""Join the results pages of several runs for the documentation, with their figures."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import shutil
from pathlib import Path

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.results_page import join, page_figures


def main(job):
    paths = {Path(path).parent.name: Path(path) for path in job.input}
    pages = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    images = Path(job.output.images)
    text = join(pages, images.relative_to(Path(job.output.page).parent).as_posix())
    for name, page in pages.items():
        (images / name).mkdir(parents=True)
        for figure in page_figures(page):
            shutil.copy(paths[name].parent / figure, images / name)
    with replace_when_done(job.output.page) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
