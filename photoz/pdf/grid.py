"""p(z) on a grid of redshifts, linear between its nodes: what template fits give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from photoz.files import InputError
from photoz.pdf.mixture import MixturePDF, own_redshifts, probabilities

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GridPDF:
    """Redshift densities of n galaxies on one grid, linear between nodes, zero outside.

    It answers the same questions as `MixturePDF`. A galaxy with a density that is not finite or
    has no mass has no p(z): everything about it is NaN.

    Parameters
    ----------
    z : (g,) array
        Redshifts of the nodes, ascending (any spacing).
    density : (n, g) array
        p(z) at the nodes, not negative; scaled so that its integral is one.

    Raises
    ------
    InputError
        If shapes disagree, the grid does not ascend or a density is negative.
    """

    z: FloatArray
    density: FloatArray

    def __post_init__(self) -> None:
        z, p = np.array(self.z, dtype=np.float64), np.array(self.density, dtype=np.float64)
        if z.ndim != 1 or len(z) < 2 or p.ndim != 2 or p.shape[1] != len(z):
            raise InputError(f"p(z) grid: nodes {z.shape} and densities {p.shape} do not match")
        if not np.all(np.diff(z) > 0):
            raise InputError("p(z) grid: redshifts of the nodes must ascend")
        if (p < 0).any():
            row, node = np.argwhere(p < 0)[0]
            raise InputError(f"p(z) grid: density of row {row} at z = {z[node]} is negative")
        with np.errstate(invalid="ignore", divide="ignore"):
            p = p / np.sum(0.5 * np.diff(z) * (p[:, 1:] + p[:, :-1]), axis=1, keepdims=True)
        p[~np.isfinite(p).all(axis=1)] = np.nan
        object.__setattr__(self, "z", z)
        object.__setattr__(self, "density", p)

    def __len__(self) -> int:
        return len(self.density)

    @property
    def zmin(self) -> float:
        """Lower end of the support."""
        return float(self.z[0])

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Mask (n,) of the galaxies that have a p(z)."""
        return np.isfinite(self.density[:, 0])

    def take(self, index: npt.ArrayLike | slice) -> GridPDF:
        """Densities of some galaxies: indices, a mask (n,) or a slice."""
        return GridPDF(
            self.z, self.density[index if isinstance(index, slice) else np.asarray(index)]
        )

    def pdf(self, z: npt.ArrayLike) -> FloatArray:
        """Density (n, g) on one grid z (g,) or on one for each galaxy (n, g)."""
        z = np.atleast_1d(np.asarray(z, dtype=np.float64))
        j, t, slope = self._locate(z)
        value = self._at(self.density, j) + slope * t
        outside = (z < self.z[0]) | (z > self.z[-1])
        return np.where(outside & self.valid[:, None], 0.0, value)

    def pdf_at(self, z: npt.ArrayLike) -> FloatArray:
        """Density (n,) of each galaxy at its own redshift z (n,)."""
        return self.pdf(own_redshifts(z, len(self)))[:, 0]

    def log_pdf_at(self, z: npt.ArrayLike) -> FloatArray:
        """Logarithm (n,) of the density at each galaxy's own redshift; -inf where it is zero."""
        with np.errstate(divide="ignore"):
            return np.log(self.pdf_at(z))

    def cdf(self, z: npt.ArrayLike) -> FloatArray:
        """Probability (n, g) below z on one grid (g,) or on one for each galaxy (n, g)."""
        z = np.atleast_1d(np.asarray(z, dtype=np.float64))
        j, t, slope = self._locate(z)
        value = self._at(self._cumulative, j) + t * (self._at(self.density, j) + 0.5 * slope * t)
        return np.clip(value, 0.0, 1.0)

    def pit(self, z_spec: npt.ArrayLike) -> FloatArray:
        """Probability integral transform (n,) (equation 6)."""
        return self.cdf(own_redshifts(z_spec, len(self)))[:, 0]

    def mode(self) -> FloatArray:
        """Peak (n,) of each density: the vertex of the parabola through ln p at the highest node.

        The parabola is exact for a Gaussian and frees the mode from the spacing of the nodes. At
        the ends of the grid, or beside a node without density, the mode is the node.
        """
        p = np.nan_to_num(self.density)
        top = np.clip(p.argmax(axis=1), 1, len(self.z) - 2) if len(self.z) > 2 else p.argmax(axis=1)
        mode = self.z[p.argmax(axis=1)]
        if len(self.z) > 2:
            rows = np.arange(len(p))
            with np.errstate(divide="ignore", invalid="ignore"):
                y0, y1, y2 = (np.log(p[rows, top + k]) for k in (-1, 0, 1))
                h0, h1 = self.z[top] - self.z[top - 1], self.z[top + 1] - self.z[top]
                left, right = (y1 - y0) / h0, (y2 - y1) / h1
                curvature = (right - left) / (h0 + h1)
                shift = -0.5 * ((left * h1 + right * h0) / (h0 + h1)) / curvature
            inside = (curvature < 0) & (shift > -h0) & (shift < h1) & (p.argmax(axis=1) == top)
            mode = np.where(inside, self.z[top] + np.where(inside, shift, 0.0), mode)
        return np.where(self.valid, mode, np.nan)

    def odds(self, width: float = 0.003, mode: FloatArray | None = None) -> FloatArray:
        """Probability (n,) within `width` / 2 of the mode (equation 7)."""
        mode = self.mode() if mode is None else mode
        edges = self.cdf(np.stack([mode - width / 2, mode + width / 2], axis=1))
        return edges[:, 1] - edges[:, 0]

    def quantile(self, q: npt.ArrayLike) -> FloatArray:
        """Redshifts (n, m) below which the probability is `q` (m,), exact between nodes."""
        q = probabilities(q)
        cumulative, rows = self._cumulative, np.arange(len(self))
        value = np.empty((len(self), len(q)))
        for column, target in enumerate(q):
            j = np.clip((cumulative <= target).sum(axis=1) - 1, 0, len(self.z) - 2)
            missing = np.maximum(target - cumulative[rows, j], 0.0)
            p0 = self.density[rows, j]
            h = self.z[j + 1] - self.z[j]
            slope = (self.density[rows, j + 1] - p0) / h
            root = p0 + np.sqrt(np.maximum(p0**2 + 2 * slope * missing, 0.0))
            with np.errstate(divide="ignore", invalid="ignore"):
                step = np.where(missing > 0, 2 * missing / root, 0.0)
            value[:, column] = self.z[j] + np.minimum(step, h)
        value[~self.valid] = np.nan
        return value

    def mean(self) -> FloatArray:
        """Mean redshift (n,)."""
        return self._simpson(np.broadcast_to(self.z, self.density.shape))

    def std(self) -> FloatArray:
        """Standard deviation (n,)."""
        mean = self.mean()[:, None]
        middle = 0.5 * (self.z[1:] + self.z[:-1])
        return np.sqrt(self._simpson((self.z - mean) ** 2, (middle - mean) ** 2))

    @property
    def _cumulative(self) -> FloatArray:
        area = 0.5 * np.diff(self.z) * (self.density[:, 1:] + self.density[:, :-1])
        total = np.cumsum(area, axis=1)
        return np.concatenate([np.zeros((len(self), 1)), total], axis=1)

    def _simpson(self, f: FloatArray, middle: FloatArray | None = None) -> FloatArray:
        """Integral (n,) of f p, exact for f up to quadratic; f (n, g) at nodes and at middles."""
        p = self.density
        f_middle = 0.5 * (f[:, 1:] + f[:, :-1]) if middle is None else middle
        p_middle = 0.5 * (p[:, 1:] + p[:, :-1])
        ends = f[:, 1:] * p[:, 1:] + f[:, :-1] * p[:, :-1]
        return np.sum(np.diff(self.z) / 6 * (ends + 4 * f_middle * p_middle), axis=1)

    def _locate(self, z: FloatArray) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
        """Interval, distance from its left node and slope of the density there, each (n, g)."""
        z = np.broadcast_to(z, (len(self), z.shape[-1]))
        inside = np.clip(z, self.z[0], self.z[-1])  # NaN stays NaN
        last = len(self.z) - 2
        j = np.clip(np.searchsorted(self.z, np.nan_to_num(inside), side="right") - 1, 0, last)
        rise = self._at(self.density, j + 1) - self._at(self.density, j)
        return j, inside - self.z[j], rise / (self.z[j + 1] - self.z[j])

    @staticmethod
    def _at(table: FloatArray, j: npt.NDArray[np.intp]) -> FloatArray:
        return np.take_along_axis(table, j, axis=1)


PDF: TypeAlias = MixturePDF | GridPDF
