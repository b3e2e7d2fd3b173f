"""Read a user's catalogue through a column map.

Non-detections stay as measured, negative fluxes included; what was not observed is NaN. Rows in
messages are data rows counted from 1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.survey.catalogue import Catalogue, Exposures
from photoz.survey.coadds import coadd
from photoz.survey.columns import BandColumns, ColumnMap, parse_columns
from photoz.survey.exposures import read_exposures
from photoz.survey.photometry import ab_magnitude, flux_from_magnitude
from photoz.survey.selection import RawCatalogue
from photoz.survey.survey import Survey
from photoz.survey.tables import as_id_column, as_number_column, read_columns
from photoz.survey.units import check_units, read_units

_MAG_ERROR = np.log(10) / 2.5
"""Relative flux error per magnitude of error."""
_CLEAR, _ENOUGH, _SAME_SCALE = 5.0, 20, 0.1
"""Coadds and exposures of a band must agree to 10 %, on at least 20 galaxies of S/N > 5."""


def ingest(
    path: str | os.PathLike[str], columns: Mapping[str, Any], survey: Survey
) -> RawCatalogue:
    """Read a catalogue in Parquet, FITS, HDF5, CSV or ECSV; only the mapped columns are read.

    Parameters
    ----------
    path : path-like
    columns : mapping
        Column map (docs/surveys.md); see `photoz.survey.columns.parse_columns`.
    survey : Survey

    Returns
    -------
    RawCatalogue
        Every galaxy of the file in the survey's zero-point, with its redshift confidence and
        masks; hand it to `photoz.survey.selection.select`.

    Raises
    ------
    InputError
        Naming file, column and row of what is wrong, and what to do.
    """
    path = Path(path)
    mapped = parse_columns(columns, survey.bands.names)
    data = read_columns(path, mapped.names, mapped.table)
    units = read_units(path, mapped.names, mapped.table)
    for band in mapped.bands.values():
        check_units(path, units, band, survey.zero_point)
    ids = as_id_column(data[mapped.id], f"{path}, column '{mapped.id}'")
    _check_unique(ids, f"{path}, column '{mapped.id}'")

    def numbers(name: str) -> NDArray[np.float64]:
        return as_number_column(data[name], f"{path}, column '{name}'", mapped.missing)

    flux = np.full((len(ids), len(survey.bands)), np.nan, dtype=np.float32)
    error = np.full_like(flux, np.nan)
    for index, name in enumerate(survey.bands.names):
        if name in mapped.bands:
            band = mapped.bands[name]
            flux[:, index], error[:, index] = _band_fluxes(
                numbers(band.value), numbers(band.error), band, survey.zero_point, path
            )
    exposures = _exposures(path, mapped, survey, ids, flux, error)
    redshift = np.full(len(ids), np.nan)
    if mapped.redshift is not None:
        redshift = numbers(mapped.redshift)
        _refuse(redshift <= -1, redshift, f"{path}, column '{mapped.redshift}'", "redshift")
    catalogue = Catalogue(
        id=ids,
        redshift=redshift,
        mag_i=ab_magnitude(flux[:, survey.reference_index], survey.zero_point),
        flux=flux,
        error=error,
        bands=survey.bands.names,
        survey=survey.name,
        zero_point=survey.zero_point,
        reference_band=survey.reference_band,
        exposures=exposures,
    )
    confidence = None if mapped.confidence is None else numbers(mapped.confidence)
    return RawCatalogue(catalogue, confidence, {name: numbers(name) for name in mapped.masks})


def _band_fluxes(
    value: NDArray[np.float64],
    error: NDArray[np.float64],
    band: BandColumns,
    zero_point: float,
    path: Path,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n,) flux and error in the survey's zero-point; NaN in both where either is missing."""
    observed = np.isfinite(value) & np.isfinite(error)
    where = f"{path}, column '{band.error}'"
    _refuse(observed & (error <= 0), error, where, "error")
    value, error = np.where(observed, value, np.nan), np.where(observed, error, np.nan)
    if band.kind == "mag":
        # beyond these float32 fluxes overflow or vanish: an unmarked sentinel, not a magnitude
        odd = (value < -50) | (value > 80)
        _refuse(odd, value, f"{path}, column '{band.value}'", "magnitude")
        flux = flux_from_magnitude(value, zero_point)
        sigma = flux * _MAG_ERROR * np.maximum(error, band.error_floor)
    else:
        own = zero_point if band.zero_point is None else band.zero_point
        scale = 10 ** (0.4 * (zero_point - own))
        flux = value * scale
        sigma = np.maximum(error * scale, np.abs(flux) * _MAG_ERROR * band.error_floor)
    with np.errstate(over="ignore", under="ignore"):
        flux32, sigma32 = flux.astype(np.float32), sigma.astype(np.float32)
    lost = observed & ~(np.isfinite(flux32) & np.isfinite(sigma32) & (sigma32 > 0))
    _refuse(lost, value, f"{path}, column '{band.value}'", "value beyond single precision")
    return flux32, sigma32


