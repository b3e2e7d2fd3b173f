"""Band fluxes of redshifted spectra by matrix products.

On pixels uniform in ln(wavelength) a redshift is a shift by ln(1 + z): a whole number of pixels,
which is a slice, plus a fraction of one, the phase. For a few phases the integrals of every band
over every pixel are computed once and exactly; in between they are interpolated linearly.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.sps.cosmology import luminosity_distance
from photoz.sps.grid import SOLAR_LUMINOSITY
from photoz.survey.bands import Band, BandSet
from photoz.survey.photometry import AB_FLUX, SPEED_OF_LIGHT

_Array = NDArray[np.float64]
_MEGAPARSEC = 3.0856775814913673e24  # cm
_N_PHASES = 8
_LINE_STEPS = 32  # nodes of the line response per pixel: every 0.1 A at 5000 A


class BandProjector:
    """Photon-counting band fluxes of rest-frame spectra seen at a redshift.

    Within a pixel the continuum is a straight line: its mean is the pixel's value, its slope the
    difference of the two neighbours. Emission lines are delta functions. There is no intergalactic
    absorption: it acts below 1216 A in the rest frame, which the grid does not reach.

    Parameters
    ----------
    wavelength : (w,) array
        Rest-frame pixel centres, A, uniform in ln(wavelength).
    line_wavelength : (l,) array
        Rest frame, A.
    bands : BandSet
    redshift_max : float
        Largest redshift to project.

    Attributes
    ----------
    pixels : slice
        The pixels of `wavelength` that the bands see between redshift 0 and `redshift_max`.
    width : int
        Pixels that the bands see at one redshift.
    phases : list of (width, 2 band) float32
        Per phase interval: the integrals of the bands over the pixels at its two ends.
    line_response : (node, band) float32
        Weight of a line at fine steps of observed ln(wavelength).

    Raises
    ------
    InputError
        If the pixels are not uniform, or do not cover a band at some redshift.
    """

    def __init__(
        self,
        wavelength: NDArray[np.floating],
        line_wavelength: NDArray[np.floating],
        bands: BandSet,
        redshift_max: float,
    ) -> None:
        centres = np.log(np.asarray(wavelength, dtype=np.float64))
        step = (centres[-1] - centres[0]) / (centres.size - 1)
        if centres.size < 3 or not np.allclose(np.diff(centres), step, rtol=1e-4, atol=0):
            raise InputError("the wavelengths of a projection must be uniform in ln(wavelength)")
        self.bands = bands
        self.redshift_max = float(redshift_max)
        self._step = step
        self._start = centres[0] - 0.5 * step
        self._n_pixels = centres.size
        self._low, high = self._observed_pixels()
        self.width = high - self._low
        self._log_lines = np.log(np.asarray(line_wavelength, dtype=np.float64))
        self.phases = self._continuum_matrices()
        self.line_response = self._line_table()

    def _observed_pixels(self) -> tuple[int, int]:
        """First and last observed pixel of the bands; sets `pixels`."""
        position = {b.name: (np.log(_support(b)) - self._start) / self._step for b in self.bands}
        shift = int(np.log1p(self.redshift_max) / self._step)
        for name, (blue, red) in position.items():
            if blue < shift + 2 or red > self._n_pixels - 1:
                raise InputError(
                    f"band {name} sees beyond the spectra at some redshift in [0, "
                    f"{self.redshift_max:g}]; lower the largest redshift or cut the band's curve"
                )
        ends = np.array(list(position.values()))
        # One pixel more on each side for the slopes, and one for the phase.
        low, high = int(ends[:, 0].min()) - 2, int(np.ceil(ends[:, 1].max())) + 1
        self.pixels = slice(low - shift, high)
        return low, high

    def _continuum_matrices(self) -> list[NDArray[np.float32]]:
        """Per phase interval: the integrals at its two ends, (pixel, 2 x band)."""
        pixels = self._low + np.arange(self.width + 1)
        matrices = []
        for phase in np.arange(_N_PHASES + 1) / _N_PHASES:
            edges = np.exp(self._start + (pixels + phase) * self._step)
            columns = [_pixel_weights(b, edges) / _normalisation(b) for b in self.bands]
            matrices.append(np.stack(columns, axis=1).astype(np.float32))
        return [np.concatenate(pair, axis=1) for pair in pairwise(matrices)]

    def _line_table(self) -> NDArray[np.float32]:
        """(node, band) weight of a line at fine steps of observed ln(wavelength)."""
        nodes = np.arange(-1, (self.width + 1) * _LINE_STEPS + 2)
        wavelength = np.exp(self._start + (self._low + nodes / _LINE_STEPS) * self._step)
        columns = [b.response(wavelength) * wavelength / _normalisation(b) for b in self.bands]
        table = np.stack(columns, axis=1).astype(np.float32)
        table[[0, -1]] = 0.0
        return table

    def fluxes(
        self,
        continuum: NDArray[np.floating],
        lines: NDArray[np.floating] | None,
        redshift: ArrayLike,
        window: slice | None = None,
    ) -> NDArray[np.float32]:
        """Band fluxes at the luminosity distance of each galaxy (Planck 2015, at least 10 pc).

        Parameters
        ----------
        continuum : (n, w) array
            Lsun / A, on all pixels, on `pixels` or on `window` of these.
        lines : (n, l) array or None
            Lsun.
        redshift : (n,) array
            Fastest when sorted and in batches of some hundreds.
        window : slice, optional
            Which of `pixels` the continuum is on: what `window` says for these redshifts, or more.

        Returns
        -------
        (n, band) float32
            Mean f_nu in maggies, 3631 Jy.

        Raises
        ------
        InputError
            If shapes disagree or a redshift is outside [0, `redshift_max`].
        """
        redshift = np.asarray(redshift, dtype=np.float64)
        continuum = np.asarray(continuum, dtype=np.float32)
        if not np.all((redshift >= 0) & (redshift <= self.redshift_max)):
            raise InputError(f"redshifts must lie in [0, {self.redshift_max:g}]")
        offset = self._offset(continuum.shape, redshift.size, window)
        result = self._continuum_fluxes(continuum, redshift, offset)
        if lines is not None:
            result += self._line_fluxes(np.asarray(lines, dtype=np.float32), redshift)
        return result * self.dimming(redshift)[:, None].astype(np.float32)

    def dimming(self, redshift: NDArray[np.float64]) -> NDArray[np.float64]:
        """From Lsun to flux in erg/s/cm2 at the luminosity distance of redshifts (n,)."""
        area = 4 * np.pi * (luminosity_distance(redshift) * _MEGAPARSEC) ** 2
        return SOLAR_LUMINOSITY / area

    def shift(
        self, redshift: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """Return the first pixel seen, the phase interval and the part of it gone by, (n,) each."""
        shift = np.log1p(redshift) / self._step
        whole = np.floor(shift)
        scaled = (shift - whole) * _N_PHASES
        phase = np.minimum(scaled.astype(int), _N_PHASES - 1)
        return self._low - whole.astype(int), phase, (scaled - phase).astype(np.float32)

    def line_positions(
        self, redshift: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp]]:
        """Where lines fall on `line_response`.

        Returns
        -------
        left : (n, s) int
            Node at or below each line.
        part : (n, s) float32
            Part of the step beyond it.
        seen : (s,) int
            The lines that any of the galaxies shows in the bands.
        """
        observed = self._log_lines + np.log1p(redshift)[:, None]
        position = (observed - self._start) / self._step - self._low
        seen = np.flatnonzero(((position > 0) & (position < self.width + 1)).any(axis=0))
        last = self.line_response.shape[0] - 1
        position = np.clip(position[:, seen] * _LINE_STEPS + 1, 0, last - 1e-6)
        left = position.astype(np.intp)
        return left, (position - left).astype(np.float32), seen

    def window(self, redshift: ArrayLike) -> slice:
        """Return the part of `pixels` that the bands see at these redshifts."""
        ends = np.log1p([np.min(redshift), np.max(redshift)]) / self._step
        nearest, farthest = self._low - np.floor(ends).astype(int) - self.pixels.start
        return slice(int(farthest), int(nearest) + self.width)

    def _offset(self, shape: tuple[int, ...], number: int, window: slice | None) -> int:
        sliced = self.pixels.stop - self.pixels.start
        if window is not None and shape == (number, window.stop - window.start):
            return self.pixels.start + window.start
        if shape == (number, self._n_pixels):
            return 0
        if shape == (number, sliced):
            return self.pixels.start
        raise InputError(
            f"continuum has shape {shape}; ({number}, {self._n_pixels}) or ({number}, {sliced}) "
            "expected"
        )

    def _continuum_fluxes(
        self, continuum: NDArray[np.float32], redshift: NDArray[np.float64], offset: int
    ) -> NDArray[np.float32]:
        first, phase, part = self.shift(redshift)
        first, part = first - offset, part[:, None]
        windows = sliding_window_view(continuum, self.width, axis=1)
        if first.size and not 0 <= first.min() <= first.max() < windows.shape[1]:
            raise InputError("the window of pixels does not cover the bands at these redshifts")
        n_bands = len(self.bands)
        result = np.empty((redshift.size, n_bands), dtype=np.float32)
        for p, matrix in enumerate(self.phases):
            rows = np.flatnonzero(phase == p)
            if rows.size:
                both = windows[rows, first[rows]] @ matrix
                left, right = both[:, :n_bands], both[:, n_bands:]
                result[rows] = left + part[rows] * (right - left)
        result /= (1 + redshift)[:, None].astype(np.float32)
        return result

    def _line_fluxes(
        self, lines: NDArray[np.float32], redshift: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        if lines.shape != (redshift.size, self._log_lines.size):
            raise InputError(
                f"lines have shape {lines.shape}; (n, {self._log_lines.size}) expected"
            )
        left, part, seen = self.line_positions(redshift)
        bright = lines[:, seen]
        weights = np.concatenate([bright * (1 - part), bright * part], axis=1)
        response = self.line_response[np.concatenate([left, left + 1], axis=1)]
        return (weights[:, None, :] @ response)[:, 0]


def _support(band: Band) -> tuple[float, float]:
    """First and last wavelength (A) where the response is not zero."""
    positive = np.flatnonzero(band.transmission > 0)
    first, last = max(positive[0] - 1, 0), min(positive[-1] + 1, band.wavelength.size - 1)
    return float(band.wavelength[first]), float(band.wavelength[last])


def _normalisation(band: Band) -> float:
    """Integral of T / lambda times c times the AB zero flux: makes an energy flux maggies."""
    return SPEED_OF_LIGHT * band.integral_per_wavelength * AB_FLUX


def _pixel_weights(band: Band, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact integrals of T lambda times the spectrum's share of each pixel, (w,).

    The spectrum in pixel j is f_j + (f_{j+1} - f_{j-1}) (x - x_j) / (x_{j+1} - x_{j-1}), x_j being
    the middle of the pixel. The band must not reach into the first and the last pixel.
    """
    mass, moment = (np.diff(integral) for integral in _cumulative(band, edges))
    middle = 0.5 * (edges[1:] + edges[:-1])
    tilt = np.zeros_like(mass)
    tilt[1:-1] = ((moment - middle * mass)[1:-1]) / (middle[2:] - middle[:-2])
    mass[2:] += tilt[1:-1]
    mass[:-2] -= tilt[1:-1]
    return mass


def _cumulative(
    band: Band, at: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact integrals of T lambda and T lambda^2 from the band's blue end to wavelengths `at`."""
    w, t = band.wavelength, band.transmission
    width = np.diff(w)
    rise = np.diff(t) / width
    inside = np.clip(at, w[0], w[-1])
    k = np.clip(np.searchsorted(w, inside, side="right") - 1, 0, w.size - 2)

    def integral(c0: _Array, c1: _Array, c2: _Array, c3: _Array) -> _Array:
        # T lambda^p on a piece is a polynomial with these coefficients in d = lambda - w_k.
        def primitive(d: _Array, piece: NDArray[np.intp] | slice) -> _Array:
            inner = c1[piece] / 2 + d * (c2[piece] / 3 + d * c3[piece] / 4)
            return d * (c0[piece] + d * inner)

        total = np.append(0.0, np.cumsum(primitive(width, slice(None))))
        return total[k] + primitive(inside - w[k], k)

    w, t = w[:-1], t[:-1]
    first = integral(t * w, t + rise * w, rise, np.zeros_like(rise))
    second = integral(t * w**2, 2 * t * w + rise * w**2, t + 2 * rise * w, rise)
    return first, second
