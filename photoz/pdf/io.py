"""p(z) files in qp's HDF5 layout: `mixmod` for mixtures, `interp` for grids.

qp reads these files as they are. Its mixmod cannot be truncated, so the lower end of the support
travels as the attribute `zmin` of the group `meta` (qp passes every *dataset* there to its
constructors but ignores attributes) and `read_pdf` truncates and renormalises.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from photoz.checksums import SealedFile, check_hdf5, sealed_hdf5, write_dataset
from photoz.files import InputError, require_file
from photoz.pdf.grid import PDF, GridPDF
from photoz.pdf.mixture import MixturePDF

_CONVERT = (
    "photoz reads qp mixmod and interp; with qp: ensemble.convert_to(qp.interp_gen, xvals=grid)"
)


def write_pdf(
    path: str | os.PathLike[str],
    pdf: PDF,
    ancil: Mapping[str, npt.ArrayLike] | None = None,
) -> None:
    """Write densities as a qp HDF5 ensemble; the same input gives the same bytes.

    Parameters
    ----------
    path : path-like
        Name of the file. End it in .hdf5: qp goes by the suffix, and takes .h5 for pandas' HDF5.
    pdf : MixturePDF or GridPDF
        Written as float32. A galaxy without p(z) keeps its row, with NaN.
    ancil : mapping of name to (n,) array
        Columns beside the densities (id, z_mode, z_mean, odds, width, flag, ...).

    Raises
    ------
    InputError
        If a column has another length than the densities.
    """
    columns = {
        name: _ancillary(path, name, values, len(pdf)) for name, values in (ancil or {}).items()
    }
    data, meta = _datasets(pdf)
    with sealed_hdf5(path) as file:
        _write_meta(file, meta, pdf.zmin)
        for name, values in data.items():
            write_dataset(file, f"data/{name}", values)
        for name, column in columns.items():
            write_dataset(file, f"ancil/{name}", column)


@contextmanager
def pdf_file(path: str | os.PathLike[str]) -> Iterator[PDFFile]:
    """Write a qp HDF5 ensemble a block of galaxies at a time; it appears once all is written."""
    with sealed_hdf5(path) as store:
        yield PDFFile(path, store)


class PDFFile:
    """A p(z) file that grows: see `pdf_file`."""

    def __init__(self, path: str | os.PathLike[str], store: SealedFile) -> None:
        self._path, self._store, self._n = path, store, 0

    def append(self, pdf: PDF) -> None:
        """Add densities of the same kind and number of components as before."""
        data, meta = _datasets(pdf)
        if "meta" not in self._store:
            _write_meta(self._store, meta, pdf.zmin)
            for name, values in data.items():
                write_dataset(self._store, f"data/{name}", values[:0], growing=True)
        for name, values in data.items():
            dataset = self._store[f"data/{name}"]
            dataset.resize(self._n + len(values), axis=0)
            dataset[self._n :] = values
        self._n += len(pdf)
        self._store.flush()

    def describe(self, ancil: Mapping[str, npt.ArrayLike]) -> None:
        """Add columns beside all densities.

        Raises
        ------
        InputError
            If a column has another length than the densities.
        """
        for name, values in ancil.items():
            column = _ancillary(self._path, name, values, self._n)
            write_dataset(self._store, f"ancil/{name}", column)


def _datasets(pdf: PDF) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, npt.NDArray[Any]]]:
    """The groups `data` and `meta` of an ensemble, by name."""
    meta: dict[str, Any] = {"pdf_version": np.array([0]), "warn": np.array([False])}
    if isinstance(pdf, MixturePDF):
        meta["pdf_name"] = np.array([b"mixmod"])
        data = {"means": pdf.means, "stds": pdf.sigmas, "weights": pdf.weights}
    else:
        meta["pdf_name"], meta["xvals"] = np.array([b"interp"]), pdf.z[None]
        data = {"yvals": pdf.density}
    return {k: np.asarray(v, dtype=np.float32) for k, v in data.items()}, meta


def _write_meta(file: h5py.File, meta: Mapping[str, npt.NDArray[Any]], zmin: float) -> None:
    for name in sorted(meta):
        write_dataset(file, f"meta/{name}", meta[name])
    file["meta"].attrs["zmin"] = zmin


def read_pdf(path: str | os.PathLike[str]) -> tuple[PDF, dict[str, npt.NDArray[Any]]]:
    """Read a qp HDF5 ensemble of kind mixmod or interp.

    Returns
    -------
    pdf : MixturePDF or GridPDF
        A mixture is truncated at the file's `zmin` (0 if it names none, as qp's own files).
    ancil : dict of (n,) arrays
        Strings come back as str.

    Raises
    ------
    InputError
        If the file is absent, cut short, not a qp file or of another kind.
    """
    require_file(path, "a p(z) file (qp HDF5)")
    try:
        with h5py.File(path, "r") as file:
            kind = bytes(np.ravel(file["meta/pdf_name"][...])[0]).decode()
            zmin = float(file["meta"].attrs.get("zmin", 0.0))
            names = {
                "mixmod": ("data/weights", "data/means", "data/stds"),
                "interp": ("meta/xvals", "data/yvals"),
            }.get(kind)
            if names is None:
                raise InputError(f"p(z) of kind {kind!r}; {_CONVERT}")
            arrays = [file[name][...] for name in names]
            ancil = {name: file[f"ancil/{name}"][...] for name in file.get("ancil", {})}
            check_hdf5(file)
        pdf: PDF = (
            MixturePDF(arrays[0], arrays[1], arrays[2], zmin)
            if kind == "mixmod"
            else GridPDF(np.ravel(arrays[0]), arrays[1])
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a complete qp HDF5 file ({error}); write it again or copy it again"
        ) from error
    ancil = {k: np.char.decode(v, "utf-8") if v.dtype.kind == "S" else v for k, v in ancil.items()}
    return pdf, ancil


def _ancillary(
    path: str | os.PathLike[str], name: str, values: npt.ArrayLike, n: int
) -> npt.NDArray[Any]:
    column = np.asarray(values)
    if column.ndim != 1 or len(column) != n:
        raise InputError(f"{path}: column {name!r} has shape {column.shape} beside {n} densities")
    return np.char.encode(column.astype(str), "utf-8") if column.dtype.kind in "UO" else column
