"""The FSPS-style simulation (section 3.2.2) as HDF5 chunks that stand alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.checksums import (
    check_hdf5,
    read_attribute,
    sealed_hdf5,
    write_attributes,
    write_dataset,
)
from photoz.files import InputError, require_file
from photoz.simulations.priors import Prior, sample
from photoz.sps.fluxes import simulate_fluxes
from photoz.sps.fsps import find_installation, fsps_fluxes
from photoz.sps.grid import SSPGrid, load_grid
from photoz.sps.projection import BandProjector
from photoz.survey.bands import BandSet

Engine = Literal["matrix", "fsps"]
UNITS = "maggies per Msun formed"
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
    device: str | None = None,
    engine: Engine = "matrix",
    processes: int = 1,
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
    device : str, optional
        As in `photoz.sps.simulate_fluxes`.
    engine : "matrix" or "fsps"
        Products with the tables of the grid, or FSPS itself, without grid and device.
    processes : int
        FSPS processes side by side.

    Raises
    ------
    InputError
        If a band sees beyond the spectra, the colour cut leaves hardly any galaxy, or FSPS cannot
        run here.
    """
    compute: Callable[[Mapping[str, ArrayLike]], NDArray[np.float32]]
    if engine == "fsps":
        compute = partial(fsps_fluxes, bands=bands, processes=processes)
    else:
        grid = grid or load_grid()
        projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, prior.redshift[1])
        compute = partial(simulate_fluxes, grid, projector, device=device)
    parts: list[tuple[NDArray[np.float32], dict[str, NDArray[np.float64]]]] = []
    wanted = n
    for _ in range(_ROUNDS):
        drawn = sample(prior, wanted, rng)
        flux = compute(drawn)
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
    device: str | None = None,
    engine: Engine = "matrix",
    processes: int = 1,
) -> None:
    """Simulate one chunk and write it.

    The generator depends on (`seed`, `chunk`) only: any chunk can be made alone, in any order.

    Parameters
    ----------
    path : path-like
        HDF5 file to write: ``params/*`` (n,), ``flux`` (n, band) float32.
    prior, bands, n, reference, grid, device, engine, processes
        As in `simulate`. What the populations are is stored unless they are the shipped ones.
    seed, chunk : int
    config_hash : str
        Stored, so that a reader can tell which configuration made the file.
    """
    rng = chunk_generator(seed, chunk)
    simulation = simulate(
        prior,
        bands,
        n,
        rng,
        reference=reference,
        grid=grid,
        device=device,
        engine=engine,
        processes=processes,
    )
    attributes: dict[str, str | int] = {
        "units": UNITS,
        "seed": seed,
        "chunk": chunk,
        "config_hash": config_hash,
        "prior": json.dumps(prior.to_dict(), sort_keys=True),
    }
    if engine == "fsps":
        attributes["populations"] = json.dumps(find_installation().provenance(), sort_keys=True)
    elif grid is not None:
        attributes["populations"] = json.dumps(dict(grid.provenance), sort_keys=True)
    write_chunk(path, simulation, attributes)


def chunk_generator(seed: int, chunk: int) -> np.random.Generator:
    """Return the generator of a chunk; those of different chunks are independent."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chunk,)))


def write_chunk(
    path: str | PathLike[str], simulation: Simulation, attributes: Mapping[str, str | int]
) -> None:
    """Write galaxies as one chunk, with a checksum; `read_simulation` reads it.

    Parameters
    ----------
    path : path-like
        HDF5 file to write: ``params/*`` (n,), ``flux`` (n, band) float32.
    simulation : Simulation
    attributes : mapping
        What made them: units of the flux, seed, chunk, config_hash and the like.
    """
    arrays = {f"params/{name}": values for name, values in simulation.params.items()}
    arrays = {
        name: values if name == "params/redshift" else values.astype(np.float32)
        for name, values in arrays.items()
    } | {"flux": simulation.flux}
    with sealed_hdf5(path) as file:
        for name, values in sorted(arrays.items()):
            write_dataset(file, name, values)
        described = {"bands": simulation.bands, **attributes, "checksum": _checksum(arrays)}
        write_attributes(file, described)


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
            bands = tuple(str(name) for name in read_attribute(file, "bands"))
            stored = str(read_attribute(file, "checksum"))
            check_hdf5(file)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
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
