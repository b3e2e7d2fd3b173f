"""Simulate one chunk of galaxies, from populations or templates (paper, section 3.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.configuration import fingerprint
from photoz.logs import job_log
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import simulate_chunk
from photoz.simulations.template_population import TemplatePopulation
from photoz.simulations.template_simulation import simulate_template_chunk
from photoz.sps.grid import load_grid
from photoz.survey.survey import load_survey


def gpu(job):
    """The GPU, where the job was given one (`--set-resources simulate:gpu=1`)."""
    if not job.resources.get("gpu"):
        return None
    from photoz.training.device import pick_device  # torch takes a second to load

    device = pick_device()
    return str(device) if device.type == "cuda" else None


def main(job):
    survey = load_survey(job.input.survey)
    galaxies = job.params.galaxies
    common = {
        "bands": survey.bands,
        "n": job.params.n_galaxies,
        "seed": job.params.seed,
        "chunk": int(job.wildcards.chunk),
        "config_hash": fingerprint(galaxies),
        "reference": survey.reference_band,
    }
    if job.params.kind == "templates":
        population = TemplatePopulation.from_mapping(galaxies)
        simulate_template_chunk(job.output[0], population, **common)
    else:
        path = job.input.get("grid")
        simulate_chunk(
            job.output[0],
            Prior.from_mapping(galaxies),
            **common,
            grid=load_grid(path) if path else None,
            device=gpu(job),
            engine=job.params.engine,
            processes=job.threads,
        )


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
