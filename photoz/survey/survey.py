"""A survey is data: its bands, zero-point, depth, exposures, columns and selection in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.survey.bands import Band, BandSet, Kind
from photoz.survey.columns import parse_columns
from photoz.survey.curves import paus_narrow_bands, read_curve, sedpy_band
from photoz.survey.keys import as_number, as_zero_point, check_keys, did_you_mean
from photoz.survey.selection import Selection
from photoz.yaml_files import read_yaml


@dataclass(frozen=True)
class ExposurePlan:
    """How often a survey measures a galaxy in one of its narrow bands (paper section 2.1)."""

    nominal: int = 5
    minimum: int = 3
    maximum: int = 10


@dataclass(frozen=True, eq=False)
class Survey:
    """A survey, as described by its file in config/surveys.

    Attributes
    ----------
    name, description : str
    zero_point : float
        Of every flux: mag = zero_point - 2.5 log10 flux (AB).
    reference_band : str
        The band whose flux normalises the others.
    bands : BandSet
    depth : (band,) array
        AB magnitude at which the nominal coadd has a signal-to-noise of 5; NaN where not given.
    exposures : ExposurePlan
    columns : mapping
        Column map of the survey's own catalogues; may be empty.
    selection : Selection
    """

    name: str
    zero_point: float
    reference_band: str
    bands: BandSet
    depth: NDArray[np.float64]
    exposures: ExposurePlan = field(default_factory=ExposurePlan)
    columns: Mapping[str, Any] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    description: str = ""

    @property
    def reference_index(self) -> int:
        """Position of the reference band on the band axis."""
        return self.bands.index(self.reference_band)


_KEYS = (
    *("name", "description", "zero_point", "reference_band", "bands", "depth"),
    *("exposures", "columns", "selection"),
)


def load_survey(path: str | os.PathLike[str]) -> Survey:
    """Read a survey file (docs/surveys.md describes it).

    Raises
    ------
    InputError
        Naming the file: absent, not YAML, an unknown or repeated key (with a suggestion), a
        band or a curve that does not exist, a value of the wrong kind.
    """
    path = Path(path)
    config = read_yaml(path, "survey")
    try:
        return survey_from_dict(config, path.parent)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def survey_from_dict(config: Mapping[str, Any], folder: Path) -> Survey:
    """Make a survey from its configuration; curve files are relative to `folder`.

    Raises
    ------
    InputError
        As `load_survey`, without the file's name.
    """
    values = check_keys(config, _KEYS, "survey")
    for key in ("name", "zero_point", "reference_band", "bands"):
        if values.get(key) is None:
            raise InputError(f"survey: key '{key}' is missing")
    if not str(values["name"]).isprintable():
        raise InputError(f"survey: name {values['name']!r}: leave out what cannot be printed")
    bands = _bands(values["bands"], folder)
    reference = values["reference_band"]
    if reference not in bands:
        hint = did_you_mean(reference, bands.names)
        raise InputError(f"survey: reference_band '{reference}' is not a band; {hint}")
    columns = values.get("columns") or {}
    if columns:
        parse_columns(columns, bands.names)
    selection = Selection.from_dict(values.get("selection"))
    for name in () if selection.required == "all" else selection.required:
        if name not in bands:
            hint = did_you_mean(name, bands.names)
            raise InputError(f"selection: required band '{name}' does not exist; {hint}")
    return Survey(
        name=str(values["name"]),
        description=str(values.get("description") or "").strip(),
        zero_point=as_zero_point(values["zero_point"], "survey: zero_point"),
        reference_band=reference,
        bands=bands,
        depth=_depth(values.get("depth"), bands),
        exposures=_exposure_plan(values.get("exposures")),
        columns=dict(columns),
        selection=selection,
    )


def _bands(entries: object, folder: Path) -> BandSet:
    if not isinstance(entries, list):
        raise InputError(f"survey: bands: a list expected, found {entries!r}")
    bands: list[Band] = []
    for number, entry in enumerate(entries, start=1):
        where = f"bands, entry {number}"
        known = ("source", "name", "kind", "sedpy", "file", "wavelength_unit", "response")
        values = check_keys(entry, known, where)
        if "source" in values:
            check_keys(values, ("source",), where)
            if values["source"] != "paus_narrow_bands":
                hint = did_you_mean(values["source"], ("paus_narrow_bands",))
                raise InputError(f"{where}: no source '{values['source']}'; {hint}")
            bands.extend(paus_narrow_bands())
        else:
            bands.append(_band(values, folder, where))
    return BandSet(tuple(bands))


def _band(values: dict[str, Any], folder: Path, where: str) -> Band:
    name = values.get("name")
    if not isinstance(name, str) or not name or not name.isprintable():
        raise InputError(f"{where}: 'name' must be a text (quote it), found {name!r}")
    if values.get("kind") not in ("narrow", "broad"):
        raise InputError(f"band {name}: kind must be 'narrow' or 'broad'")
    kind = cast(Kind, values["kind"])
    if ("sedpy" in values) == ("file" in values):
        raise InputError(f"band {name}: give either 'sedpy' (a filter's name) or 'file'")
    if "sedpy" in values:
        check_keys(values, ("name", "kind", "sedpy"), f"band {name}")
        return sedpy_band(name, kind, str(values["sedpy"]))
    return read_curve(
        folder / str(values["file"]),
        name,
        kind,
        str(values.get("wavelength_unit", "angstrom")),
        str(values.get("response", "photon")),
    )


def _depth(config: object, bands: BandSet) -> NDArray[np.float64]:
    """(band,) depth: each band's own value, else its kind's, else NaN."""
    values = check_keys(config, ("narrow", "broad", *bands.names), "depth")
    depth = np.full(len(bands), np.nan)
    for key in sorted(values, key=lambda key: key in bands):  # a band overrides its kind
        chosen = [i for i, band in enumerate(bands) if key in (band.name, band.kind)]
        depth[chosen] = _anchored(values[key], bands.mean_wavelengths[chosen], f"depth: {key}")
    return depth


def _anchored(value: object, wavelength: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """One number, or {wavelength: number} interpolated linearly and constant beyond the ends."""
    if not isinstance(value, Mapping):
        return np.full(wavelength.shape, as_number(value, where))
    anchors = sorted((as_number(k, where), as_number(v, where)) for k, v in value.items())
    if not anchors:
        raise InputError(f"{where}: a number or {{wavelength: number}} expected")
    nodes, values = np.array(anchors).T
    return np.interp(wavelength, nodes, values)


def _exposure_plan(config: object) -> ExposurePlan:
    values = check_keys(config, ("nominal", "minimum", "maximum"), "exposures")
    for key, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"exposures: {key}: a whole number of 1 or more expected: {value!r}")
    plan = ExposurePlan(**values)
    if not plan.minimum <= plan.nominal <= plan.maximum:
        raise InputError(f"exposures: minimum <= nominal <= maximum does not hold: {plan}")
    return plan
