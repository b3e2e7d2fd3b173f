"""Make a grid of FSPS's stellar populations (paper, section 3.2.2)."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
from photoz.logs import job_log
from photoz.sps.fsps import build_fsps_grid_file, check_resolution, find_installation
from photoz.survey.survey import load_survey


def main(job):
    bands = load_survey(job.input.survey).bands
    check_resolution(find_installation(), bands, job.params.redshift_max)
    build_fsps_grid_file(job.output[0], job.threads)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
