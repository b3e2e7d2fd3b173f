"""Make the catalogue: mock galaxies observed, or a user's file read (paper, section 2.1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import logging
from dataclasses import asdict

from photoz.files import InputError, sha256
from photoz.logs import job_log
from photoz.simulations.galaxies import PopulationConfig
from photoz.simulations.mock import MockConfig, make_mock, make_template_mock
from photoz.simulations.observing import ObservingConfig
from photoz.survey.catalogue import write_catalogue
from photoz.survey.ingest import ingest
from photoz.survey.selection import Selection, select
from photoz.survey.survey import load_survey

logger = logging.getLogger("observe")


def from_file(path, section, survey):
    expected = section["sha256"]
    if expected is not None and sha256(path) != expected:
        raise InputError(
            f"{path}: its SHA-256 is {sha256(path)}, the configuration says {expected}"
        )
    raw = ingest(path, section["columns"] or survey.columns, survey)
    cuts = asdict(survey.selection) | dict(section["selection"])
    catalogue, counts = select(raw, Selection.from_dict(cuts))
    for cut, number in counts.items():
        logger.info("%s: %d", cut, number)
    return catalogue


def mock_config(section):
    return MockConfig(
        n_galaxies=section["n_galaxies"],
        population=PopulationConfig(**section["population"]),
        observing=ObservingConfig(**section["observing"]),
    )


def main(job):
    survey = load_survey(job.input.survey)
    section = dict(job.params.section)
    kind = section.pop("kind")
    if kind == "file":
        catalogue = from_file(job.input.file, section, survey)
    else:
        make = {"mock": make_mock, "template_mock": make_template_mock}[kind]
        catalogue = make(survey, mock_config(section), job.params.seed)
    write_catalogue(job.output[0], catalogue)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
