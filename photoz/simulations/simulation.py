"""The FSPS-style simulation (section 3.2.2) as HDF5 chunks that stand alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError, replace_when_done, require_file
from photoz.simulations.priors import Prior, sample
from photoz.sps.fluxes import simulate_fluxes
from photoz.sps.grid import SSPGrid, load_grid
from photoz.sps.projection import BandProjector
from photoz.survey.bands import BandSet

UNITS = "maggies per Msun formed"
_ROWS_PER_CHUNK = 4096  # of the checksums in the file
_ROUNDS = 100  # of drawing again what the colour cut dropped


@dataclass(frozen=True)
class Simulation:
    """Simulated galaxies.

    Attributes
    ----------
    flux : (n, band) float32
        maggies (3631 Jy) of 1 Msun formed; ratios to the reference band are what matters.
    redshift : (n,) float64
    bands : tuple of str
    params : dict of (n,) arrays
        The parameters of Table 1 and those tied to them.
    """

    flux: NDArray[np.float32]
    redshift: NDArray[np.float64]
    bands: tuple[str, ...]
    params: dict[str, NDArray[np.floating]]

    def __len__(self) -> int:
        return self.redshift.size


def simulate(
    prior: Prior,
    bands: BandSet,
    n: int,
    rng: np.random.Generator,
    *,
    reference: str = "i",
    grid: SSPGrid | None = None,
) -> Simulation:
    """Draw `n` galaxies and compute their fluxes.

    Parameters
    ----------
    prior : Prior
    bands : BandSet
    n : int
    rng : numpy Generator
    reference : str
        Band of the colour cut, if there is one.
    grid : SSPGrid, optional
        Default: the shipped one.

    Raises
    ------
    InputError
        If a band sees beyond the spectra, or the colour cut leaves hardly any galaxy.
    """
    grid = grid or load_grid()
    projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, prior.redshift[1])
    parts: list[tuple[NDArray[np.float32], dict[str, NDArray[np.float64]]]] = []
    wanted = n
    for _ in range(_ROUNDS):
        drawn = sample(prior, wanted, rng)
        flux = simulate_fluxes(grid, projector, drawn)
        if prior.colour_cut is not None:
            keep = _within_colours(flux, bands.index(reference), prior.colour_cut)
            flux, drawn = flux[keep], {name: values[keep] for name, values in drawn.items()}
        parts.append((flux, drawn))
        wanted -= len(flux)
        if wanted == 0:
            break
    else:
        raise InputError(f"prior: colour_cut = {prior.colour_cut} mag drops nearly every galaxy")
    params = {name: np.concatenate([p[name] for _, p in parts]) for name in parts[0][1]}
    flux = np.concatenate([f for f, _ in parts])
    return Simulation(flux, params["redshift"], bands.names, dict(params))


def simulate_chunk(
    path: str | PathLike[str],
    prior: Prior,
    bands: BandSet,
    n: int,
    seed: int,
    chunk: int,
    config_hash: str,
    *,
    reference: str = "i",
    grid: SSPGrid | None = None,
) -> None:
    """Simulate one chunk and write it.

    The generator depends on (`seed`, `chunk`) only: any chunk can be made alone, in any order.

    Parameters
    ----------
    path : path-like
        HDF5 file to write: ``params/*`` (n,), ``flux`` (n, band) float32.
    prior, bands, n, reference, grid
        As in `simulate`.
    seed, chunk : int
    config_hash : str
        Stored, so that a reader can tell which configuration made the file.
    """
    stream = np.random.SeedSequence(seed, spawn_key=(chunk,))
    rng = np.random.default_rng(stream)
    simulation = simulate(prior, bands, n, rng, reference=reference, grid=grid)
    arrays = {f"params/{name}": values for name, values in simulation.params.items()}
    arrays = {
        name: values if name == "params/redshift" else values.astype(np.float32)
        for name, values in arrays.items()
    } | {"flux": simulation.flux}
    with replace_when_done(path) as temporary, h5py.File(temporary, "w") as file:
        for name, values in sorted(arrays.items()):
            chunks = (min(len(values), _ROWS_PER_CHUNK), *values.shape[1:]) if values.size else None
            file.create_dataset(
                name, data=values, track_times=False, chunks=chunks, fletcher32=bool(values.size)
            )
        file.attrs["bands"] = list(simulation.bands)
        file.attrs["units"] = UNITS
        file.attrs["seed"] = seed
        file.attrs["chunk"] = chunk
        file.attrs["config_hash"] = config_hash
        file.attrs["prior"] = json.dumps(prior.to_dict(), sort_keys=True)
        file.attrs["checksum"] = _checksum(arrays)


def read_simulation(
    paths: str | PathLike[str] | Sequence[str | PathLike[str]],
) -> Simulation:
    """Read simulation chunks, in the order given.

    Raises
    ------
    InputError
        If a chunk is missing, truncated or altered, or the chunks have different bands.
    """
    listed = [paths] if isinstance(paths, str | PathLike) else list(paths)
    if not listed:
        raise InputError("simulation: no chunk given")
    chunks = [_read_chunk(require_file(path, "simulation chunk")) for path in listed]
    for path, chunk in zip(listed, chunks, strict=True):
        if chunk.bands != chunks[0].bands:
            raise InputError(f"{path}: bands {chunk.bands} differ from {chunks[0].bands}")
    params = {name: np.concatenate([c.params[name] for c in chunks]) for name in chunks[0].params}
    return Simulation(
        flux=np.concatenate([chunk.flux for chunk in chunks]),
        redshift=np.concatenate([chunk.redshift for chunk in chunks]),
        bands=chunks[0].bands,
        params=params,
    )


def _read_chunk(path: Path) -> Simulation:
    try:
        with h5py.File(path, "r") as file:
            arrays = {f"params/{name}": data[()] for name, data in file["params"].items()}
            arrays["flux"] = file["flux"][()]
            bands = tuple(str(name) for name in file.attrs["bands"])
            stored = str(file.attrs["checksum"])
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a simulation, or damaged ({error}); make it again"
        ) from error
    if _checksum(arrays) != stored:
        raise InputError(f"{path}: content does not match its checksum; make the chunk again")
    flux, redshift = arrays.pop("flux"), arrays["params/redshift"]
    params = {name.removeprefix("params/"): values for name, values in arrays.items()}
    return Simulation(flux, redshift, bands, params)


def _within_colours(flux: NDArray[np.float32], reference: int, cut: float) -> NDArray[np.bool_]:
    ratio = flux / flux[:, [reference]]
    limit = 10 ** (0.4 * cut)
    return np.all((ratio < limit) & (ratio > 1 / limit), axis=1)


def _checksum(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
