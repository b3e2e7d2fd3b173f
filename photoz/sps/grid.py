"""The grid of simple stellar populations and of the nebular emission they excite."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoz.checksums import DAMAGED_NPZ, read_npz
from photoz.files import InputError, replace_when_done, require_file

SOLAR_LUMINOSITY = 3.826e33
"""erg/s per Lsun: the value behind the tables."""
SHIPPED_GRID = "ssp_bc03_miles.npz"
_QUANTA = 65535
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)  # fixed, so that the same grid gives the same bytes
_PACKED = ("spectrum", "nebular_continuum")
_PLAIN = (
    "log_age",
    "log_z",
    "ionizing_rate",
    "living_mass",
    "nebular_log_u",
    "nebular_log_age",
    "line_wavelength",
    "line_luminosity",
)


@dataclass(frozen=True)
class SSPGrid:
    """Spectra of simple stellar populations (SSPs) on pixels uniform in ln(wavelength).

    A pixel holds the mean of f_lambda over its width, so that a band flux of the pixel-constant
    spectrum keeps the flux of the source. Wavelengths are in vacuum.

    Attributes
    ----------
    wavelength : (w,) float64
        Pixel centres (geometric), A.
    log_age : (a,) float64
        log10(age / yr) of the SSPs.
    log_z : (m,) float64
        log10(Z / Zsun), Zsun = 0.02.
    spectrum : (m, a, w) float32
        Stellar luminosity, Lsun / A per Msun formed.
    ionizing_rate : (m, a) float64
        Hydrogen-ionising photons (below 911.8 A), 1e46 / s per Msun formed.
    living_mass : (m, a) float64
        Mass still in living stars, per Msun formed.
    nebular_log_u, nebular_log_age : (u,), (k,) float64
        Ionisation parameters and ages (log10 yr) of the nebular tables; their metallicities are
        `log_z`.
    nebular_continuum : (m, u, k, w) float32
        Lsun / A per 1e46 ionising photons / s.
    line_wavelength : (l,) float64
        A, vacuum.
    line_name : tuple of str
        For example ``"H 1 6562.80"``.
    line_luminosity : (m, u, k, l) float64
        Lsun per 1e46 ionising photons / s.
    provenance : mapping
        Where the numbers come from, the IMF, the licence.
    """

    wavelength: NDArray[np.float64]
    log_age: NDArray[np.float64]
    log_z: NDArray[np.float64]
    spectrum: NDArray[np.float32]
    ionizing_rate: NDArray[np.float64]
    living_mass: NDArray[np.float64]
    nebular_log_u: NDArray[np.float64]
    nebular_log_age: NDArray[np.float64]
    nebular_continuum: NDArray[np.float32]
    line_wavelength: NDArray[np.float64]
    line_name: tuple[str, ...]
    line_luminosity: NDArray[np.float64]
    provenance: Mapping[str, Any]

    @property
    def log_step(self) -> float:
        """Pixel width in ln(wavelength)."""
        return float(np.log(self.wavelength[-1] / self.wavelength[0]) / (self.wavelength.size - 1))

    @property
    def edges(self) -> NDArray[np.float64]:
        """(w + 1,) pixel edges, A."""
        centres = np.log(self.wavelength)
        half = 0.5 * self.log_step
        return np.exp(np.append(centres - half, centres[-1] + half))

    @cached_property
    def nebular_basis(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Nebular continuum as (m, u, k, r) coefficients times an (r, w) basis.

        The continua of all nodes look alike: a handful of components holds them to 1e-4.
        """
        table = self.nebular_continuum.astype(np.float64)
        flat = table.reshape(-1, table.shape[-1])
        # In units of the mean spectrum, so that faint pixels are held as well as bright ones.
        mean = flat.mean(axis=0)
        flat = flat / mean
        # Eigenvectors of the small side: cheaper than a full SVD and accurate enough here.
        values, vectors = np.linalg.eigh(flat @ flat.T)
        vectors = vectors[:, values > 1e-9 * values[-1]][:, ::-1]
        basis = (vectors.T @ flat) * mean
        coefficients = vectors.reshape(*table.shape[:-1], -1)
        return coefficients.astype(np.float32), basis.astype(np.float32)


