"""Whether a stellar library is fine enough for a survey's bands."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.fsps import data_files
from photoz.sps.fsps.installation import Installation
from photoz.survey.bands import Band, BandSet

logger = logging.getLogger(__name__)

FINEST = 3.0
"""A library resolves a band if its FWHM is at most the band's divided by this."""
LARGEST_SHARE = 0.5
"""Largest share of the bands, averaged over redshift, that a library may leave unresolved."""
_LIGHT = 299792.458  # km/s
_PER_SIGMA = 2.3548  # FWHM


def read_resolution(
    installation: Installation,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wavelengths of the library (A) and the FWHM of its resolution there (A), (n,) each.

    The FWHM is at least two steps of the wavelengths: what is sampled more coarsely is not there.
    """
    number = installation.n_wavelengths
    home, library = installation.home, installation.library
    wavelength = _first_column(data_files.wavelength_file(home, library), number)
    step = np.gradient(wavelength)
    width = 2 * step
    resolution = data_files.resolution_file(home, library)
    if resolution is not None:
        # Negative values mark theoretical spectra, whose resolution is approximate.
        sigma = np.abs(_first_column(resolution, number))
        width = np.maximum(width, _PER_SIGMA * sigma / _LIGHT * wavelength)
    return wavelength, width


def unresolved_share(
    wavelength: NDArray[np.float64],
    width: NDArray[np.float64],
    bands: BandSet,
    redshift_max: float,
) -> float:
    """Share of narrow bands, averaged over redshift, that spectra do not resolve.

    Parameters
    ----------
    wavelength, width : (n,) arrays
        Rest-frame wavelengths and the FWHM of the resolution there, A.
    bands : BandSet
        Broad bands count only where there is no narrow one.
    redshift_max : float

    Returns
    -------
    float
        Between 0 and 1.
    """
    chosen = np.flatnonzero(bands.is_narrow)
    chosen = chosen if chosen.size else np.arange(len(bands))
    observed = np.array([bands[int(k)].mean_wavelength for k in chosen])
    size = np.array([_width(bands[int(k)]) for k in chosen])
    stretch = 1 + np.linspace(0.0, redshift_max, 49)[:, None]
    seen = stretch * np.interp(observed / stretch, wavelength, width)
    return float(np.mean(FINEST * seen > size))


def check_resolution(installation: Installation, bands: BandSet, redshift_max: float) -> float:
    """Refuse a library that is too coarse for the bands; return the share it leaves unresolved.

    Raises
    ------
    InputError
        If more than half of the narrow bands, averaged over redshift, are narrower than three
        times the library's resolution.
    """
    wavelength, width = read_resolution(installation)
    share = unresolved_share(wavelength, width, bands, redshift_max)
    if share > LARGEST_SHARE:
        at = 6563.0
        raise InputError(
            f"the stellar library {installation.library} of fsps {installation.version} is too "
            f"coarse: {np.interp(at, wavelength, width):.0f} A wide at {at:.0f} A, more than a "
            f"third of the width of {100 * share:.0f} % of the bands; compile FSPS with MILES or "
            "another finer library (docs/fsps.md)"
        )
    if share > 0:
        logger.info(
            "the stellar library %s resolves %.0f %% of the bands and redshifts",
            installation.library,
            100 * (1 - share),
        )
    return share


def _width(band: Band) -> float:
    """Width (A) of a box as high as the band's peak: its FWHM where the edges are alike."""
    t = band.transmission
    area = 0.5 * (t[1:] + t[:-1]) @ np.diff(band.wavelength)
    return float(area / t.max())


def _first_column(path: Path, number: int) -> NDArray[np.float64]:
    """Read the first number of each row: all that FSPS reads."""
    with path.open(encoding="utf-8") as file:
        rows = [line.split()[0] for line in file if line.strip()]
    try:
        values = np.array(rows[:number], dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{path}: not a column of numbers ({error})") from error
    if values.size < number or not np.isfinite(values).all():
        raise InputError(f"{path}: {values.size} numbers, {number} expected")
    return values
