"""Write the ranges of the simulated galaxies' parameters (paper, Table 1)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.simulations.priors import Prior
from photoz.simulations.table1 import table1


def main(job):
    priors = {name: Prior.from_mapping(prior) for name, prior in job.params.priors.items()}
    with replace_when_done(job.output[0]) as path:
        table1(priors).to_csv(path, index=False)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