def load_grid(path: str | PathLike[str] | None = None) -> SSPGrid:
    """Read an SSP grid; without a path, the one shipped with the package.

    Raises
    ------
    InputError
        If the file is absent, damaged, or not such a grid.
    """
    if path is None:
        path = str(resources.files("photoz.data").joinpath(SHIPPED_GRID))
    path = require_file(path, "SSP grid").resolve()
    return _load(path, path.stat().st_mtime)


@lru_cache(maxsize=2)
def _load(path: Path, _modified: float) -> SSPGrid:
    try:
        data = read_npz(path)
        arrays: dict[str, Any] = {name: data[name].astype(np.float64) for name in _PLAIN}
        first, last, number = data["wavelength_range"]
        for name in _PACKED:
            arrays[name] = _unpack(data[name], data[f"{name}_range"])
        names = tuple(json.loads(str(data["line_name"])))
        provenance = json.loads(str(data["provenance"]))
    except DAMAGED_NPZ as error:
        raise InputError(
            f"{path}: not an SSP grid, or damaged ({error}); install the package again or "
            "rebuild the grid"
        ) from error
    return SSPGrid(
        wavelength=np.geomspace(first, last, int(number)),
        line_name=names,
        provenance=provenance,
        **arrays,
    )


def save_grid(path: str | PathLike[str], grid: SSPGrid) -> None:
    """Write a grid as npz: the big tables as 16-bit logarithms, the rest as they are.

    The rounding is uniform with a standard deviation of about 1e-4 in flux, independent from pixel
    to pixel; a band averages it away. The same grid gives the same bytes.
    """
    arrays: dict[str, NDArray[Any]] = {name: getattr(grid, name) for name in _PLAIN}
    ends = (grid.wavelength[0], grid.wavelength[-1], grid.wavelength.size)
    arrays["wavelength_range"] = np.array(ends, dtype=np.float64)
    arrays["line_name"] = np.array(json.dumps(grid.line_name))
    arrays["provenance"] = np.array(json.dumps(dict(grid.provenance), sort_keys=True))
    for name in _PACKED:
        arrays[name], arrays[f"{name}_range"] = _pack(getattr(grid, name))
    with replace_when_done(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_DATE)
            info.compress_type = zipfile.ZIP_LZMA
            archive.writestr(info, buffer.getvalue())


def _pack(values: NDArray[np.floating]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Quantise ln(values), difference along age and wavelength, and split the bytes.

    Neighbouring ages and pixels differ little, so that the differences compress well; modular
    arithmetic makes them exactly reversible.
    """
    # Fluxes 1e-9 of the brightest pixel never matter; the floor keeps the range narrow.
    logarithm = np.log(np.maximum(values.astype(np.float64), values.max() * 1e-9))
    low, high = float(logarithm.min()), float(logarithm.max())
    quanta = np.round((logarithm - low) * (_QUANTA / (high - low))).astype(np.uint16)
    for axis in (-2, -1):
        quanta = np.diff(quanta, axis=axis, prepend=np.uint16(0))
    # Offset so that small negative differences keep the same high byte as small positive ones.
    quanta = quanta + np.uint16(128)
    return np.stack([quanta >> 8, quanta & 255]).astype(np.uint8), np.array([low, high])


def _unpack(stored: NDArray[np.uint8], limits: NDArray[np.float64]) -> NDArray[np.float32]:
    quanta = (stored[0].astype(np.uint16) << 8) + stored[1] - np.uint16(128)
    for axis in (-1, -2):
        quanta = np.cumsum(quanta, axis=axis, dtype=np.uint16)
    low, high = limits
    return np.exp(low + quanta * np.float32((high - low) / _QUANTA), dtype=np.float32)
