"""Response curves: the PAUS narrow bands we ship, sedpy's library, and the user's own files."""

from __future__ import annotations

import csv
import os
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from photoz.files import InputError, require_file
from photoz.survey.bands import Band, Kind
from photoz.survey.keys import did_you_mean

CURVE_SUFFIXES = (".ecsv", ".csv", ".par", ".dat", ".txt", ".res")

# O2 A band: a sharp band head at 7594 A and a tail that fades towards 7700 A, at the resolution
# of the survey's curves; equivalent width 22 A. Its three free numbers reproduce what an
# error-function fit makes of NB755 and NB765 (see photoz/data/paus_narrow_bands.csv).
_A_BAND_HEAD, _A_BAND_HEAD_WIDTH = 7594.0, 4.0
_A_BAND_DEPTH, _A_BAND_TAIL, _A_BAND_TAIL_WIDTH = 0.45, 7603.2, 32.3


def oxygen_a_band(wavelength: ArrayLike) -> NDArray[np.float64]:
    """Telluric transmission of the O2 A band (7594-7700 A), dimensionless, same shape as given."""
    w = np.asarray(wavelength, dtype=np.float64)
    head = 0.5 * (1 + erf((w - _A_BAND_HEAD) / _A_BAND_HEAD_WIDTH))
    tail = np.exp(-0.5 * (np.clip(w - _A_BAND_TAIL, 0, None) / _A_BAND_TAIL_WIDTH) ** 2)
    return 1 - _A_BAND_DEPTH * head * tail


def erf_band(
    wavelength: ArrayLike, peak: float, blue_half: float, red_half: float, edge: float
) -> NDArray[np.float64]:
    """Product of two error-function edges (half maximum and width in A) times the peak response."""
    w = np.asarray(wavelength, dtype=np.float64)
    return 0.25 * peak * (1 + erf((w - blue_half) / edge)) * (1 + erf((red_half - w) / edge))


def paus_narrow_bands() -> tuple[Band, ...]:
    """The 40 PAUS narrow bands NB455 ... NB845 (A, total photon-counting response, 1 A steps)."""
    text = (resources.files("photoz.data") / "paus_narrow_bands.csv").read_text()
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    bands = []
    for row in rows:
        peak, blue, red, edge = (float(row[k]) for k in ("peak", "blue_half", "red_half", "edge"))
        # 3.5 edge widths out the response is 4e-7 of the peak: end the curve there, at zero
        w = np.arange(np.floor(blue - 3.5 * edge), np.ceil(red + 3.5 * edge) + 1)
        t = erf_band(w, peak, blue, red, edge)
        if row["telluric"] == "1":
            t = t * oxygen_a_band(w)
        t[[0, -1]] = 0.0
        bands.append(Band(row["band"], "narrow", w, t))
    return tuple(bands)


def sedpy_band(name: str, kind: Kind, filter_name: str) -> Band:
    """A band from the sedpy filter library (its curves are signal per photon: photon-counting).

    Raises
    ------
    InputError
        If sedpy has no such filter; the closest name is suggested.
    """
    from sedpy import observate  # slow to import, and only some surveys need it

    known = observate.list_available_filters()
    if filter_name not in known:
        hint = did_you_mean(filter_name, known)
        raise InputError(f"band {name}: sedpy has no filter '{filter_name}'; {hint}")
    curve = observate.Filter(filter_name)
    return Band(name, kind, curve.wavelength, curve.transmission)


