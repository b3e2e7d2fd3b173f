"""What the figures are given, checked once: tables with their columns, arrays with numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError, require_file
from photoz.survey.keys import did_you_mean


def read_table(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table and remember where it came from, so that errors can name the file.

    Parameters
    ----------
    path : path-like
        A Parquet file.
    columns : sequence of str, optional
        Read only these.

    Raises
    ------
    InputError
        If the file is missing, empty or not Parquet, or lacks a column.
    """
    path = require_file(path, "a Parquet table")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as Parquet ({error}); run the rule that makes it again"
        ) from error
    table.attrs = {"path": str(path)}
    if columns is not None:
        require_columns(table, columns)
        table = table[list(columns)]
        table.attrs = {"path": str(path)}
    return table


def read_tables(
    paths: Sequence[str | os.PathLike[str]], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read Parquet tables of the same columns into one, in the order given.

    Raises
    ------
    InputError
        If no file is given, or one cannot be read (see `read_table`).
    """
    if not paths:
        raise InputError("no table given, so there is nothing to draw")
    table = pd.concat([read_table(path, columns) for path in paths], ignore_index=True)
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    table.attrs = {"path": f"{paths[0]}{others}"}
    return table


def table_name(table: pd.DataFrame) -> str:
    """Name a table in an error message: its file if it was read from one."""
    return str(table.attrs.get("path", "table"))


def require_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Check that a table has rows and the named columns.

    Raises
    ------
    InputError
        Naming the file, the missing column, the nearest name that exists, or that it is empty.
    """
    for column in columns:
        if column not in table.columns:
            hint = did_you_mean(column, table.columns)
            raise InputError(f"{table_name(table)}: no column '{column}'; {hint}")
    if len(table) == 0:
        raise InputError(f"{table_name(table)}: no rows, so there is nothing to draw")


def finite_values(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return the finite entries of an array.

    Raises
    ------
    InputError
        If there is none.
    """
    array = np.asarray(values, dtype=float).ravel()
    kept = array[np.isfinite(array)]
    if kept.size == 0:
        raise InputError(
            f"{what}: none of {array.size} values is finite, so there is nothing to draw"
        )
    return kept


def in_order(
    values: Sequence[str] | pd.Series, wanted: Sequence[str] | None, what: str
) -> list[str]:
    """Distinct names in order of appearance, or the wanted ones after checking they exist.

    Raises
    ------
    InputError
        If a wanted name is absent.
    """
    present = [str(value) for value in dict.fromkeys(values)]
    if wanted is None:
        return present
    for name in wanted:
        if name not in present:
            raise InputError(f"no {what} '{name}'; there is {', '.join(present) or 'none'}")
    return list(wanted)
