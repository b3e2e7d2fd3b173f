"""Files that were damaged on the disk or on their way: noticed, named and never used."""

import contextlib

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from photoz import checksums
from photoz.files import InputError
from photoz.pdf import io as pdf_io
from photoz.pdf import table
from photoz.simulations import simulation
from photoz.sps import grid
from photoz.survey import catalogue, noise, splits
from photoz.templates import model_file, run_prior, zeropoints
from photoz.training import checkpoints, resume
from tests.faults.artefacts import ARTEFACTS, content

FLIPS = 300
EVERY = pytest.mark.parametrize("kind", list(ARTEFACTS))


@pytest.fixture
def whole(tmp_path, kind):
    """An intact file, and what is read from it."""
    return prepare(tmp_path, kind)


def prepare(folder, kind):
    path = folder / f"whole{ARTEFACTS[kind].suffix}"
    ARTEFACTS[kind].write(path)
    return path, content(ARTEFACTS[kind].read(path))


def flipped(path, kind):
    """Copies of a file, each with one bit flipped, at places drawn at random."""
    good = path.read_bytes()
    rng = np.random.default_rng(len(kind))
    for number, place in enumerate(rng.integers(len(good), size=FLIPS)):
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(8))
        # A name of its own: the SSP grid is remembered by its name.
        copy = path.with_name(f"flipped-{number}{path.suffix}")
        copy.write_bytes(bad)
        yield copy
        copy.unlink()


def leaves(value):
    if isinstance(value, list | tuple):
        for entry in value:
            yield from leaves(entry)
    else:
        yield value


def flipped_numbers(path, expected):
    """Copies with one bit flipped in one of the arrays that are read."""
    good = path.read_bytes()
    copy = path.with_name(f"flipped{path.suffix}")
    for values in leaves(expected):
        place = good.find(values[:16]) if isinstance(values, bytes) and len(values) >= 16 else -1
        if place >= 0:
            bad = bytearray(good)
            bad[place + 2] ^= 4
            copy.write_bytes(bad)
            yield copy


@EVERY
def test_a_flipped_bit_is_named_or_harmless(kind, whole):
    """Harmless: the same is read, because nothing is kept in that bit (padding, a date)."""
    path, expected = whole
    noticed = 0
    for copy in flipped(path, kind):
        try:
            found = ARTEFACTS[kind].read(copy)
        except InputError as error:
            assert copy.name in str(error)
            noticed += 1
        else:
            assert content(found) == expected, f"{copy.name} was used"
    assert noticed > FLIPS / 4


@EVERY
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_named(kind, whole, part):
    path, _ = whole
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    # The SSP grid is remembered by name and date.
    copy = path.rename(path.with_name(f"short{path.suffix}"))
    with pytest.raises(InputError, match=copy.name):
        ARTEFACTS[kind].read(copy)


def without_hdf5_checks(monkeypatch):
    def write_dataset(store, name, values, growing=False):
        shape = (None, *values.shape[1:]) if growing else None
        return store.create_dataset(name, data=values, maxshape=shape, chunks=growing or None)

    for module in (catalogue, simulation, pdf_io, model_file):
        monkeypatch.setattr(module, "check_hdf5", lambda store: None)
        monkeypatch.setattr(module, "write_dataset", write_dataset)
    monkeypatch.setattr(checksums, "_HDF5_VERSION", "earliest")
    monkeypatch.setattr(simulation, "_checksum", lambda arrays: "")
    monkeypatch.setattr(model_file, "_checksum", lambda model: "")


def without_description_checks(monkeypatch):
    def unsealed(found):
        return {name: value for name, value in dict(found).items() if name != checksums.SEAL}

    for module in (noise, zeropoints, run_prior, checkpoints, resume):
        monkeypatch.setattr(module, "unsealed", unsealed)
    for module in (checkpoints, resume):
        monkeypatch.setattr(module, "tensor_digest", lambda tensors: "")


def without_page_checks(monkeypatch):
    monkeypatch.setattr(splits.pq, "read_table", lambda path, **_: pq.ParquetFile(path).read())
    original = pq.ParquetFile
    monkeypatch.setattr(table.pq, "ParquetFile", lambda path, **_: original(path))


def without_npz_checks(monkeypatch):
    def read_npz(path):
        with np.load(path) as data:
            return {name: data[name] for name in data.files}

    monkeypatch.setattr(grid, "read_npz", read_npz)
    monkeypatch.setattr("zipfile.ZipExtFile._update_crc", lambda self, data: None)


@EVERY
def test_control_without_checksums_damage_is_used(kind, tmp_path, monkeypatch):
    suffix = ARTEFACTS[kind].suffix
    remove = {
        ".json": without_description_checks,
        ".safetensors": without_description_checks,
        ".checkpoint": without_description_checks,
        ".parquet": without_page_checks,
        ".npz": without_npz_checks,
    }.get(suffix, without_hdf5_checks)
    remove(monkeypatch)
    path, expected = prepare(tmp_path, kind)
    copies = flipped(path, kind)
    if remove is without_hdf5_checks:
        # Not anywhere: without checks HDF5 may search a damaged file for ever.
        copies = flipped_numbers(path, expected)
    used = 0
    for copy in copies:
        with contextlib.suppress(Exception):
            used += content(ARTEFACTS[kind].read(copy)) != expected
    assert used > 0


def test_an_attribute_that_was_changed_is_noticed(tmp_path):
    path, _ = prepare(tmp_path, "catalogue")
    with h5py.File(path, "r+") as store:
        store.attrs["zero_point"] = 25.0
    with pytest.raises(InputError, match=r"whole\.h5: .* checksum"):
        ARTEFACTS["catalogue"].read(path)


@pytest.mark.parametrize("kind", ["noise model", "zero-points", "weights"])
def test_files_made_before_there_were_checksums_are_read(tmp_path, monkeypatch, kind):
    for module in (noise, zeropoints, checkpoints):
        monkeypatch.setattr(module, "sealed", lambda content: dict(content))
    path, expected = prepare(tmp_path, kind)
    monkeypatch.undo()
    assert content(ARTEFACTS[kind].read(path)) == expected
