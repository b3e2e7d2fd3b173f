"""Draw the zero-points of template fits."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_zero_points, style
from photoz.logs import job_log
from photoz.survey.survey import load_survey
from photoz.templates.zeropoints import read_zero_points


def main(job):
    found = {}
    for catalogue, path in zip(job.params.catalogues, job.input.zero_points, strict=True):
        found.setdefault(catalogue, []).append(read_zero_points(path))
    figure = fig_zero_points.draw(found, load_survey(job.input.survey).bands)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
