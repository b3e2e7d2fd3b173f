"""The file of a model grid: written once per survey, checked whenever it is read."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import h5py
import numpy as np

from photoz.checksums import (
    check_hdf5,
    read_attribute,
    sealed_hdf5,
    write_attributes,
    write_dataset,
)
from photoz.files import InputError, require_file
from photoz.templates.model import ModelGrid
from photoz.templates.runs import Run

_FORMAT = "photoz template model 1"


def write_model(path: str | os.PathLike[str], model: ModelGrid) -> None:
    """Write a model grid as HDF5; the same model gives the same bytes.

    Datasets redshift, is_narrow and flux (template, z, band); attributes with the runs, their
    templates, the provenance and a SHA-256 of the numbers.
    """
    runs = [
        {
            "name": run.name,
            "templates": list(run.templates),
            "lines": run.lines,
            "law": run.law,
            "colour_excess": run.colour_excess,
            "fitted": list(names),
        }
        for run, names in zip(model.runs, model.templates, strict=True)
    ]
    with sealed_hdf5(path) as store:
        described = {
            "format": _FORMAT,
            "bands": model.bands,
            "provenance": json.dumps(model.provenance, sort_keys=True),
            "sha256": _checksum(model),
        }
        write_attributes(store, described)
        # Too long for an attribute.
        store.create_dataset("runs", data=np.bytes_(json.dumps(runs)))
        write_dataset(store, "redshift", model.redshift)
        write_dataset(store, "is_narrow", model.is_narrow.astype(np.uint8))
        shape = (1, *model.flux.shape[1:])
        store.create_dataset("flux", data=model.flux, chunks=shape, fletcher32=True)


def read_model(path: str | os.PathLike[str]) -> ModelGrid:
    """Read a model grid written by `write_model`.

    Raises
    ------
    InputError
        If the file is absent, cut short, damaged or something else.
    """
    path = require_file(path, "template model")
    try:
        with h5py.File(path, "r") as store:
            if "format" not in store.attrs or read_attribute(store, "format") != _FORMAT:
                raise InputError("not a template model of this version; make it again")
            runs = json.loads(bytes(store["runs"][()]))
            model = ModelGrid(
                redshift=np.asarray(store["redshift"][()], dtype=np.float64),
                bands=tuple(str(name) for name in read_attribute(store, "bands")),
                is_narrow=np.asarray(store["is_narrow"][()]).astype(bool),
                runs=tuple(_run(entry) for entry in runs),
                templates=tuple(tuple(entry["fitted"]) for entry in runs),
                flux=np.asarray(store["flux"][()], dtype=np.float32),
                provenance=json.loads(read_attribute(store, "provenance")),
            )
            expected = read_attribute(store, "sha256")
            check_hdf5(store)
    except InputError as error:
        raise InputError(
            f"{path}: {error}" if str(path) not in str(error) else str(error)
        ) from error
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a template model, or damaged ({error}); make it again"
        ) from error
    if _checksum(model) != expected:
        raise InputError(f"{path}: damaged (its checksum does not match); make it again")
    return model


def _run(entry: dict[str, Any]) -> Run:
    return Run(
        str(entry["name"]),
        tuple(entry["templates"]),
        bool(entry["lines"]),
        str(entry["law"]),
        float(entry["colour_excess"]),
    )


def _checksum(model: ModelGrid) -> str:
    digest = hashlib.sha256()
    names = [model.bands, [run.name for run in model.runs], model.templates]
    digest.update(json.dumps(names).encode())
    for array in (model.redshift, model.is_narrow.astype(np.uint8), model.flux):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
