"""The column map: which columns of a user's catalogue hold what (see docs/surveys.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from photoz.files import InputError
from photoz.survey.keys import as_names, as_number, as_zero_point, check_keys, did_you_mean

UNITS = {"maggies": 0.0, "Jy": 8.9, "mJy": 16.4, "uJy": 23.9, "nJy": 31.4}
"""Zero-point of each flux unit: AB magnitude of flux 1, by mag = -2.5 log10(f_nu in cgs) - 48.6."""


@dataclass(frozen=True)
class BandColumns:
    """Columns of one band.

    Attributes
    ----------
    kind : "flux" or "mag"
    value, error : str
        Column names.
    zero_point : float or None
        Of the fluxes; None: the survey's.
    error_floor : float
        Smallest error in magnitudes.
    units : str or None
        Unit of the fluxes, a key of `UNITS`, where the map names one.
    """

    kind: Literal["flux", "mag"]
    value: str
    error: str
    zero_point: float | None = None
    error_floor: float = 0.0
    units: str | None = None


@dataclass(frozen=True)
class ExposureColumns:
    """Columns of a table with one row per exposure.

    Attributes
    ----------
    path : str
        Relative to the catalogue's folder.
    id, band, flux, error : str
        Column names.
    zero_point : float or None
        Of the fluxes; None: the survey's.
    units : str or None
        Unit of the fluxes, a key of `UNITS`, where the map names one.
    names : dict
        The table's label of a band -> the survey's name, where they differ.
    table : str or None
        HDF5 group or FITS extension.
    missing : tuple of float
    """

    path: str
    id: str
    band: str
    flux: str
    error: str
    zero_point: float | None
    units: str | None
    names: dict[str, str]
    table: str | None
    missing: tuple[float, ...]


@dataclass(frozen=True)
class ColumnMap:
    """A validated column map; attributes are the keys of the configuration.

    `bands` holds the mapped bands; `absent` those the map gives as null: not observed;
    `coadd_floors` the smallest error (magnitudes) of bands whose coadds are made of exposures.
    """

    id: str
    redshift: str | None
    confidence: str | None
    masks: tuple[str, ...]
    missing: tuple[float, ...]
    table: str | None
    bands: dict[str, BandColumns]
    absent: tuple[str, ...]
    exposures: ExposureColumns | None
    coadd_floors: dict[str, float]

    @property
    def names(self) -> list[str]:
        """Every column to be read from the catalogue, once."""
        names = [self.id, self.redshift, self.confidence, *self.masks]
        for band in self.bands.values():
            names += [band.value, band.error]
        return list(dict.fromkeys(name for name in names if name is not None))


_COLUMN_KEYS = {"flux", "mag", "error"}
_BAND_KEYS = ("flux", "mag", "error", "units", "zero_point", "error_floor")
_TABLE_KEYS = ("id", "redshift", "confidence", "masks", "missing", "table", "bands", "exposures")
_EXPOSURE_KEYS = (
    *("path", "id", "band", "flux", "error", "units", "zero_point"),
    *("names", "table", "missing"),
)


def parse_columns(
    mapping: Mapping[str, Any], bands: tuple[str, ...], where: str = "columns"
) -> ColumnMap:
    """Validate a column map.

    Parameters
    ----------
    mapping : mapping
        Keys id, redshift, confidence, masks, missing, table, exposures; bands {name: {flux or
        mag, error, units, zero_point, error_floor}}; and the same band keys at the top with
        `{band}` (or `{band_lower}`) in the column names, for all bands not listed. A band that
        has exposures only may be listed with its error_floor alone.
    bands : tuple of str
        The survey's bands.
    where : str
        For messages.

    Raises
    ------
    InputError
        On unknown keys or bands (with suggestions), contradictions, or bands with no columns.
    """
    top = check_keys(mapping, (*_TABLE_KEYS, *_BAND_KEYS), where)
    listed = top.get("bands") or {}
    if not isinstance(listed, Mapping):
        raise InputError(f"{where}: bands: names with their columns expected, found {listed!r}")
    for name in listed:
        if name not in bands:
            hint = did_you_mean(name, bands)
            raise InputError(f"{where}: the survey has no band '{name}'; {hint}")
    exposures = _exposures(top.get("exposures"), bands, f"{where}: exposures")
    template = {key: top[key] for key in _BAND_KEYS if key in top}
    mapped, floors = {}, {}
    for name in bands:
        at = f"{where}: band {name}"
        floors[name] = _floor(template, where)
        if listed.get(name) is not None:
            entry = check_keys(listed[name], _BAND_KEYS, at)
            if exposures is not None and set(entry) == {"error_floor"}:
                floors[name] = _floor(entry, at)
            else:
                mapped[name] = _band(_with_defaults(entry, template), at)
        elif name not in listed and ("flux" in template or "mag" in template):
            named = {
                k: _fill(template[k], name, f"{where}: {k}") for k in _COLUMN_KEYS & {*template}
            }
            mapped[name] = _band(template | named, at)
        elif name not in listed and exposures is None:
            raise InputError(
                f"{at} has no columns; give it {{flux, error}} or {{mag, error}}, or write "
                f"'{name}: null' under bands if it was not observed"
            )
    if not isinstance(top.get("id"), str):
        raise InputError(f"{where}: 'id' must name the column with the galaxy ids")
    return ColumnMap(
        id=top["id"],
        redshift=_name(top.get("redshift"), f"{where}: redshift"),
        confidence=_name(top.get("confidence"), f"{where}: confidence"),
        masks=as_names(top.get("masks"), f"{where}: masks"),
        missing=_numbers(top.get("missing"), f"{where}: missing"),
        table=_name(top.get("table"), f"{where}: table"),
        bands=mapped,
        absent=tuple(name for name in listed if listed[name] is None),
        exposures=exposures,
        coadd_floors={name: floor for name, floor in floors.items() if name not in mapped},
    )


def _with_defaults(entry: dict[str, Any], template: dict[str, Any]) -> dict[str, Any]:
    """A listed band takes units and error floor from the top where it says nothing itself."""
    merged = dict(entry)
    if not {"units", "zero_point"} & set(entry):
        merged |= {key: template[key] for key in ("units", "zero_point") if key in template}
    if "error_floor" in template:
        merged.setdefault("error_floor", template["error_floor"])
    return merged


def _fill(value: object, band: str, where: str) -> object:
    if not isinstance(value, str) or ("{band}" not in value and "{band_lower}" not in value):
        raise InputError(f"{where}: '{value}' must contain {{band}}, to name one column per band")
    return value.replace("{band}", band).replace("{band_lower}", band.lower())


def _band(entry: dict[str, Any], where: str) -> BandColumns:
    kinds: list[Literal["flux", "mag"]] = [k for k in ("flux", "mag") if k in entry]
    if len(kinds) != 1:
        raise InputError(f"{where}: give either 'flux' or 'mag', not {'both' if kinds else 'none'}")
    if not isinstance(entry[kinds[0]], str) or not isinstance(entry.get("error"), str):
        raise InputError(f"{where}: '{kinds[0]}' and 'error' must both name a column")
    zero_point = _zero_point(entry, where)
    return BandColumns(
        kind=kinds[0],
        value=entry[kinds[0]],
        error=entry["error"],
        # magnitudes are AB: their zero-point is always the survey's
        zero_point=zero_point if kinds[0] == "flux" else None,
        error_floor=_floor(entry, where),
        units=entry.get("units") if kinds[0] == "flux" else None,
    )


def _floor(entry: Mapping[str, Any], where: str) -> float:
    floor = as_number(entry.get("error_floor", 0.0), f"{where}: error_floor")
    if floor < 0:
        raise InputError(f"{where}: error_floor {floor} is negative")
    return floor


def _zero_point(entry: Mapping[str, Any], where: str) -> float | None:
    """Zero-point from `zero_point: 26` or `units: uJy`; None if neither is given."""
    if entry.get("units") is not None and entry.get("zero_point") is not None:
        raise InputError(f"{where}: give 'units' or 'zero_point', not both")
    if entry.get("zero_point") is not None:
        return as_zero_point(entry["zero_point"], f"{where}: zero_point")
    unit = entry.get("units")
    if unit is None:
        return None
    if not isinstance(unit, str) or unit not in UNITS:
        raise InputError(
            f"{where}: unknown flux unit '{unit}'; {did_you_mean(unit, UNITS)}, "
            "or give 'zero_point'"
        )
    return UNITS[unit]


def _exposures(value: object, bands: tuple[str, ...], where: str) -> ExposureColumns | None:
    if value is None:
        return None
    entry = check_keys(value, _EXPOSURE_KEYS, where)
    for key in ("path", "id", "band", "flux", "error"):
        if not isinstance(entry.get(key), str):
            raise InputError(f"{where}: '{key}' is needed")
    names = entry.get("names") or {}
    if not isinstance(names, Mapping):
        raise InputError(f"{where}: names: {{label: band}} expected, found {names!r}")
    for label, name in names.items():
        if not isinstance(label, str | int):  # dates and lists have no one way to be a label
            raise InputError(f"{where}: names: quote the label {label!r}")
        if name not in bands:
            hint = did_you_mean(name, bands)
            raise InputError(f"{where}: names: the survey has no band '{name}'; {hint}")
    return ExposureColumns(
        **{key: entry[key] for key in ("path", "id", "band", "flux", "error")},
        zero_point=_zero_point(entry, where),
        units=entry.get("units"),
        names={str(label): str(name) for label, name in names.items()},
        table=_name(entry.get("table"), f"{where}: table"),
        missing=_numbers(entry.get("missing"), f"{where}: missing"),
    )


def _name(value: object, where: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"{where}: a name expected, found {value!r}")


def _numbers(value: object, where: str) -> tuple[float, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list | tuple) else [value]
    infinities = (float("inf"), float("-inf"))
    return tuple(x if x in infinities else as_number(x, where) for x in items)
