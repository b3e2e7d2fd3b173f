"""The photo-z table: one row per galaxy, with units and descriptions inside the file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from photoz.checksums import SEAL, digest
from photoz.files import InputError, replace_when_done, require_file

# Name: unit (as FITS writes it, empty if dimensionless) and description.
COLUMNS: dict[str, tuple[str, str]] = {
    "id": ("", "galaxy identifier of the input catalogue"),
    "z_spec": ("", "spectroscopic redshift, NaN where unknown"),
    "mag_i": ("mag", "AB magnitude in the reference band"),
    "z_mode": ("", "photometric redshift: mode of p(z)"),
    "z_mean": ("", "mean of p(z)"),
    "odds": ("", "probability within the ODDS interval about the mode"),
    "width": ("", "distance between the 1 and 99 per cent quantiles of p(z)"),
    "flag": ("", "0 fine, 1 no valid p(z)"),
    "pit": ("", "probability of p(z) below z_spec, NaN where z_spec is unknown"),
    # Of template fits.
    "chi2": ("", "least chi2 of all runs and redshifts"),
    "best_run": ("", "number of the run that contributes most at the mode, -1 without p(z)"),
    "colour_excess": ("mag", "E(B-V) of that run"),
    "scale": ("", "scale k of that run between narrow and broad bands"),
    "qz": ("", "quality Qz, small where a redshift can be trusted"),
    "n_bands": ("", "measured bands"),
    "n_narrow": ("", "measured narrow bands"),
}
_FITS_SUFFIXES = {".fits", ".fit"}


def write_photoz_table(
    path: str | os.PathLike[str],
    columns: Mapping[str, npt.ArrayLike],
    descriptions: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Write a photo-z table, Parquet or (suffix .fits) FITS; same input, same bytes.

    Parameters
    ----------
    path : path-like
    columns : mapping of name to (n,) array
        In the order in which they are written.
    descriptions : mapping of name to (unit, description)
        For columns that `COLUMNS` does not know, or to replace what it says.

    Raises
    ------
    InputError
        If the table has no column or a column has another length or shape.
    """
    known = {**COLUMNS, **(descriptions or {})}
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    if not arrays:
        raise InputError(f"{path}: a photo-z table needs at least one column")
    first, n = next((name, a.shape) for name, a in arrays.items())
    for name, array in arrays.items():
        if array.ndim != 1 or array.shape != n:
            raise InputError(f"{path}: column {name!r} has shape {array.shape}, {first!r} {n}")
    as_fits = Path(path).suffix.lower() in _FITS_SUFFIXES
    with replace_when_done(path) as temporary:
        (_write_fits if as_fits else _write_parquet)(temporary, arrays, known)


def _write_parquet(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], known: Mapping[str, tuple[str, str]]
) -> None:
    fields, values = [], []
    for name, array in arrays.items():
        column = pa.array(array)
        unit, text = known.get(name, ("", ""))
        metadata = {"unit": unit, "description": text} if name in known else None
        fields.append(pa.field(name, column.type, metadata=metadata))
        values.append(column)
    schema = pa.schema(fields)
    table = pa.Table.from_arrays(values, schema=schema.with_metadata({SEAL: _seal(schema)}))
    pq.write_table(table, path, write_page_checksum=True)


def _seal(schema: pa.Schema) -> str:
    """SHA-256 of what the columns are; their numbers have checksums of their own."""
    told = [{k.decode(): v.decode() for k, v in (f.metadata or {}).items()} for f in schema]
    units = [(entry.get("unit"), entry.get("description")) for entry in told]
    return digest([schema.names, [str(kind) for kind in schema.types], units])


def _write_fits(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], known: Mapping[str, tuple[str, str]]
) -> None:
    from astropy.io import fits  # slow to import
    from astropy.table import Table

    table = Table(
        {
            name: np.asarray(a.astype(str) if a.dtype.kind == "O" else a)
            for name, a in arrays.items()
        }
    )
    for name in table.colnames:
        table[name].unit = known.get(name, ("", ""))[0] or None
    hdu = fits.table_to_hdu(table)
    for number, name in enumerate(table.colnames, start=1):
        if name in known:
            hdu.header[f"TCOMM{number}"] = known[name][1]
    hdu.writeto(path, overwrite=True)


def read_photoz_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a photo-z table written by `write_photoz_table`.

    Raises
    ------
    InputError
        If the file is absent, cut short or neither Parquet nor FITS.
    """
    require_file(path, "a photo-z table")
    try:
        if Path(path).suffix.lower() in _FITS_SUFFIXES:
            return _read_fits(Path(path))
        # Not pandas' reader: it would need pandas' own metadata to keep the column order.
        columns = pq.ParquetFile(path, page_checksum_verification=True).read()
        expected = (columns.schema.metadata or {}).get(SEAL.encode())
        if expected is not None and expected.decode() != _seal(columns.schema):
            raise ValueError("its columns do not match their checksum")
        return columns.to_pandas()
    except (OSError, pa.ArrowException, Warning, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not a complete photo-z table ({error}); write it again"
        ) from error


def _read_fits(path: Path) -> pd.DataFrame:
    from astropy.table import Table  # slow to import
    from astropy.utils.exceptions import AstropyUserWarning

    with open(path, "rb") as stream, warnings.catch_warnings():
        # astropy only warns of a file that is cut short.
        warnings.simplefilter("error", AstropyUserWarning)
        table = Table.read(stream, format="fits", character_as_bytes=False)
    return pd.DataFrame({name: _native(table[name]) for name in table.colnames})


def _native(column: Any) -> npt.NDArray[Any]:
    """FITS is big-endian, pandas is not; masked floats are NaN."""
    filled = (
        column.filled(np.nan) if hasattr(column, "filled") and column.dtype.kind == "f" else column
    )
    values = np.asarray(filled)
    return values.astype(values.dtype.newbyteorder("="))
