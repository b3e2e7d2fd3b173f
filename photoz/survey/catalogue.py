"""The catalogue: galaxies, their coadded fluxes and, where known, every single exposure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

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
from photoz.survey.keys import did_you_mean

BLOCK = 10_000
"""Galaxies worked on at a time where they are too many for memory."""


@dataclass(frozen=True, eq=False)
class Exposures:
    """Individual measurements of the bands that have them (paper section 5).

    Attributes
    ----------
    flux, error : (n, len(bands), exposure) float32 array
        In the catalogue's zero-point; NaN where no exposure was taken.
    bands : tuple of str
        The bands of the second axis, in the catalogue's order.
    """

    flux: NDArray[np.float32]
    error: NDArray[np.float32]
    bands: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.flux.ndim != 3 or self.flux.shape != self.error.shape:
            raise InputError(
                f"exposures: flux {self.flux.shape} and error {self.error.shape} must both be "
                "(galaxy, band, exposure)"
            )
        if self.flux.shape[1] != len(self.bands):
            raise InputError(
                f"exposures: {self.flux.shape[1]} bands of flux, {len(self.bands)} band names"
            )


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Galaxies of one survey.

    Attributes
    ----------
    id : (n,) int64 or fixed-length str array, unique
    redshift : (n,) float64 array, NaN where unknown
    mag_i : (n,) float64 array
        Magnitude in the survey's reference band; NaN where its flux is not positive.
    flux, error : (n, band) float32 array
        Coadded flux and its standard error in the zero-point's unit; NaN where not observed (a
        non-detection is kept as measured, negative or not).
    bands : tuple of str
    survey : str
    zero_point : float
        mag = zero_point - 2.5 log10 flux
    reference_band : str
    exposures : Exposures or None
    truth : dict of (n,) arrays
        True parameters of simulated galaxies; empty for real ones.
    """

    id: NDArray[np.int64] | NDArray[np.str_]
    redshift: NDArray[np.float64]
    mag_i: NDArray[np.float64]
    flux: NDArray[np.float32]
    error: NDArray[np.float32]
    bands: tuple[str, ...]
    survey: str
    zero_point: float
    reference_band: str
    exposures: Exposures | None = None
    truth: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.id)
        expected: dict[str, tuple[int, ...]] = {
            "flux": (n, len(self.bands)),
            "error": (n, len(self.bands)),
        }
        expected |= {"id": (n,), "redshift": (n,), "mag_i": (n,)}
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"catalogue: {name} is {getattr(self, name).shape}, expected {shape} for "
                    f"{n} galaxies in {len(self.bands)} bands"
                )
        for name, values in self.truth.items():
            if len(values) != n:
                raise InputError(f"catalogue: truth/{name} has {len(values)} rows, expected {n}")
        if self.reference_band not in self.bands:
            hint = did_you_mean(self.reference_band, self.bands)
            raise InputError(f"catalogue: no reference band '{self.reference_band}'; {hint}")
        if self.exposures is not None:
            if len(self.exposures.flux) != n:
                raise InputError(
                    f"catalogue: exposures of {len(self.exposures.flux)} galaxies, expected {n}"
                )
            unknown = [name for name in self.exposures.bands if name not in self.bands]
            if unknown:
                hint = did_you_mean(unknown[0], self.bands)
                raise InputError(f"catalogue: exposures in unknown band '{unknown[0]}'; {hint}")

    def __len__(self) -> int:
        return len(self.id)

    @property
    def reference_index(self) -> int:
        """Position of the reference band on the band axis."""
        return self.bands.index(self.reference_band)

    def take(self, index: ArrayLike) -> Catalogue:
        """The galaxies of an integer index array, a slice's indices or a boolean mask."""
        rows = np.asarray(index)
        if rows.dtype != bool:
            rows = rows.astype(np.int64)  # an empty list arrives as float
        exposures = self.exposures
        if exposures is not None:
            exposures = replace(exposures, flux=exposures.flux[rows], error=exposures.error[rows])
        return replace(
            self,
            id=self.id[rows],
            redshift=self.redshift[rows],
            mag_i=self.mag_i[rows],
            flux=self.flux[rows],
            error=self.error[rows],
            exposures=exposures,
            truth={name: values[rows] for name, values in self.truth.items()},
        )

    def blocks(self, size: int = BLOCK) -> Iterator[Catalogue]:
        """Its galaxies `size` at a time, in order; an empty catalogue is one empty block."""
        for start in range(0, max(1, len(self)), size):
            yield self.take(np.arange(start, min(start + size, len(self))))


