"""The highest peak of a one-dimensional Gaussian mixture, for many galaxies at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_N_STARTS = 3  # highest candidates that are refined; two peaks can swap order on a coarse grid
_N_STEPS = 40
_TOLERANCE = 1e-10


def _density(
    z: FloatArray, amplitude: FloatArray, mean: FloatArray, inverse: FloatArray
) -> FloatArray:
    """Density at `z` (n, g) of mixtures (n, k); amplitude = weight / (sigma sqrt(2 pi))."""
    t = z[:, :, None] - mean[:, None, :]
    t *= inverse[:, None, :]
    t *= t
    t *= -0.5
    np.exp(t, out=t)
    return np.einsum("ngk,nk->ng", t, amplitude)


def _candidates(
    amplitude: FloatArray, mean: FloatArray, inverse: FloatArray, zmin: float
) -> tuple[FloatArray, FloatArray]:
    """Points (n, g), ascending, and densities there (-inf where no peak can beat the best).

    Every peak lies between two neighbouring means, where each component is monotone. Inside such
    an interval the density is therefore below the sum of the densities at its ends, so intervals
    whose ends sum to less than the best density need no look, nor do those far narrower than the
    narrowest component: climbing from an end finds their peak.
    """
    n, k = mean.shape
    ends = np.sort(np.maximum(mean, zmin), axis=1)
    at_ends = _density(ends, amplitude, mean, inverse)
    if k == 1:
        return ends, at_ends
    best = at_ends.max(axis=1, keepdims=True)
    wide = np.diff(ends, axis=1) * inverse.max(axis=1, keepdims=True) > 0.2
    row, interval = np.nonzero((at_ends[:, :-1] + at_ends[:, 1:] > best) & wide)
    fraction = np.array([0.25, 0.5, 0.75])
    left, right = ends[row, interval], ends[row, interval + 1]
    points = left[:, None] + (right - left)[:, None] * fraction
    inside = _density(points, amplitude[row], mean[row], inverse[row])
    z = np.full((n, k, 1 + len(fraction)), np.nan)
    value = np.full(z.shape, -np.inf)
    z[:, :, 0], value[:, :, 0] = ends, at_ends
    z[row, interval, 1:], value[row, interval, 1:] = points, inside
    return z.reshape(n, -1), value.reshape(n, -1)


def _highest_starts(z: FloatArray, value: FloatArray) -> FloatArray:
    """The highest local maxima (n, _N_STARTS) of a sampled density, the best repeated if fewer."""
    padded = np.pad(value, ((0, 0), (1, 1)), constant_values=-np.inf)
    is_peak = (value >= padded[:, :-2]) & (value >= padded[:, 2:])
    score = np.where(is_peak, value, -np.inf)
    rows = np.arange(len(z))
    starts = []
    for _ in range(min(_N_STARTS, z.shape[1])):
        top = score.argmax(axis=1)
        starts.append(np.where(score[rows, top] > -np.inf, z[rows, top], np.nan))
        score[rows, top] = -np.inf
    start = np.stack(starts, axis=1)
    return np.where(np.isnan(start), start[:, :1], start)


def _climb(
    start: FloatArray, amplitude: FloatArray, mean: FloatArray, inverse: FloatArray, zmin: float
) -> tuple[FloatArray, FloatArray]:
    """Climb from each `start` (n,) to its peak: Newton steps, and a sure uphill step otherwise.

    The fixed-point step (Carreira-Perpinan 2000) is an expectation-maximisation step and never
    goes downhill; Newton's step is taken where the density is concave, and undone where it
    went downhill.
    """
    z = start.copy()
    height = np.full(z.shape, -np.inf)
    good, fallback = z.copy(), z.copy()
    active = np.arange(len(z))
    for _ in range(_N_STEPS):
        inv = inverse[active]
        t = (z[active, None] - mean[active]) * inv
        part = amplitude[active] * np.exp(-0.5 * t * t)
        f = part.sum(axis=1)
        downhill = f < height[active] * (1 - 1e-13)
        up, down = active[~downhill], active[downhill]
        z[down] = fallback[down]
        keep = ~downhill
        part, t, inv = part[keep], t[keep], inv[keep]
        height[up], good[up] = f[keep], z[up]
        slope = -(part * t * inv).sum(axis=1)
        pull = (part * inv * inv).sum(axis=1)
        curvature = (part * (t * t - 1) * inv * inv).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            sure = np.where(pull > 0, slope / pull, 0.0)
            newton = np.where(curvature < 0, -slope / curvature, sure)
        fallback[up] = np.maximum(good[up] + sure, zmin)
        z[up] = np.maximum(good[up] + newton, zmin)
        moved = np.abs(z[up] - good[up]) > _TOLERANCE
        active = np.concatenate([up[moved], down])
        if active.size == 0:
            break
    return good, height


def highest_peak(
    weights: FloatArray, means: FloatArray, sigmas: FloatArray, zmin: float
) -> FloatArray:
    """Position of the global maximum above `zmin` of each mixture.

    Parameters
    ----------
    weights, means, sigmas : (n, k) array
        Finite mixtures, sigmas > 0.
    zmin : float
        Lower end of the support; a density that only falls has its mode there.

    Returns
    -------
    (n,) array
    """
    amplitude, inverse = weights / sigmas, 1.0 / sigmas
    # A component that weighs nothing must not put a candidate (or an interval end) anywhere.
    lightest = weights > 0
    heaviest = np.take_along_axis(means, weights.argmax(axis=1)[:, None], axis=1)
    means = np.where(lightest, means, heaviest)
    z, value = _candidates(amplitude, means, inverse, zmin)
    starts = _highest_starts(z, value)
    n, m = starts.shape
    # Rows whose peaks are all one have nothing to compare: climb the distinct starts only.
    distinct = np.ones(starts.shape, dtype=bool)
    distinct[:, 1:] = starts[:, 1:] != starts[:, :1]
    row, column = np.nonzero(distinct)
    peak, height = _climb(starts[row, column], amplitude[row], means[row], inverse[row], zmin)
    peaks, heights = np.zeros((n, m)), np.full((n, m), -np.inf)
    peaks[row, column], heights[row, column] = peak, height
    return peaks[np.arange(n), heights.argmax(axis=1)]