def read_curve(
    path: str | os.PathLike[str],
    name: str,
    kind: Kind,
    wavelength_unit: str = "angstrom",
    response: str = "photon",
) -> Band:
    """Read a measured response curve: wavelength and response in the first two columns.

    Parameters
    ----------
    path : path-like
        ECSV, CSV, or white-space separated columns (.par, .dat, .txt, .res); '#' starts a comment.
    name, kind : str
        The band's name and kind.
    wavelength_unit : str
        Any astropy unit of length; an ECSV file's own unit must agree with it or replaces the
        default.
    response : "photon" or "energy"
        What the curve is: signal per photon, or signal per unit of energy (divided by wavelength
        here to become the former).

    Raises
    ------
    InputError
        Naming file and line: no such file, another suffix, text in a number column, fewer than
        two columns or rows, wavelengths that repeat, negative response, wrong units.
    """
    path = require_file(path, f"response curve of band {name}")
    if response not in ("photon", "energy"):
        raise InputError(f"{path}: response is {response!r}; use 'photon' or 'energy'")
    if path.suffix not in CURVE_SUFFIXES:
        raise InputError(f"{path}: cannot read '{path.suffix}'; use one of {CURVE_SUFFIXES}")
    if path.suffix == ".ecsv":
        wavelength, transmission, unit = _read_ecsv(path)
        wavelength_unit = _agreed_unit(path, unit, wavelength_unit)
    else:
        wavelength, transmission = _read_text(path)
    wavelength = wavelength * _angstrom_per(wavelength_unit, path)
    if wavelength.size > 1 and wavelength[0] > wavelength[-1]:
        wavelength, transmission = wavelength[::-1], transmission[::-1]
    peak = transmission.max(initial=0.0)
    if (transmission < -0.01 * peak).any():
        raise InputError(f"{path}: negative response; set it to zero")
    transmission = np.clip(transmission, 0, None)  # scans dip below zero by their noise
    if response == "energy":
        transmission = transmission * (wavelength.mean() / wavelength)
    if wavelength.max(initial=0.0) < 900 or wavelength.max(initial=0.0) > 1e7:
        raise InputError(
            f"{path}: wavelengths reach {wavelength.max(initial=0.0):g} A; "
            f"set wavelength_unit (now '{wavelength_unit}')"
        )
    try:
        return Band(name, kind, *_trimmed(wavelength, transmission))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _trimmed(w: NDArray[np.float64], t: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Cut leading and trailing zeros but one, so that a band ends where its light does."""
    lit = np.flatnonzero(t > 0)
    if lit.size == 0:
        return w, t
    part = slice(max(lit[0] - 1, 0), lit[-1] + 2)
    return w[part], t[part]


def _read_text(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First two columns of a comma or white-space separated file; one header line is allowed."""
    rows: list[tuple[float, float]] = []
    header_seen = False
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            fields = line.split("#")[0].replace(",", " ").split()
            if not fields:
                continue
            try:
                rows.append((float(fields[0]), float(fields[1])))
            except (ValueError, IndexError):
                if rows or header_seen:
                    raise InputError(
                        f"{path}, line {number}: two numbers expected, found {line.strip()!r}"
                    ) from None
                header_seen = True
    values = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return values[:, 0], values[:, 1]


def _read_ecsv(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64], str | None]:
    """First two columns of an ECSV file and the wavelength's unit, if it has one."""
    from astropy.table import Table

    try:
        table = Table.read(path, format="ascii.ecsv")
        first, second = (table[key] for key in table.colnames[:2])
        wavelength, transmission = (
            np.ma.filled(np.ma.asarray(c, dtype=np.float64), np.nan) for c in (first, second)
        )
    except Exception as error:  # astropy raises many kinds on a broken table
        raise InputError(f"{path}: not a readable ECSV table of two columns ({error})") from error
    return wavelength, transmission, None if first.unit is None else str(first.unit)


def _agreed_unit(path: Path, own: str | None, configured: str) -> str:
    """The file's unit; a configured one that says otherwise is a contradiction."""
    if own is None:
        return configured
    same = np.isclose(_angstrom_per(own, path), _angstrom_per(configured, path))
    if configured != "angstrom" and not same:
        raise InputError(
            f"{path}: the file says its wavelengths are in {own}, the survey says "
            f"wavelength_unit: {configured}; remove the wrong one"
        )
    return own


def _angstrom_per(unit: str, path: Path) -> float:
    """Angstroms in one unit of length."""
    from astropy import units

    try:
        return float(units.Unit(unit).to(units.AA))
    except (ValueError, TypeError, units.UnitConversionError) as error:
        raise InputError(
            f"{path}: wavelength_unit '{unit}' is not a length; use angstrom, nm or micron"
        ) from error
