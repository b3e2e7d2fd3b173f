"""Draw the fluxes and p(z) of example galaxies."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.figures import fig_examples, style
from photoz.figures.inputs import read_table
from photoz.logs import job_log
from photoz.metrics import require_same_galaxies
from photoz.pdf.io import read_pdf
from photoz.survey.catalogue import read_catalogue
from photoz.survey.survey import load_survey


def main(job):
    paths = [job.input[name][0] for name in ("catalogue", "pdf", "table")]
    catalogue, (pdf, _) = read_catalogue(paths[0]), read_pdf(paths[1])
    table, survey = read_table(paths[2], ["id", "odds"]), load_survey(job.input.survey)
    require_same_galaxies({paths[0]: catalogue.id, paths[2]: table["id"]})
    galaxies = fig_examples.examples(catalogue, pdf, table["odds"], job.params.quantiles)
    bands = survey.bands.subset(catalogue.bands)
    figure = fig_examples.draw(galaxies, bands, survey.reference_band)
    style.save(figure, job.output.pdf, job.output.png)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
