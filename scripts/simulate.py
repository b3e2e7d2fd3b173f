"""Simulate one chunk of galaxies (paper, section 3.2 and Table 1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.configuration import fingerprint
from photoz.logs import job_log
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import simulate_chunk
from photoz.sps.grid import load_grid
from photoz.survey.survey import load_survey


def main(job):
    survey = load_survey(job.input.survey)
    simulate_chunk(
        job.output[0],
        Prior.from_mapping(job.params.prior),
        survey.bands,
        job.params.n_galaxies,
        job.params.seed,
        int(job.wildcards.chunk),
        fingerprint(job.params.prior),
        reference=survey.reference_band,
        grid=load_grid(job.input.get("grid") or None),
    )


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
