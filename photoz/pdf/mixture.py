"""p(z) as a mixture of Gaussians, truncated at `zmin` and renormalised (section 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from photoz.files import InputError
from photoz.pdf.modes import highest_peak

FloatArray = npt.NDArray[np.float64]

ZMIN = 0.0  # where the density of a redshift begins, unless a file says otherwise

_CHUNK = 1 << 16  # numbers in the largest temporary array of one chunk: 0.5 MiB stay in a cache
_MODE_CHUNK = 1 << 20  # an array of components by components, which ensembles have many of
_SQRT_2PI = np.sqrt(2 * np.pi)
_LEAST_MASS = 1e-12  # a mixture with less above zmin has no meaning there


@dataclass(frozen=True)
class MixturePDF:
    """Redshift densities of n galaxies, each a mixture of k Gaussians cut at `zmin`.

    The density is zero below `zmin` and the mixture divided by its mass above it: this one density
    gives the mode, ODDS, PIT, quantiles and figures. A galaxy whose parameters are not finite (or
    whose mass above `zmin` vanishes) has no density: everything about it is NaN.

    Parameters
    ----------
    weights, means, sigmas : (n, k) array
        Amplitudes beta, centres mu and widths sigma of equation 1; weights are scaled to sum to
        one.
    zmin : float
        Lower end of the support.

    Raises
    ------
    InputError
        If the shapes differ, or a weight or a sigma is negative (or a sigma zero).
    """

    weights: FloatArray
    means: FloatArray
    sigmas: FloatArray
    zmin: float = ZMIN

    def __post_init__(self) -> None:
        w, m, s = (np.array(x, dtype=np.float64) for x in (self.weights, self.means, self.sigmas))
        if not (w.ndim == 2 and w.shape[1] > 0 and w.shape == m.shape == s.shape):
            raise InputError(
                f"mixture: weights {w.shape}, means {m.shape} and sigmas {s.shape} must share one "
                "shape (galaxies, components)"
            )
        for name, bad in (("weights", w < 0), ("sigmas", s <= 0)):
            if bad.any():
                row, column = np.argwhere(bad)[0]
                raise InputError(
                    f"mixture: {name} row {row}, component {column} is negative or zero; "
                    "weights must be >= 0 and sigmas > 0 (NaN marks a galaxy without p(z))"
                )
        with np.errstate(invalid="ignore", divide="ignore"):
            w = w / w.sum(axis=1, keepdims=True)
        object.__setattr__(self, "weights", w)
        object.__setattr__(self, "means", m)
        object.__setattr__(self, "sigmas", s)
        object.__setattr__(self, "zmin", float(self.zmin))

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, index: npt.ArrayLike | slice) -> MixturePDF:
        """Densities of some galaxies: indices, a mask (n,) or a slice."""
        i = index if isinstance(index, slice) else np.asarray(index)
        return MixturePDF(self.weights[i], self.means[i], self.sigmas[i], self.zmin)

    @property
    def mass(self) -> FloatArray:
        """Mass (n,) of the plain mixture above `zmin`; NaN where there is no valid p(z)."""
        mass = np.sum(self.weights * ndtr((self.means - self.zmin) / self.sigmas), axis=1)
        finite = np.isfinite(self.weights) & np.isfinite(self.means) & np.isfinite(self.sigmas)
        return np.where(finite.all(axis=1) & (mass > _LEAST_MASS), mass, np.nan)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Mask (n,) of the galaxies that have a p(z)."""
        return np.isfinite(self.mass)

    def pdf(self, z: npt.ArrayLike) -> FloatArray:
        """Density on a grid.

        Parameters
        ----------
        z : (g,) or (n, g) array
            One grid for all galaxies, or one for each.

        Returns
        -------
        (n, g) array
        """
        z = np.atleast_1d(np.asarray(z, dtype=np.float64))

        height = self.weights / (self.sigmas * self.mass[:, None] * _SQRT_2PI)
        scale = 1 / (self.sigmas * np.sqrt(2))

        def rows(part: slice, grid: FloatArray) -> FloatArray:
            t = grid[:, None, :] - self.means[part, :, None]
            t *= scale[part, :, None]
            t *= t
            np.exp(np.negative(t, out=t), out=t)
            return np.einsum("nk,nkg->ng", height[part], t)

        value = self._by_rows(rows, z)
        return np.where(np.isfinite(value) & (z < self.zmin), 0.0, value)

    def pdf_at(self, z: npt.ArrayLike) -> FloatArray:
        """Density (n,) of each galaxy at its own redshift z (n,)."""
        return self.pdf(own_redshifts(z, len(self)))[:, 0]

    def log_pdf_at(self, z: npt.ArrayLike) -> FloatArray:
        """Logarithm (n,) of the density at each galaxy's own redshift; exact far in the tails."""
        z = own_redshifts(z, len(self))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (z - self.means) / self.sigmas
            term = np.log(self.weights / self.sigmas / _SQRT_2PI) - 0.5 * t * t
            top = term.max(axis=1, keepdims=True)
            value = top[:, 0] + np.log(np.exp(term - top).sum(axis=1)) - np.log(self.mass)
        return np.where(np.isfinite(self.mass) & (z[:, 0] < self.zmin), -np.inf, value)

    def cdf(self, z: npt.ArrayLike) -> FloatArray:
        """Probability that the redshift is below `z`; `pit` takes each galaxy's own redshift.

        Parameters
        ----------
        z : (g,) or (n, g) array
            One grid for all galaxies, or one for each.

        Returns
        -------
        (n, g) array
        """
        z = np.atleast_1d(np.asarray(z, dtype=np.float64))
        side, below = self._below_zmin()

        def rows(part: slice, grid: FloatArray) -> FloatArray:
            s = side[part, None]
            t = ndtr(s * (grid[:, :, None] - self.means[part, None]) / self.sigmas[part, None])
            return np.einsum("ngk,nk->ng", s * (t - below[part, None]), self.weights[part])

        return np.clip(self._by_rows(rows, z) / self.mass[:, None], 0.0, 1.0)

    def _below_zmin(self) -> tuple[FloatArray, FloatArray]:
        """The tail (1 left, -1 right) whose differences are exact, and its mass at zmin; (n, k).

        It is the smaller one at zmin, also for components far below or far above.
        """
        low = (self.zmin - self.means) / self.sigmas
        side = np.where(low > 0, -1.0, 1.0)
        return side, ndtr(side * low)

    def pit(self, z_spec: npt.ArrayLike) -> FloatArray:
        """Probability integral transform (n,) (equation 6); NaN without p(z) or `z_spec` (n,)."""
        return self.cdf(own_redshifts(z_spec, len(self)))[:, 0]

    def mode(self) -> FloatArray:
        """Highest peak (n,) of each density, good to 1e-6 in redshift."""
        mode = np.full(len(self), np.nan)
        valid = np.flatnonzero(self.valid)
        k = self.weights.shape[1]
        step = max(1, _MODE_CHUNK // (k * k))
        for start in range(0, len(valid), step):
            i = valid[start : start + step]
            mode[i] = highest_peak(self.weights[i], self.means[i], self.sigmas[i], self.zmin)
        return mode

    def odds(self, width: float = 0.003, mode: FloatArray | None = None) -> FloatArray:
        """Probability (n,) within `width` / 2 of the mode (equation 7), from the exact CDF.

        `mode` (n,) saves finding the modes again.
        """
        mode = self.mode() if mode is None else mode
        edges = self.cdf(np.stack([mode - width / 2, mode + width / 2], axis=1))
        return edges[:, 1] - edges[:, 0]

    def quantile(self, q: npt.ArrayLike) -> FloatArray:
        """Redshifts (n, m) below which the probability is `q` (m,), 0 <= q <= 1."""
        q = probabilities(q)
        value = np.full((len(self), len(q)), np.nan)
        valid = np.flatnonzero(self.valid)
        value[valid] = np.where(q == 0, self.zmin, np.inf)
        inner = np.flatnonzero((q > 0) & (q < 1))
        step = max(1, _CHUNK // (self.weights.shape[1] * max(1, len(inner))))
        for start in range(0, len(valid), step):
            i = valid[start : start + step]
            value[np.ix_(i, inner)] = self.take(i)._quantile(q[inner])
        return value

    def _quantile(self, q: FloatArray) -> FloatArray:
        """Newton's method inside a bracket that only shrinks; all rows valid, one entry per pair.

        A quantile of a mixture lies between the least and the greatest of its components'.
        """
        n, m = len(self), len(q)
        mass = self.mass[:, None]
        centre, sigma = self.means[:, None], self.sigmas[:, None]
        low = np.maximum((centre + sigma * ndtri(q)[:, None]).min(axis=2), self.zmin).ravel()
        tail = ndtri(((1 - q) * mass)[:, :, None])
        high = np.maximum((centre - sigma * tail).max(axis=2).ravel(), low)
        z = 0.5 * (low + high)
        last = high - low
        side, below = self._below_zmin()
        share, scale = side * self.weights / mass, 1 / self.sigmas
        peak = self.weights * scale / (mass * _SQRT_2PI)
        # Column by column of components, galaxies last: sums then run along whole vectors.
        rows = [np.repeat(a, m, axis=0).T.copy() for a in (self.means, scale, side, share, peak)]
        gap = (share * below).sum(axis=1).repeat(m) + np.tile(q, n)
        active = np.flatnonzero(high > low)
        for _ in range(200):
            centre, scale, side, share, peak = (a[:, active] for a in rows)
            here, lo, hi = z[active], low[active], high[active]
            t = (here - centre) * scale
            excess = (share * ndtr(side * t)).sum(axis=0) - gap[active]
            density = (peak * np.exp(-0.5 * t * t)).sum(axis=0)
            lo, hi = np.where(excess <= 0, here, lo), np.where(excess >= 0, here, hi)
            low[active], high[active] = lo, hi
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                step = here - excess / density
            # Halve the bracket where Newton leaves it or is not closing in fast enough.
            newton = (step >= lo) & (step <= hi) & (np.abs(step - here) < 0.5 * last[active])
            z[active] = np.where(newton, step, 0.5 * (lo + hi))
            last[active] = np.abs(z[active] - here)
            active = active[last[active] > 1e-12 * (1 + np.abs(here))]
            if active.size == 0:
                break
        return z.reshape(n, m)

    def mean(self) -> FloatArray:
        """Mean redshift (n,) of the truncated density."""
        return self._moments()[0]

    def std(self) -> FloatArray:
        """Standard deviation (n,) of the truncated density."""
        return np.sqrt(self._moments()[1])

    def _moments(self) -> tuple[FloatArray, FloatArray]:
        t = (self.means - self.zmin) / self.sigmas
        share = ndtr(t)
        edge = self.sigmas * np.exp(-0.5 * t * t) / _SQRT_2PI
        mean = np.sum(self.weights * (self.means * share + edge), axis=1) / self.mass
        # About the mean: the difference of two large squares would lose narrow densities.
        m, low = self.means - mean[:, None], self.zmin - mean[:, None]
        second = (m**2 + self.sigmas**2) * share + (m + low) * edge
        variance = np.sum(self.weights * second, axis=1) / self.mass
        return mean, np.maximum(variance, 0.0)

    def _by_rows(
        self, function: Callable[[slice, FloatArray], FloatArray], z: FloatArray
    ) -> FloatArray:
        """`function` of a slice of galaxies and their grids, in chunks that bound the memory."""
        n, k = self.weights.shape
        grid = np.broadcast_to(z, (n, z.shape[-1]))
        step = max(1, _CHUNK // (k * max(1, z.shape[-1])))
        value = np.empty(grid.shape)
        for start in range(0, n, step):
            part = slice(start, start + step)
            value[part] = function(part, grid[part])
        return value


def average(pdfs: Sequence[MixturePDF]) -> MixturePDF:
    """Mean density of an ensemble (section 4: the mean redshift PDF of several networks).

    A galaxy takes the mean over the members that have a p(z) for it, and has none if no member
    does. Components are concatenated, so the result is exact.

    Parameters
    ----------
    pdfs : sequence of MixturePDF
        The same galaxies in the same order, and the same `zmin`.

    Raises
    ------
    InputError
        If the ensemble is empty or its members differ in length or `zmin`.
    """
    if not pdfs:
        raise InputError("average: an ensemble needs at least one p(z)")
    if len({(len(p), p.zmin) for p in pdfs}) > 1:
        sizes = ", ".join(f"{len(p)} galaxies with zmin {p.zmin}" for p in pdfs)
        raise InputError(f"average: members differ ({sizes}); predict the same galaxies with all")
    valid = np.stack([p.valid for p in pdfs])
    some = np.any(valid, axis=0, keepdims=True).T
    weights, means, sigmas = [], [], []
    for pdf, ok in zip(pdfs, valid, strict=True):
        # Dividing by the mass above zmin averages the truncated densities, not the plain ones.
        w = np.where(ok[:, None], pdf.weights / pdf.mass[:, None], 0.0)
        weights.append(np.where(some, w, np.nan))
        means.append(np.where(ok[:, None], pdf.means, pdf.zmin))
        sigmas.append(np.where(ok[:, None], pdf.sigmas, 1.0))
    return MixturePDF(
        np.concatenate(weights, axis=1),
        np.concatenate(means, axis=1),
        np.concatenate(sigmas, axis=1),
        pdfs[0].zmin,
    )


def own_redshifts(z: npt.ArrayLike, n: int) -> FloatArray:
    """Check that z is one redshift per galaxy and return it as a column (n, 1)."""
    z = np.asarray(z, dtype=np.float64)
    if z.shape != (n,):
        raise InputError(f"p(z): one redshift for each of {n} galaxies expected, got {z.shape}")
    return z[:, None]


def probabilities(q: npt.ArrayLike) -> FloatArray:
    """Check that q is a list of probabilities and return it as an array (m,)."""
    q = np.atleast_1d(np.asarray(q, dtype=np.float64))
    if q.ndim != 1 or not np.all((q >= 0) & (q <= 1)):
        raise InputError("quantile: probabilities must be one list of numbers in [0, 1]")
    return q
