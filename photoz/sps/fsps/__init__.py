"""FSPS as a backend: grids of its populations, and galaxies computed one by one.

FSPS ends its process, with exit code 0, when a data file is missing. It therefore only ever runs
in child processes (`photoz.sps.fsps.worker`), and the files it will open are looked at before.
"""

from photoz.sps.fsps.galaxies import fsps_fluxes
from photoz.sps.fsps.installation import Installation, find_installation
from photoz.sps.fsps.resolution import check_resolution
from photoz.sps.fsps.ssp_grid import build_fsps_grid, build_fsps_grid_file

__all__ = [
    "Installation",
    "build_fsps_grid",
    "build_fsps_grid_file",
    "check_resolution",
    "find_installation",
    "fsps_fluxes",
]
