"""Draw the mock surveys beside real galaxies."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_mock, style
from photoz.logs import job_log
from photoz.simulations.realism import compare_with_real
from photoz.survey.catalogue import read_catalogue


def main(job):
    comparisons, scatters = {}, {}
    for name, path in zip(job.params.catalogues, job.input.catalogues, strict=True):
        catalogue = read_catalogue(path)
        comparisons[name] = compare_with_real(catalogue)
        scatters[name] = fig_mock.measure_scatter(catalogue)
    style.save(fig_mock.draw(comparisons, scatters), job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