def write_catalogue(path: str | os.PathLike[str], catalogue: Catalogue) -> None:
    """Write a catalogue as HDF5; the same catalogue gives the same bytes.

    Datasets id, redshift, mag_i, coadd/{flux,error}, exposures/{flux,error}, truth/*; attributes
    survey, bands, zero_point, reference_band, exposure_bands. All of it has checksums
    (`photoz.checksums`), so that a damaged file is noticed when it is read.
    """
    with sealed_hdf5(path) as store:
        described = {
            "survey": catalogue.survey,
            "bands": catalogue.bands,
            "zero_point": float(catalogue.zero_point),
            "reference_band": catalogue.reference_band,
        }
        write_attributes(store, described)
        _write(store, "id", catalogue.id)
        _write(store, "redshift", np.asarray(catalogue.redshift, dtype=np.float64))
        _write(store, "mag_i", np.asarray(catalogue.mag_i, dtype=np.float64))
        _write(store, "coadd/flux", np.asarray(catalogue.flux, dtype=np.float32))
        _write(store, "coadd/error", np.asarray(catalogue.error, dtype=np.float32))
        if catalogue.exposures is not None:
            write_attributes(store, {"exposure_bands": catalogue.exposures.bands})
            _write(store, "exposures/flux", np.asarray(catalogue.exposures.flux, np.float32))
            _write(store, "exposures/error", np.asarray(catalogue.exposures.error, np.float32))
        for name in sorted(catalogue.truth):
            _write(store, f"truth/{name}", catalogue.truth[name])


def _write(store: h5py.File, name: str, values: NDArray) -> None:
    if values.dtype.kind == "U":
        values = np.char.encode(values, "utf-8")
    write_dataset(store, name, values)


def read_catalogue(path: str | os.PathLike[str]) -> Catalogue:
    """Read a catalogue written by `write_catalogue`.

    Raises
    ------
    InputError
        If the file is absent, truncated, damaged or not HDF5, misses a dataset or an attribute,
        one is of the wrong kind, or its shapes contradict each other.
    """
    with _opened(path) as store:
        return _galaxies(store)


def catalogue_blocks(path: str | os.PathLike[str], size: int = BLOCK) -> Iterator[Catalogue]:
    """Read the galaxies of a catalogue `size` at a time, in order and without their exposures.

    Catalogues larger than memory can be worked through like this. An empty one gives one empty
    block.

    Raises
    ------
    InputError
        As `read_catalogue`, when the block in question is read.
    """
    with _opened(path) as store:
        n = max(1, len(_dataset(store, "id", "iuSU")))
    for start in range(0, n, size):
        with _opened(path) as store:
            block = _galaxies(store, slice(start, start + size), exposures=False)
        yield block


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """The open file; what goes wrong with it becomes an InputError that names it."""
    path = require_file(path, "catalogue")
    try:
        with h5py.File(path, "r") as store:
            yield store
            check_hdf5(store)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: not a whole HDF5 file ({error}); write it again") from error
    except Exception as error:  # h5py raises many kinds where bytes that are not data are damaged
        raise InputError(f"{path}: damaged ({error}); write it again") from error


def _galaxies(store: h5py.File, rows: slice = slice(None), exposures: bool = True) -> Catalogue:
    single = None
    if exposures and "exposure_bands" in store.attrs:
        single = Exposures(
            _read(store, "exposures/flux", rows),
            _read(store, "exposures/error", rows),
            _names(_attribute(store, "exposure_bands")),
        )
    truth = store["truth"].keys() if isinstance(store.get("truth"), h5py.Group) else ()
    return Catalogue(
        id=_read(store, "id", rows, kinds="iuSU"),
        redshift=_read(store, "redshift", rows),
        mag_i=_read(store, "mag_i", rows),
        flux=_read(store, "coadd/flux", rows),
        error=_read(store, "coadd/error", rows),
        bands=_names(_attribute(store, "bands")),
        survey=_text(store, "survey"),
        zero_point=_number(store, "zero_point"),
        reference_band=_text(store, "reference_band"),
        exposures=single,
        truth={name: _read(store, f"truth/{name}", rows, "biufSU") for name in sorted(truth)},
    )


def _read(store: h5py.File, name: str, rows: slice, kinds: str = "f") -> NDArray:
    """Read rows of a dataset of one of the `kinds` of numpy types; text is decoded."""
    values = np.asarray(_dataset(store, name, kinds)[rows])
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def _dataset(store: h5py.File, name: str, kinds: str) -> h5py.Dataset:
    """A dataset of one of the `kinds` of numpy types, with one row per galaxy."""
    dataset = store.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise InputError(f"no dataset '{name}'; is this a catalogue written by photoz?")
    if dataset.dtype.kind not in kinds or dataset.ndim == 0:
        raise InputError(
            f"dataset '{name}' is {dataset.dtype} of shape {dataset.shape}; is this a catalogue "
            "written by photoz?"
        )
    return dataset


def _attribute(store: h5py.File, name: str) -> object:
    if name not in store.attrs:
        raise InputError(f"no attribute '{name}'; is this a catalogue written by photoz?")
    value: object = read_attribute(store, name)
    return value


def _text(store: h5py.File, name: str) -> str:
    value = _attribute(store, name)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if not isinstance(value, str) or not value.isprintable():  # h5py lets damaged text through
        raise InputError(f"attribute '{name}' is {value!r}, not a text")
    return value


def _number(store: h5py.File, name: str) -> float:
    value = _attribute(store, name)
    if not isinstance(value, int | float | np.integer | np.floating) or not np.isfinite(value):
        raise InputError(f"attribute '{name}' is {value!r}, not a number")
    return float(value)


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise InputError(f"a list of band names expected, found {values!r}")
    names = tuple(v.decode() if isinstance(v, bytes) else str(v) for v in values)
    if not all(name.isprintable() for name in names):
        raise InputError(f"band names expected, found {names!r}")
    return names
