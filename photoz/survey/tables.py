"""Columns of a user's table in Parquet, FITS, HDF5, CSV or ECSV, without the rest of it."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photoz.files import InputError, require_file
from photoz.survey.keys import did_you_mean

_LONGEST_ID = 200


def read_columns(
    path: str | os.PathLike[str], names: Sequence[str], table: str | None = None
) -> dict[str, NDArray]:
    """Read some columns of a table.

    Parameters
    ----------
    path : path-like
        .parquet, .fits/.fit, .h5/.hdf5/.hdf, .csv, .ecsv
    names : sequence of str
        Columns to read; nothing else is kept in memory.
    table : str or None
        HDF5 group or structured dataset, or FITS extension name, where the file has several.

    Returns
    -------
    dict of (n,) arrays
        As stored (native byte order, null as NaN), at least one row.

    Raises
    ------
    InputError
        Naming the file: absent, empty, truncated, of an unknown suffix, no such column (with a
        suggestion), a column that is not one value per row, no rows.
    """
    path = require_file(path, "catalogue")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: cannot read '{path.suffix}'; convert it to {', '.join(SUFFIXES)}"
        )
    try:
        columns = reader(path, list(names), table)
    except InputError:
        raise
    except Exception as error:  # each library raises its own kinds on a broken file
        raise InputError(
            f"{path}: cannot be read as {path.suffix}; is it whole? "
            f"({type(error).__name__}: {error})"
        ) from error
    lengths = set()
    for name, values in columns.items():
        if values.ndim != 1:
            raise InputError(
                f"{path}, column '{name}': one value per row expected, found shape {values.shape}"
            )
        lengths.add(len(values))
    if len(lengths) != 1:
        raise InputError(f"{path}: columns have unequal lengths {sorted(lengths)}")
    if lengths == {0}:
        raise InputError(f"{path}: the table has no rows")
    return columns


def _check_names(path: Path, names: list[str], available: Sequence[str]) -> None:
    for name in names:
        if name not in available:
            raise InputError(f"{path}: no column '{name}'; {did_you_mean(name, available)}")
        if list(available).count(name) > 1:
            raise InputError(f"{path}: column '{name}' occurs twice; rename one")


def _read_parquet(path: Path, names: list[str], table: str | None) -> dict[str, NDArray]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as store:
        _check_names(path, names, store.schema_arrow.names)
        data = store.read(columns=names)
    return {name: data[name].to_pandas().to_numpy() for name in names}


def _read_fits(path: Path, names: list[str], table: str | None) -> dict[str, NDArray]:
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*truncated.*")
        with fits.open(path, memmap=True) as store:
            tables = [hdu for hdu in store if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
            if table is not None:
                labels = [hdu.name for hdu in tables]
                if table.upper() not in labels:
                    raise InputError(f"{path}: no table '{table}'; {did_you_mean(table, labels)}")
                tables = [tables[labels.index(table.upper())]]
            if not tables:
                raise InputError(f"{path}: no table extension in this FITS file")
            hdu = tables[0]
            _check_names(path, names, hdu.columns.names)
            return {name: _fits_column(hdu, name) for name in names}


def _fits_column(hdu: Any, name: str) -> NDArray:
    """One column in native byte order, copied out of the memory map; TNULL becomes NaN."""
    values = np.array(hdu.data[name])
    null = hdu.columns[name].null
    if null is not None and values.dtype.kind in "iu":
        values = np.where(values == null, np.nan, values) if (values == null).any() else values
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    return values.astype(values.dtype.newbyteorder("="))


def _read_hdf5(path: Path, names: list[str], table: str | None) -> dict[str, NDArray]:
    import h5py

    with h5py.File(path, "r") as store:
        node = store if table is None else store.get(table)
        if node is None:
            raise InputError(f"{path}: no group '{table}'; {did_you_mean(table, store)}")
        if isinstance(node, h5py.Group) and len(node) == 1 and names[0] not in node:
            only = next(iter(node.values()))  # astropy writes one structured dataset
            node = only if isinstance(only, h5py.Dataset) and only.dtype.names else node
        if isinstance(node, h5py.Dataset):
            _check_names(path, names, node.dtype.names or ())
            columns = {name: node[name] for name in names}
        else:
            _check_names(path, names, [k for k in node if isinstance(node[k], h5py.Dataset)])
            columns = {name: node[name][()] for name in names}
    return {name: _decoded(np.asarray(values)) for name, values in columns.items()}


def _decoded(values: NDArray) -> NDArray:
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    if values.dtype.kind == "O":
        return np.array([v.decode() if isinstance(v, bytes) else v for v in values], dtype=object)
    return values


def _read_csv(path: Path, names: list[str], table: str | None) -> dict[str, NDArray]:
    """Comment lines may come before the header only: a '#' further down belongs to a value."""
    with open(path, encoding="utf-8-sig", newline="") as stream:
        before = 0
        line = stream.readline()
        while line and (not line.strip() or line.startswith("#")):
            before += 1
            line = stream.readline()
        header = [name.strip() for name in next(csv.reader([line]), [])]
        _check_names(path, names, header)
        # pandas fills short rows with NaN and cuts long ones: both are silent corruption
        rows = (record for record in csv.reader(stream) if record)
        for number, record in enumerate(rows, start=1):
            if len(record) != len(header):
                raise InputError(
                    f"{path}, row {number}: {len(record)} values for {len(header)} columns; a "
                    "short last row means that the file is truncated"
                )
    data = pd.read_csv(
        path,
        names=header,
        usecols=names,
        header=0,
        skiprows=before,
        index_col=False,
        encoding="utf-8-sig",
        skipinitialspace=True,
        low_memory=False,
    )
    return {name: data[name].to_numpy() for name in names}


def _read_ecsv(path: Path, names: list[str], table: str | None) -> dict[str, NDArray]:
    from astropy.table import Table

    data = Table.read(path, format="ascii.ecsv")
    _check_names(path, names, data.colnames)
    columns = {}
    for name in names:
        column = data[name]
        values = np.asarray(getattr(column, "data", column))
        missing = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
        if missing is not None and missing.any():
            values = values.astype(float if values.dtype.kind in "iufb" else object)
            values[missing] = np.nan
        columns[name] = values
    return columns


_READERS: dict[str, Callable[[Path, list[str], str | None], dict[str, NDArray]]] = {
    ".parquet": _read_parquet,
    ".fits": _read_fits,
    ".fit": _read_fits,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".hdf": _read_hdf5,
    ".csv": _read_csv,
    ".ecsv": _read_ecsv,
}
SUFFIXES = tuple(_READERS)
"""Suffixes of the tables that can be read."""


def as_number_column(
    values: NDArray, where: str, missing: Sequence[float] = ()
) -> NDArray[np.float64]:
    """A column as float64, sentinels as NaN.

    Parameters
    ----------
    values : (n,) array
    where : str
        File and column, for messages.
    missing : sequence of float
        Values that mean "not measured".

    Raises
    ------
    InputError
        Naming the first row (counted from 1) that holds text or an infinite value.
    """
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
    elif values.dtype.kind == "O" or values.dtype.kind in "UST":
        numbers = _parsed(pd.Series(values, dtype=object), where)
    else:
        raise InputError(f"{where}: numbers expected, found a column of type {values.dtype}")
    for sentinel in missing:
        numbers[np.isclose(numbers, sentinel, rtol=1e-6, atol=0)] = np.nan
    infinite = np.isinf(numbers)
    if infinite.any():
        raise InputError(
            f"{where}, row {int(np.argmax(infinite)) + 1}: infinite value; leave it empty, or add "
            ".inf to 'missing' if it means not measured"
        )
    return numbers


def _parsed(series: pd.Series, where: str) -> NDArray[np.float64]:
    """Numbers of a column of objects: numbers, texts that look like one, and missing values."""
    for row, value in enumerate(series):
        # pandas stumbles over these; a date or a truth is no measurement either
        known = isinstance(value, str | int | float | np.number | Decimal | bytes | None)
        if not known and value is not pd.NA and value is not pd.NaT:
            shown = f"{type(value).__name__} {value!r}"
            raise InputError(f"{where}, row {row + 1}: a number expected, found a {shown}")
    try:
        numbers = np.array(pd.to_numeric(series, errors="coerce"), dtype=np.float64)
    except (OverflowError, TypeError, ValueError) as error:  # whole numbers beyond any float
        raise InputError(f"{where}: numbers expected ({error})") from error
    text = np.isnan(numbers) & ~np.asarray(pd.isna(series))
    if text.any():
        row = int(np.argmax(text))
        raise InputError(f"{where}, row {row + 1}: a number expected, found {series[row]!r}")
    return numbers


def as_id_column(values: NDArray, where: str) -> NDArray[np.int64] | NDArray[np.str_]:
    """A column of ids as int64 (whole numbers) or fixed-length text.

    Raises
    ------
    InputError
        Naming the row of an id that is missing, fractional, too large or too long.
    """
    if values.dtype.kind not in "iufOUST":
        raise InputError(f"{where}: ids must be whole numbers or text, not {values.dtype}")
    absent = np.asarray(pd.isna(pd.Series(values)))
    if absent.any():
        raise InputError(f"{where}, row {int(np.argmax(absent)) + 1}: the id is missing")
    if values.dtype.kind in "iu":
        large = values > np.uint64(np.iinfo(np.int64).max)
        if values.dtype.kind == "u" and large.any():
            row = int(np.argmax(large)) + 1
            raise InputError(f"{where}, row {row}: id above 2^63; store it as text")
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        # above 2^53 neighbouring whole numbers are the same double: ids would merge
        broken = (values != np.floor(values)) | (np.abs(values) >= 2.0**53)
        if broken.any():
            row = int(np.argmax(broken))
            raise InputError(f"{where}, row {row + 1}: id {values[row]!r} is not a whole number")
        return values.astype(np.int64)
    texts = [_id_text(value, f"{where}, row {row}") for row, value in enumerate(values, 1)]
    return np.array(texts, dtype=np.str_)


def _id_text(value: object, where: str) -> str:
    """One id as text; every row takes the room of the longest, so there is a limit."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="backslashreplace")
    if not isinstance(value, str | int | float | np.number | Decimal):
        raise InputError(f"{where}: an id expected, found a {type(value).__name__} {value!r}")
    text = str(value)
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise InputError(
            f"{where}: {text!r} cannot be an id; use at most {_LONGEST_ID} printable characters"
        )
    return text
