"""A grid of FSPS's own populations in our format, so that the fast path runs on them.

The stars are what FSPS computes for each age and metallicity. The nebular tables are those that
FSPS reads, interpolated as it does. Between nodes FSPS is linear in flux and log Z (stars) and in
the logarithms (gas), so that a grid on the nodes of both is exact for both.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.build_grid import N_PIXELS, WAVELENGTH_RANGE, pixel_means
from photoz.sps.fsps.data_files import wavelength_file
from photoz.sps.fsps.galaxies import FSPS_SOLAR_LUMINOSITY, OPTIONS
from photoz.sps.fsps.installation import Installation, find_installation
from photoz.sps.fsps.nebular import LINES_KEPT, NebularTables, read_nebular
from photoz.sps.fsps.workers import Workers
from photoz.sps.grid import SOLAR_LUMINOSITY, SSPGrid, save_grid
from photoz.survey.photometry import SPEED_OF_LIGHT

if TYPE_CHECKING:
    from fsps import StellarPopulation

_UNIT = FSPS_SOLAR_LUMINOSITY / SOLAR_LUMINOSITY
_PHOTON_UNIT = 1e46
# FSPS's constants, which its photon rates and hence its lines rest on.
_PLANCK, _LIGHT, _LYMAN_LIMIT = 6.6261e-27, 2.9979e18, 912.0
_SAME_NODE = 1e-4  # dex


def build_fsps_grid(processes: int = 1) -> SSPGrid:
    """Compute the grid with FSPS: all its ages and metallicities.

    Parameters
    ----------
    processes : int
        FSPS processes side by side.

    Returns
    -------
    SSPGrid
        ``log_z`` is relative to FSPS's own solar metallicity, as its ``logzsol`` and ``gas_logz``.

    Raises
    ------
    InputError
        If FSPS or its data are missing or unfit (before anything is computed), or if FSPS ends
        its process.
    """
    installation = find_installation()
    tables = read_nebular(installation)
    edges = np.geomspace(*WAVELENGTH_RANGE, N_PIXELS + 1)
    options = OPTIONS | {"zcontinuous": 0, "sfh": 0, "add_neb_emission": False}
    number = installation.n_metallicities
    with Workers(options, min(processes, number)) as workers:
        (axes,) = workers.map(_axes, [()], "FSPS", "start")
        made = workers.map(
            _simple_populations,
            ((index + 1, edges) for index in range(number)),
            "SSPs of FSPS",
            "metallicities",
        )
    wavelength, log_age, metallicity, solar = axes
    _check_range(wavelength, edges, installation)
    stars_log_z = np.log10(metallicity / solar)
    log_z = _union(stars_log_z, tables.log_z)
    spectrum, rate, mass = (np.stack([one[k] for one in made]) for k in range(3))
    young = log_age <= tables.log_age[-1] + 1e-9
    kept = _brightest(tables)
    return SSPGrid(
        wavelength=np.sqrt(edges[1:] * edges[:-1]),
        log_age=log_age,
        log_z=log_z,
        spectrum=_between(stars_log_z, spectrum, log_z).astype(np.float32),
        ionizing_rate=_between(stars_log_z, rate, log_z),
        living_mass=_between(stars_log_z, mass, log_z),
        nebular_log_u=tables.log_u,
        nebular_log_age=_nebular_ages(tables.log_age, log_age[young]),
        nebular_continuum=_continuum(tables, log_z, wavelength, edges),
        line_wavelength=tables.line_wavelength[kept],
        line_name=tuple(tables.line_name[k] for k in kept),
        line_luminosity=_PHOTON_UNIT * _UNIT * np.exp(tables.log_lines(log_z)[..., kept]),
        provenance=_provenance(installation, float(solar)),
    )


def build_fsps_grid_file(path: str | PathLike[str], processes: int = 1) -> SSPGrid:
    """Compute the grid with FSPS and write it to `path`; return it."""
    grid = build_fsps_grid(processes)
    save_grid(path, grid)
    return grid


def _axes(population: StellarPopulation) -> tuple[Any, ...]:
    """Wavelengths (A), log10(age / yr), Z, solar Z; runs in a worker."""
    return (
        np.asarray(population.wavelengths),
        np.asarray(population.ssp_ages),
        np.asarray(population.zlegend),
        population.solar_metallicity,
    )


def _simple_populations(
    population: StellarPopulation, zmet: int, edges: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """SSPs of one metallicity at all ages; runs in a worker.

    Returns
    -------
    spectrum : (a, w) float32
        Lsun / A, pixel means.
    rate : (a,) float64
        Ionising photons, 1e46 / s, by FSPS's rule: trapezoids in frequency up to 912 A.
    mass : (a,) float64
    """
    wavelength, per_hertz = population.get_spectrum(zmet=zmet, tage=0.0, peraa=False)
    f_lambda = per_hertz * (_UNIT * SPEED_OF_LIGHT) / wavelength**2
    means = pixel_means(wavelength, f_lambda, edges).astype(np.float32)
    ionising = wavelength <= _LYMAN_LIMIT
    nu = _LIGHT / wavelength[ionising]
    photons = per_hertz[:, ionising] / nu * (FSPS_SOLAR_LUMINOSITY / _PLANCK / _PHOTON_UNIT)
    rate = 0.5 * (photons[:, 1:] + photons[:, :-1]) @ np.abs(np.diff(nu))
    return means, rate, np.asarray(population.stellar_mass)


def _check_range(
    wavelength: NDArray[np.float64], edges: NDArray[np.float64], installation: Installation
) -> None:
    if wavelength[0] > edges[0] or wavelength[-1] < edges[-1]:
        path = wavelength_file(installation.home, installation.library)
        raise InputError(
            f"{path}: {wavelength[0]:.0f}-{wavelength[-1]:.0f} A; "
            f"{edges[0]:.0f}-{edges[-1]:.0f} A are needed"
        )


def _union(stars: NDArray[np.float64], gas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metallicities of the stars, and those of the gas between them."""
    inside = gas[(gas > stars[0]) & (gas < stars[-1])]
    apart = np.abs(inside[:, None] - stars).min(axis=1) > _SAME_NODE
    return np.sort(np.concatenate([stars, inside[apart]]))


