"""Rest-frame equivalent widths of emission lines: what spectra of galaxies are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.population import Spectra

_TOLERANCE = 3.0  # A, between the names of lines and their wavelengths in a grid


@dataclass(frozen=True)
class LineDefinition:
    """A line, and where the continuum beside it is measured.

    Attributes
    ----------
    name : str
    wavelengths : tuple of float
        A, vacuum, rest frame: one line, or all of a blend that counts as one.
    blue, red : (low, high)
        Windows of the continuum, A, on either side, free of the other strong lines.
    """

    name: str
    wavelengths: tuple[float, ...]
    blue: tuple[float, float]
    red: tuple[float, float]

    @property
    def centre(self) -> float:
        """Mean of the wavelengths, A."""
        return float(np.mean(self.wavelengths))


#: Lines of the table in docs/populations.md.
LINES: tuple[LineDefinition, ...] = (
    LineDefinition("[OII]", (3727.1, 3729.9), (3653.0, 3713.0), (3741.0, 3790.0)),
    LineDefinition("Hb", (4862.7,), (4799.0, 4839.0), (4886.0, 4926.0)),
    LineDefinition("[OIII]5007", (5008.2,), (4980.0, 5000.0), (5018.0, 5050.0)),
    LineDefinition("Ha", (6564.6,), (6490.0, 6532.0), (6602.0, 6652.0)),
    LineDefinition("[NII]6583", (6585.3,), (6490.0, 6532.0), (6602.0, 6652.0)),
)


def continuum_at(
    wavelength: NDArray[np.floating], f_lambda: NDArray[np.floating], line: LineDefinition
) -> NDArray[np.float64]:
    """Continuum at a line: straight between the means of its two windows.

    Parameters
    ----------
    wavelength : (w,) array
        A, rest frame, ascending; pixel centres.
    f_lambda : (n, w) array
        Without emission lines.
    line : LineDefinition

    Returns
    -------
    (n,) array
        In the unit of `f_lambda`.

    Raises
    ------
    InputError
        If a window holds no pixel.
    """
    means, middles = [], []
    for low, high in (line.blue, line.red):
        inside = (wavelength >= low) & (wavelength <= high)
        if not inside.any():
            raise InputError(
                f"{line.name}: the spectrum has no pixel between {low:g} and {high:g} A"
            )
        means.append(np.asarray(f_lambda[:, inside], dtype=np.float64).mean(axis=1))
        middles.append(float(np.mean(wavelength[inside])))
    part = (line.centre - middles[0]) / (middles[1] - middles[0])
    return (1 - part) * means[0] + part * means[1]


def equivalent_widths(
    spectra: Spectra, lines: Sequence[LineDefinition] = LINES
) -> dict[str, NDArray[np.float64]]:
    """Rest-frame equivalent widths of the emission: line luminosity over the continuum beside it.

    Stellar absorption under a Balmer line is not subtracted; observers correct for it. A dust
    screen before stars and gas alike changes nothing.

    Parameters
    ----------
    spectra : Spectra
    lines : sequence of LineDefinition

    Returns
    -------
    dict of (n,) arrays
        A, by the line's name; infinite where there is no continuum.

    Raises
    ------
    InputError
        If the spectra have no such line, or do not cover its windows.
    """
    widths = {}
    for line in lines:
        luminosity = line_luminosity(spectra, line)
        beside = continuum_at(spectra.wavelength, spectra.continuum, line)
        with np.errstate(divide="ignore"):
            widths[line.name] = luminosity / beside
    return widths


def line_luminosity(spectra: Spectra, line: LineDefinition) -> NDArray[np.float64]:
    """Luminosity of a line or blend, (n,), in Lsun.

    Raises
    ------
    InputError
        If the spectra have no line within 3 A of one of its wavelengths.
    """
    known = np.asarray(spectra.line_wavelength, dtype=np.float64)
    columns = []
    for wanted in line.wavelengths:
        distance = np.abs(known - wanted)
        if not known.size or distance.min() > _TOLERANCE:
            raise InputError(f"{line.name}: the spectra have no line at {wanted:g} A")
        columns.append(int(distance.argmin()))
    total: NDArray[np.float64] = spectra.lines[:, sorted(set(columns))].sum(axis=1, dtype=float)
    return total
