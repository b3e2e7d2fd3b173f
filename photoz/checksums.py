"""Checksums inside the files themselves, so that damage is noticed when a file is read.

A description (JSON) carries the SHA-256 of the rest of it. An HDF5 file carries that of its
structure and attributes, and HDF5's own Fletcher-32 of every chunk of numbers: a slice of it is
checked without reading the whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from photoz.files import InputError, replace_when_done

SEAL = "sha256"
_HDF5_SEAL = "structure_sha256"
# The first HDF5 whose own bookkeeping (where a chunk is, what type it has) has checksums too.
_HDF5_VERSION = ("v110", "v110")
_ROWS_PER_CHUNK = 4096
DAMAGED_NPZ = (
    OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, lzma.LZMAError,
    zlib.error, struct.error,
)  # fmt: skip
"""What reading a damaged npz file may raise."""
_CHANGED = "its content does not match its checksum; copy it again or make it again"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Add the checksum of a JSON-able description to it."""
    return {**content, SEAL: digest(content)}


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Check a description and return it without its checksum; one without any is taken as it is.

    Raises
    ------
    InputError
        If the content is not what was sealed.
    """
    if not isinstance(content, Mapping):
        raise InputError(f"expected keys and values, found {content!r}")
    rest = {name: value for name, value in content.items() if name != SEAL}
    if SEAL in content and content[SEAL] != digest(rest):
        raise InputError(_CHANGED)
    return rest


def digest(content: Any) -> str:
    """SHA-256 of anything JSON-able, the same before it is written and after it was read."""
    plain = json.loads(json.dumps(content))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


class _Disk(io.FileIO):
    """A file that HDF5 writes into. Its errors are kept, for HDF5 itself cannot live with them.

    Told that a disk is full, the library may crash, or close a file that lacks half its content
    without a word.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        view, done = memoryview(data).cast("B"), 0
        try:
            while self.error is None and done < len(view):
                done += super().write(view[done:]) or 0
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        done = super().readinto(view) or 0
        view[done:] = bytes(len(view) - done)  # beyond the end, or lost
        return len(view)

    def check(self) -> None:
        """Raise the error that writing met, if any."""
        if self.error is not None:
            raise self.error


class SealedFile(h5py.File):
    """An HDF5 file that is being written; `flush` says whether the disk took it all."""

    def __init__(self, disk: _Disk) -> None:
        self.disk = disk
        super().__init__(disk, "w", libver=_HDF5_VERSION)

    def flush(self) -> None:
        """Write what HDF5 still holds.

        Raises
        ------
        OSError
            If the disk is full, say.
        """
        super().flush()
        self.disk.check()


@contextmanager
def sealed_hdf5(path: str | os.PathLike[str]) -> Iterator[SealedFile]:
    """Write an HDF5 file, whole or not at all; the same content gives the same bytes."""
    with replace_when_done(path) as temporary, _Disk(temporary, "r+") as disk:
        try:
            with SealedFile(disk) as store:
                yield store
                write_attributes(store, {_HDF5_SEAL: digest(_structure(store))})
        except Exception:
            disk.check()  # what came of a full disk is not the cause
            raise
        disk.check()


def write_attributes(item: h5py.Group | h5py.Dataset, values: Mapping[str, Any]) -> None:
    """Write attributes: numbers, texts and lists of texts.

    Texts get a fixed length. Those of any length lie in the one place of an HDF5 file that has no
    checksum, where a flipped bit can keep the library busy for ever.
    """
    for name, value in values.items():
        if isinstance(value, str):
            item.attrs[name] = np.bytes_(value.encode() or b"\0")
        elif isinstance(value, list | tuple):
            item.attrs[name] = np.array([text.encode() for text in value], dtype="S")
        else:
            item.attrs[name] = value


def read_attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """An attribute, texts decoded.

    Raises
    ------
    KeyError
        If there is none of this name.
    """
    return _decoded(item.attrs[name])


def _decoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [_decoded(entry) for entry in value.tolist()]
    return value


def write_dataset(
    store: h5py.File, name: str, values: npt.NDArray[Any], growing: bool = False
) -> h5py.Dataset:
    """Write an array in chunks of whole rows, each with its checksum.

    Parameters
    ----------
    store : h5py.File
    name : str
    values : (n, ...) array
    growing : bool
        Leave room for more rows: the first axis may be resized.
    """
    options: dict[str, Any] = {}
    if growing:
        options["maxshape"] = (None, *values.shape[1:])
    if growing or values.size:
        rows = _ROWS_PER_CHUNK if growing else min(len(values), _ROWS_PER_CHUNK)
        options |= {"chunks": (rows, *values.shape[1:]), "fletcher32": True}
    return store.create_dataset(name, data=values, **options)


def check_hdf5(store: h5py.File) -> None:
    """Check structure and attributes of an open file; its numbers are checked as they are read.

    A file without such a checksum, say one written by qp itself, is taken as it is.

    Raises
    ------
    InputError
        If they are not what was written.
    """
    if _HDF5_SEAL not in store.attrs:
        return
    if digest(_structure(store)) != read_attribute(store, _HDF5_SEAL):
        raise InputError(_CHANGED)


def read_npz(path: str | os.PathLike[str]) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of an npz file, each to its end: there its checksum is compared.

    A damaged file raises one of `DAMAGED_NPZ`.
    """
    with zipfile.ZipFile(path) as archive:
        contents = {name: io.BytesIO(archive.read(name)) for name in archive.namelist()}
    return {
        name.removesuffix(".npy"): np.lib.format.read_array(content, allow_pickle=False)
        for name, content in contents.items()
    }


def _structure(store: h5py.File) -> dict[str, Any]:
    """Attributes of all groups and datasets; type and shape of datasets, values of single ones."""
    found: dict[str, Any] = {"": _attributes(store)}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        entry: dict[str, Any] = {"attributes": _attributes(item)}
        if isinstance(item, h5py.Dataset):
            entry |= {"type": item.dtype.str, "shape": list(item.shape)}
            if not item.shape:
                entry["value"] = _plain(item[()])
        found[name] = entry

    store.visititems(visit)
    return found


def _attributes(item: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    return {n: _plain(read_attribute(item, n)) for n in item.attrs if n != _HDF5_SEAL}


def _plain(value: Any) -> Any:
    """A value of HDF5 as JSON has it."""
    value = np.asarray(value).tolist()
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool) else repr(value)