def _between(
    nodes: NDArray[np.float64], values: NDArray[np.floating], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate linearly along the first axis, clamped."""
    at = np.clip(at, nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, nodes.size - 2)
    part = (at - nodes[left]) / (nodes[left + 1] - nodes[left])
    part = part.reshape((-1,) + (1,) * (values.ndim - 1))
    return (1 - part) * values[left] + part * values[left + 1]


def _nebular_ages(nodes: NDArray[np.float64], young: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ages of the nebular tables; FSPS adds no gas beyond its last SSP that is not older."""
    if young.size and young[-1] > nodes[-2]:
        return nodes
    raise InputError("FSPS's nebular tables and SSPs have no common ages")


def _brightest(tables: NebularTables) -> NDArray[np.intp]:
    """Return the brightest lines inside the wavelength range, in order of wavelength."""
    low, high = WAVELENGTH_RANGE
    inside = (tables.line_wavelength > low) & (tables.line_wavelength < high)
    peak = tables.log_line.reshape(-1, inside.size).max(axis=0)
    kept = np.argsort(np.where(inside, -peak, np.inf), kind="stable")[
        : min(LINES_KEPT, inside.sum())
    ]
    return kept[np.argsort(tables.line_wavelength[kept], kind="stable")]


def _continuum(
    tables: NebularTables,
    log_z: NDArray[np.float64],
    wavelength: NDArray[np.float64],
    edges: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Nebular continuum, Lsun / A per 1e46 photons / s, pixel means, (m, u, k, w)."""
    unit = _PHOTON_UNIT * _UNIT * SPEED_OF_LIGHT / wavelength**2
    inside = slice(
        int(np.searchsorted(wavelength, edges[0], side="right")) - 1,
        int(np.searchsorted(wavelength, edges[-1])) + 1,
    )
    planes = []
    for z in log_z:
        per_hertz = np.exp(tables.log_continua(np.array([z]), wavelength[inside])[0])
        planes.append(pixel_means(wavelength[inside], per_hertz * unit[inside], edges))
    return np.stack(planes).astype(np.float32)


def _provenance(installation: Installation, solar: float) -> dict[str, Any]:
    return installation.provenance() | {
        "zsun": round(solar, 6),
        "wavelengths": "vacuum; pixels uniform in ln(wavelength) holding mean f_lambda",
        "licence": "as the data in SPS_HOME; FSPS itself: MIT",
    }
