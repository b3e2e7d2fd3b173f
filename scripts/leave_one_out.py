"""Leave out one exposure at a time (paper, section 5.3): for many galaxies, and p(z) of one."""

# ruff: noqa: F821 - Snakemake gives the script its `snakemake`
import numpy as np
import torch

from photoz.files import replace_when_done
from photoz.logs import job_log
from photoz.pdf.io import write_pdf
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_folds
from photoz.training.checkpoints import TrainedNetworks, load_networks
from photoz.training.leave_one_out import leave_one_out, leave_one_out_moves, most_moved


def main(job):
    torch.set_num_threads(job.threads)
    catalogue = read_catalogue(job.input.catalogue)
    folds = read_folds(job.input.splits, catalogue.id, 0)
    trained = load_networks(job.input.networks, split=0)
    moves = leave_one_out_moves(trained, catalogue, folds, job.params.galaxies)
    with replace_when_done(job.output.galaxies) as path:
        moves.to_parquet(path, index=False)
    galaxy = most_moved(moves)
    own = TrainedNetworks(trained.network.member(folds[galaxy]), trained.transform)
    result = leave_one_out(own, catalogue, galaxy)
    columns = {
        "id": np.repeat(catalogue.id[galaxy], len(result.band)),
        "z_spec": np.repeat(catalogue.redshift[galaxy], len(result.band)),
        "mag_i": np.repeat(catalogue.mag_i[galaxy], len(result.band)),
        "z_mode": result.pdf.mode(),
        "band": np.array(result.band),
        "exposure": result.exposure,
    }
    write_pdf(job.output.pdf, result.pdf, columns)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake)
