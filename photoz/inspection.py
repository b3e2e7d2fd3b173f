"""What is in a file that a run made: `photoz inspect FILE`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from photoz.files import InputError, require_file

Rows = list[tuple[str, str]]


def describe(path: str | os.PathLike[str]) -> dict[str, Rows]:
    """Describe an artefact: catalogue, simulation, p(z), weights, table, SSP grid.

    Returns
    -------
    dict
        Rows of (name, what it holds) by section title.

    Raises
    ------
    InputError
        If the file is absent, damaged, or of a kind that no run makes.
    """
    path = require_file(path, "artefact")
    readers = {
        ".h5": _hdf5,
        ".hdf5": _hdf5,
        ".parquet": _parquet,
        ".safetensors": _weights,
        ".npz": _arrays,
        ".json": _json,
    }
    if path.suffix not in readers:
        raise InputError(
            f"{path}: cannot tell what this is; artefacts end in {', '.join(sorted(readers))}"
        )
    try:
        return readers[path.suffix](path)
    except (OSError, pa.ArrowException, json.JSONDecodeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a readable {path.suffix} file ({error})") from error


def _hdf5(path: Path) -> dict[str, Rows]:
    with h5py.File(path) as store:
        attributes = [(name, _short(value)) for name, value in store.attrs.items()]
        datasets: Rows = []

        def visit(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                datasets.append((name, f"{_shape(item)}, {_range(item)}"))

        store.visititems(visit)
    return {"attributes": attributes, "data": datasets}


def _parquet(path: Path) -> dict[str, Rows]:
    table = pq.read_table(path)
    rows = []
    for name in table.column_names:
        field = table.schema.field(name)
        notes = [
            value.decode() for key, value in (field.metadata or {}).items() if b"PARQUET" not in key
        ]
        rows.append((name, "; ".join([str(field.type), _range(table[name].to_numpy()), *notes])))
    return {f"{table.num_rows} rows": rows}


def _weights(path: Path) -> dict[str, Rows]:
    from photoz.training.checkpoints import read_metadata  # torch is slow to import

    return {"weights": list(_flat(read_metadata(path)))}


def _arrays(path: Path) -> dict[str, Rows]:
    with np.load(path, allow_pickle=False) as store:
        return {"arrays": [(name, f"{_shape(store[name])}") for name in store.files]}


def _json(path: Path) -> dict[str, Rows]:
    return {"content": list(_flat(json.loads(path.read_text(encoding="utf-8"))))}


def _flat(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, _short(content)


def _shape(array: Any) -> str:
    return f"{' x '.join(map(str, array.shape)) or 'one'} {array.dtype}"


def _range(values: Any) -> str:
    """Smallest and largest number, and how many are missing; texts show their first entry."""
    array = np.asarray(values[...] if isinstance(values, h5py.Dataset) else values)
    if array.dtype.kind not in "iufb" or array.size == 0:
        return f"first {_short(array.flat[0])}" if array.size else "empty"
    array = array.astype(float)
    missing = int(np.isnan(array).sum())
    if missing == array.size:
        return "all missing"
    note = f", {missing} missing" if missing else ""
    return f"{np.nanmin(array):.6g} to {np.nanmax(array):.6g}{note}"


def _short(value: Any, length: int = 100) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, np.ndarray):
        value = [item.decode() if isinstance(item, bytes) else item for item in value.tolist()]
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= length else f"{text[: length - 4]} ..."
