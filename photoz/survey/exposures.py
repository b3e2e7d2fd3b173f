"""Individual exposures: a table with one row per measurement, made a dense array."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.survey.catalogue import Exposures
from photoz.survey.columns import ExposureColumns
from photoz.survey.keys import did_you_mean
from photoz.survey.tables import as_id_column, as_number_column, read_columns
from photoz.survey.units import check_units, read_units


def dense_exposures(
    galaxy: NDArray[np.int64],
    band: NDArray[np.int64],
    flux: NDArray[np.float64],
    error: NDArray[np.float64],
    shape: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Arrange measurements as (n, band, exposure) arrays padded with NaN.

    Parameters
    ----------
    galaxy, band : (m,) int array
        Where each measurement belongs.
    flux, error : (m,) array
    shape : (n, number of bands)

    Returns
    -------
    flux, error : (n, band, exposure) float32 array
        Exposures in the order of the rows, at least one slot.
    """
    cell = galaxy * shape[1] + band
    order = np.argsort(cell, kind="stable")
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    # position within its cell = position in the sorted list - where its cell begins
    begins = np.cumsum(counts) - counts
    slot = np.arange(cell.size) - begins[cell[order]]
    dense = np.full((2, *shape, max(int(counts.max(initial=0)), 1)), np.nan, dtype=np.float32)
    dense[0, galaxy[order], band[order], slot] = flux[order]
    dense[1, galaxy[order], band[order], slot] = error[order]
    return dense[0], dense[1]


def read_exposures(
    path: str | os.PathLike[str],
    columns: ExposureColumns,
    ids: NDArray,
    bands: tuple[str, ...],
    zero_point: float,
) -> Exposures:
    """Read exposures of known galaxies.

    Parameters
    ----------
    path : path-like
        Parquet, FITS, HDF5, CSV or ECSV.
    columns : ExposureColumns
    ids : (n,) array
        The catalogue's ids.
    bands : tuple of str
        The survey's bands.
    zero_point : float
        The survey's; fluxes are converted to it.

    Returns
    -------
    Exposures
        Of the bands that occur, in the survey's order. Rows with a missing flux or error are
        left out.

    Raises
    ------
    InputError
        Naming file, column and row: unknown id or band, error not positive, text, infinity, a
        unit that is not the column map's.
    """
    path = Path(path)
    names = [columns.id, columns.band, columns.flux, columns.error]
    data = read_columns(path, names, columns.table)
    check_units(path, read_units(path, names, columns.table), columns, zero_point)
    galaxy = _galaxies(data[columns.id], ids, f"{path}, column '{columns.id}'")
    band, present = _bands(data[columns.band], bands, columns, f"{path}, column '{columns.band}'")
    flux, error = (
        as_number_column(data[name], f"{path}, column '{name}'", columns.missing)
        for name in (columns.flux, columns.error)
    )
    taken = np.isfinite(flux) & np.isfinite(error)
    bad = taken & (error <= 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{path}, column '{columns.error}', row {row + 1}: error {error[row]:g} is not "
            f"positive ({int(bad.sum())} such rows); list it under 'missing' if not measured"
        )
    if columns.zero_point is not None:
        scale = 10 ** (0.4 * (zero_point - columns.zero_point))
        flux, error = flux * scale, error * scale
    _check_single_precision(taken, flux, error, f"{path}, column '{columns.flux}'")
    try:
        dense = dense_exposures(
            galaxy[taken], band[taken], flux[taken], error[taken], (len(ids), len(present))
        )
    except MemoryError as failure:
        raise InputError(
            f"{path}: not enough memory, as every galaxy takes the room of the one with most "
            "exposures; check that ids and bands are right"
        ) from failure
    return Exposures(*dense, bands=present)


def _check_single_precision(
    taken: NDArray[np.bool_], flux: NDArray[np.float64], error: NDArray[np.float64], where: str
) -> None:
    """Raise on the first measurement that is stored in single precision as infinite or zero."""
    largest, smallest = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    lost = taken & ~((np.abs(flux) <= largest) & (error <= largest) & (error >= smallest))
    if lost.any():
        row = int(np.argmax(lost))
        raise InputError(
            f"{where}, row {row + 1}: {flux[row]:g} with error {error[row]:g} is beyond single "
            f"precision ({int(lost.sum())} such rows); list it under 'missing' if not measured"
        )


def _galaxies(values: NDArray, ids: NDArray, where: str) -> NDArray[np.int64]:
    """Row of the catalogue that each measurement belongs to."""
    own = as_id_column(values, where)
    if own.dtype.kind != ids.dtype.kind:
        own, ids = own.astype(np.str_), ids.astype(np.str_)
    galaxy = pd.Index(ids).get_indexer(pd.Index(own))
    unknown = galaxy < 0
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"{where}, row {row + 1}: id {own[row]} is not in the catalogue "
            f"({int(unknown.sum())} such rows); remove them or add the galaxies"
        )
    return galaxy.astype(np.int64)


def _bands(
    values: NDArray, bands: tuple[str, ...], columns: ExposureColumns, where: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Index of each measurement's band among the bands that occur, and their names."""
    codes, labels = pd.factorize(pd.Series(values, dtype=object))
    if (codes < 0).any():
        raise InputError(f"{where}, row {int(np.argmax(codes < 0)) + 1}: the band is missing")
    position = np.empty(len(labels), dtype=np.int64)
    for code, label in enumerate(labels):
        text = label.decode() if isinstance(label, bytes) else str(label).strip()
        name = columns.names.get(text, text)
        if name not in bands:
            row = int(np.argmax(codes == code)) + 1
            hint = did_you_mean(name, bands)
            raise InputError(f"{where}, row {row}: the survey has no band '{name}'; {hint}")
        position[code] = bands.index(name)
    present = np.unique(position)
    band = np.searchsorted(present, position)[codes]
    return band.astype(np.int64), tuple(bands[index] for index in present)