def _exposures(
    path: Path,
    mapped: ColumnMap,
    survey: Survey,
    ids: NDArray,
    flux: NDArray[np.float32],
    error: NDArray[np.float32],
) -> Exposures | None:
    """Read exposures, and fill in place the coadds of bands that have no columns of their own.

    Coadds of a band that has both must be those of its exposures: networks learn from coadds of
    random exposures and are applied to the mapped ones.
    """
    if mapped.exposures is None:
        return None
    exposures = read_exposures(
        path.parent / mapped.exposures.path,
        mapped.exposures,
        ids,
        survey.bands.names,
        survey.zero_point,
    )
    combined, sigma = coadd(exposures.flux, exposures.error)
    for index, name in enumerate(exposures.bands):
        column = survey.bands.index(name)
        if name in mapped.bands:
            own = (flux[:, column], error[:, column])
            _refuse_other_scale(combined[:, index], sigma[:, index], *own, f"{path}: band {name}")
            continue
        flux[:, column] = combined[:, index]
        floor = np.abs(combined[:, index]) * _MAG_ERROR * mapped.coadd_floors[name]
        error[:, column] = np.maximum(sigma[:, index], floor)
    without = [
        name
        for name in survey.bands.names
        if name not in mapped.bands and name not in mapped.absent and name not in exposures.bands
    ]
    if without:
        raise InputError(
            f"{path}: band {without[0]} has neither columns nor exposures; map it, or write "
            f"'{without[0]}: null' under bands if it was not observed"
        )
    return exposures


def _refuse_other_scale(
    combined: NDArray, sigma: NDArray, flux: NDArray, error: NDArray, where: str
) -> None:
    """Raise if coadded exposures are on another scale than the mapped coadds, both (n,)."""
    with np.errstate(invalid="ignore"):
        clear = (combined > _CLEAR * sigma) & (flux > _CLEAR * error)
    if clear.sum() < _ENOUGH:
        return
    ratio = float(np.median(combined[clear].astype(np.float64) / flux[clear]))
    if abs(ratio - 1) > _SAME_SCALE:
        raise InputError(
            f"{where}: the coadds of its exposures are {ratio:.3g} times the coadds of the "
            f"catalogue (median of {int(clear.sum())} galaxies); give 'exposures' in the column "
            "map their own 'units' or 'zero_point', or leave out the band's columns to have "
            "coadds made from the exposures"
        )


def _check_unique(ids: NDArray, where: str) -> None:
    order = np.argsort(ids, kind="stable")
    same = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if same.size:
        first, second = order[same[0]] + 1, order[same[0] + 1] + 1
        raise InputError(
            f"{where}: id {ids[first - 1]} occurs in row {first} and row {second}; ids must be "
            "unique"
        )


def _refuse(bad: NDArray[np.bool_], values: NDArray, where: str, what: str) -> None:
    """Raise on the first bad row."""
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{where}, row {row + 1}: {what} {values[row]:g} makes no sense ({int(bad.sum())} such "
            "rows); if it means not measured, list it under 'missing' in the column map"
        )
