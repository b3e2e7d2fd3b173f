"""The published way to minimise chi2, kept for comparison: a multiplicative update.

Sha et al. (2007): with A and b the normal equations, a <- a b / (A a) keeps amplitudes positive and
never raises chi2. BCNz2 does it 1000 times for all redshifts of a run together and sets the
narrow/broad scale anew every 10 times, between 0.1 and 10. It is not converged by then (see
docs/templates.md); `photoz.templates.nnls` is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_START = 100.0  # the published start: amplitudes of models whose largest flux is 1
_Array = NDArray[np.float64]


def multiplicative(
    flux: NDArray[np.floating],
    is_narrow: NDArray[np.bool_],
    observed: _Array,
    weight: _Array,
    free: bool = True,
    limits: tuple[float, float] = (0.1, 10.0),
    iterations: int = 1000,
    scale_every: int = 10,
) -> tuple[_Array, _Array, _Array]:
    """Fit one galaxy at all redshifts of one run.

    Parameters
    ----------
    flux : (template, z, band) array
        Model fluxes of the run.
    is_narrow : (band,) bool
    observed, weight : (band,)
        Flux and 1 / error^2; weight 0 where not observed.
    free : bool
        Whether k is fitted: the least-squares k of the current amplitudes.
    limits : tuple
        Bounds of k.
    iterations, scale_every : int
        Updates, and how many of them between two values of k.

    Returns
    -------
    chi2 : (z,)
    scale : (z,)
    amplitude : (z, template)
    """
    # Layout and products are those that numpy does fastest.
    model = np.ascontiguousarray(np.moveaxis(flux, 0, 2), dtype=np.float64)  # (z, band, template)
    peak = model.max(axis=(0, 1))
    model /= np.where(peak > 0, peak, 1.0)
    value = np.where(weight > 0, observed, 0.0)
    narrow_matrix, narrow_right = _normal(model, weight * is_narrow, value)
    broad_matrix, broad_right = _normal(model, weight * ~is_narrow, value)
    scale = np.ones(len(model))
    amplitude = np.full_like(broad_right, _START)
    right, matrix = narrow_right + broad_right, narrow_matrix + broad_matrix
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(iterations):
            update = right / (matrix @ amplitude[:, :, None])[:, :, 0]
            amplitude *= np.where(np.isfinite(update), np.maximum(update, 0.0), 0.0)
            if free and i and i % scale_every == 0:
                product = (narrow_matrix @ amplitude[:, :, None])[:, :, 0]
                linear = (narrow_right * amplitude).sum(axis=1)
                best = linear / (product * amplitude).sum(axis=1)
                scale = np.clip(np.where(np.isfinite(best), best, 1.0), *limits)
                right = scale[:, None] * narrow_right + broad_right
                matrix = (scale**2)[:, None, None] * narrow_matrix + broad_matrix
    fitted = (model @ amplitude[:, :, None])[:, :, 0]
    fitted *= np.where(is_narrow, scale[:, None], 1.0)
    chi2 = (weight * (value - fitted) ** 2).sum(axis=1)
    return chi2, scale, amplitude / np.where(peak > 0, peak, 1.0)


def _normal(model: _Array, weight: _Array, value: _Array) -> tuple[_Array, _Array]:
    weighted = model * weight[:, None]
    return model.transpose(0, 2, 1) @ weighted, (weighted * value[:, None]).sum(axis=1)
