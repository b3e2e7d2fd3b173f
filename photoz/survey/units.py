"""Units that a file gives its columns, checked against those of the column map.

FITS (TUNIT) and ECSV say in which unit a column is. The column map has the last word on what is
read, so a unit that contradicts it is an error: one of the two is wrong by a known factor.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from photoz.files import InputError
from photoz.survey.columns import BandColumns, ExposureColumns

# Astropy knows maggies, but does not read them unless asked.
_MAGGIES = {"maggy": 0.0, "maggies": 0.0, "mgy": 0.0, "nanomaggy": 22.5, "nanomaggies": 22.5}
_MAGGIES |= {"nmgy": 22.5}
_TOLERANCE = 0.01  # mag; AB's 3631 Jy and 8.9 differ by 1e-4
_MAGNITUDE = "magnitude"
_PER_WAVELENGTH = "per wavelength"
_OTHER = "other"  # counts, electrons per second, nothing


def read_units(
    path: str | os.PathLike[str], names: Sequence[str], table: str | None = None
) -> dict[str, str]:
    """Units that a FITS or ECSV file gives the named columns; other formats give none.

    Parameters
    ----------
    path : path-like
        A file that `photoz.survey.tables.read_columns` has read.
    names : sequence of str
    table : str or None
        FITS extension.
    """
    path = Path(path)
    if path.suffix.lower() in (".fits", ".fit"):
        found = _fits_units(path, table)
    elif path.suffix.lower() in (".csv", ".ecsv"):
        found = _ecsv_units(path)
    else:
        return {}
    return {name: str(found[name]) for name in names if str(found.get(name) or "").strip()}


def _fits_units(path: Path, table: str | None) -> dict[str, str | None]:
    from astropy.io import fits  # slow to import

    try:
        with fits.open(path, memmap=True) as store:
            tables = [hdu for hdu in store if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
            named = [hdu for hdu in tables if table is None or hdu.name == table.upper()]
            return {column.name: column.unit for column in named[0].columns}
    except Exception as error:  # a header of any kind of damage
        raise InputError(f"{path}: its units (TUNIT) cannot be read ({error})") from error


def _ecsv_units(path: Path) -> dict[str, str | None]:
    from astropy.table.meta import get_header_from_yaml  # slow to import

    header = []
    with open(path, encoding="utf-8-sig") as stream:
        for line in stream:
            if not line.startswith("#"):
                break
            header.append(line[1:].strip("\n").removeprefix(" "))
    if not header or not header[0].startswith("%ECSV"):
        return {}
    try:
        columns = get_header_from_yaml(header[1:])["datatype"]
        return {column["name"]: column.get("unit") for column in columns}
    except Exception as error:  # YAML of any kind of damage
        raise InputError(f"{path}: the ECSV header cannot be read ({error})") from error


def check_units(
    path: str | os.PathLike[str],
    found: Mapping[str, str],
    columns: BandColumns | ExposureColumns,
    zero_point: float,
) -> None:
    """Check the units of a flux or magnitude column and of its errors.

    A column without a unit is taken as the column map says. A unit of flux density must mean the
    zero-point of the map (within 0.01 mag). Counts and electrons go with a `zero_point`, never
    with `units`; magnitudes and fluxes per wavelength are no fluxes per frequency.

    Parameters
    ----------
    path : path-like
        For messages.
    found : mapping of str to str
        What `read_units` returned.
    columns : BandColumns or ExposureColumns
    zero_point : float
        The survey's, which counts where the map gives none.

    Raises
    ------
    InputError
        Naming file, column and both units.
    """
    if isinstance(columns, BandColumns):
        is_flux, value = columns.kind == "flux", columns.value
    else:
        is_flux, value = True, columns.flux
    own = zero_point if columns.zero_point is None else columns.zero_point
    for name in (value, columns.error):
        if name not in found:
            continue
        meaning = _meaning(found[name])
        if not is_flux:
            right = meaning in (None, _MAGNITUDE) or (meaning == _OTHER and name != value)
            expected = "a magnitude"
        elif isinstance(meaning, float):
            right = abs(meaning - own) < _TOLERANCE
            expected = columns.units or f"zero_point {own:g}"
        else:
            right = meaning in (None, _OTHER) and columns.units is None
            expected = columns.units or "a flux per frequency"
        if not right:
            raise InputError(
                f"{path}, column '{name}': its unit in the file is '{found[name]}', in the column "
                f"map it is {expected}; correct 'units' or 'zero_point' in the column map, or the "
                "unit in the file"
            )


def _meaning(text: str) -> float | str | None:
    """Zero-point of a flux density per frequency, else one of the words above, None if unknown."""
    from astropy import units as u  # slow to import

    key = text.strip().lower()
    if key in _MAGGIES:
        return _MAGGIES[key]
    if key == "abmag":
        return _MAGNITUDE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            unit = u.Unit(text, parse_strict="silent")
    except Exception:  # powers beyond any number, brackets without end
        return None
    if isinstance(unit, u.UnrecognizedUnit):
        return None
    if isinstance(unit, u.function.FunctionUnitBase) or unit == u.mag:
        return _MAGNITUDE
    if unit.is_equivalent(u.Jy):
        return float(-2.5 * np.log10((1 * unit).to_value(u.Jy) / 3631.0))
    per_wavelength = unit.is_equivalent(u.erg / u.s / u.cm**2 / u.AA)
    return _PER_WAVELENGTH if per_wavelength else _OTHER
