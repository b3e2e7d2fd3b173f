"""Proper scores of p(z): the continuous ranked probability score and the log likelihood."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from photoz.files import InputError
from photoz.pdf.grid import PDF
from photoz.pdf.mixture import MixturePDF

FloatArray = npt.NDArray[np.float64]

_CHUNK = 1 << 20
_PANELS = 200
_WHOLE = 1e-9  # mass below zmin that changes no digit of a score


def crps(pdf: PDF, z_spec: npt.ArrayLike) -> FloatArray:
    """Continuous ranked probability score, the integral of (CDF - step at z_spec)^2.

    Closed form for a mixture (Grimit et al. 2006, QJRMS 132, 2925); by quadrature for a mixture
    that is truncated and for a grid. Same unit as redshift, lower is better.

    Parameters
    ----------
    pdf : MixturePDF or GridPDF
    z_spec : (n,) array

    Returns
    -------
    (n,) array
        NaN without p(z) or `z_spec`.
    """
    z = np.asarray(z_spec, dtype=np.float64)
    if z.shape != (len(pdf),):
        raise InputError(f"crps: {z.shape} redshifts for {len(pdf)} densities")
    score = np.full(len(pdf), np.nan)
    usable = pdf.valid & np.isfinite(z)
    if isinstance(pdf, MixturePDF):
        closed = usable & (np.nan_to_num(pdf.mass) > 1 - _WHOLE)
        score[closed] = _crps_mixture(pdf.take(closed), z[closed])
        usable &= ~closed
    score[usable] = _crps_quadrature(pdf.take(usable), z[usable])
    return score


def negative_log_likelihood(pdf: PDF, z_spec: npt.ArrayLike) -> FloatArray:
    """-ln p(z_spec) (equation 2 without the sum), shape (n,).

    Infinite where the density vanishes (below `zmin`, outside a grid), NaN without p(z) or
    `z_spec`.
    """
    return -pdf.log_pdf_at(z_spec)


def _crps_mixture(pdf: MixturePDF, z: FloatArray) -> FloatArray:
    n, k = pdf.weights.shape
    first, second = np.triu_indices(k, 1)
    score = np.empty(n)
    step = max(1, _CHUNK // max(1, len(first)))
    for start in range(0, n, step):
        part = slice(start, start + step)
        w, m, s = pdf.weights[part], pdf.means[part], pdf.sigmas[part]
        observed = np.sum(w * _mean_distance(z[part, None] - m, s), axis=1)
        # Twice the pairs i < j, plus each component against itself: 2 sigma / sqrt(pi).
        width = np.hypot(s[:, first], s[:, second])
        pairs = w[:, first] * w[:, second] * _mean_distance(m[:, first] - m[:, second], width)
        itself = np.sum(w * w * s, axis=1) * 2 / np.sqrt(np.pi)
        score[part] = observed - 0.5 * (2 * pairs.sum(axis=1) + itself)
    return score


def _mean_distance(mu: FloatArray, sigma: FloatArray) -> FloatArray:
    """Mean of |x| for a Gaussian: the function A of Grimit et al."""
    t = mu / sigma
    return 2 * sigma * np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi) + mu * (2 * ndtr(t) - 1)


def _crps_quadrature(pdf: PDF, z: FloatArray) -> FloatArray:
    """Gauss-Legendre panels on both sides of the observed redshift, where the integrand jumps."""
    if len(pdf) == 0:
        return np.empty(0)
    node, weight = np.polynomial.legendre.leggauss(5)
    fraction = ((np.arange(_PANELS)[:, None] + 0.5 + 0.5 * node) / _PANELS).ravel()
    weight = np.tile(0.5 * weight / _PANELS, _PANELS)
    if isinstance(pdf, MixturePDF):
        top = np.maximum((pdf.means + 10 * pdf.sigmas).max(axis=1), pdf.zmin)
    else:
        top = np.full(len(pdf), pdf.z[-1])
    bottom = np.full(len(pdf), pdf.zmin)
    inside = np.clip(z, bottom, top)
    score = np.abs(z - inside)  # outside the support the CDF is 0 or 1 and the integrand 1
    for start in range(0, len(pdf), 256):
        part = slice(start, start + 256)
        some = pdf.take(part)
        for low, high, flip in ((bottom, inside, 0.0), (inside, top, 1.0)):
            length = (high - low)[part]
            at = low[part, None] + length[:, None] * fraction
            score[part] += length * (((some.cdf(at) - flip) ** 2) @ weight)
    return score
