"""The best model of each galaxy at a known redshift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.templates.kernels import fit_each
from photoz.templates.model import ModelGrid
from photoz.templates.photometry import Photometry

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BestModel:
    """Best models of n galaxies.

    Attributes
    ----------
    flux : (n, band)
        k f^Model in narrow bands, f^Model in broad ones, without zero-points; bands in the
        model's order.
    run : (n,) int
    scale, chi2 : (n,)
    every_run : (n, run)
        chi2 of every run.
    """

    flux: _Array
    run: NDArray[np.int64]
    scale: _Array
    chi2: _Array
    every_run: _Array


def fit_at_redshift(model: ModelGrid, photometry: Photometry, redshift: ArrayLike) -> BestModel:
    """Fit every run at each galaxy's own redshift; model fluxes are linear between grid nodes.

    Parameters
    ----------
    model : ModelGrid
    photometry : Photometry
        Galaxies with enough bands.
    redshift : (n,) array
        Within the model's range.

    Raises
    ------
    InputError
        If a redshift is outside the model's grid.
    """
    z = np.asarray(redshift, dtype=np.float64)
    n, nodes = len(photometry), model.redshift
    if z.shape != (n,) or not ((z >= nodes[0]) & (z <= nodes[-1])).all():
        raise InputError(f"template fit: {n} redshifts between {nodes[0]} and {nodes[-1]} expected")
    left = np.clip(np.searchsorted(nodes, z, side="right") - 1, 0, len(nodes) - 2)
    part = ((z - nodes[left]) / (nodes[left + 1] - nodes[left]))[:, None].astype(np.float32)
    weight = np.ascontiguousarray(photometry.weight.T)
    weighted = weight * photometry.flux.T
    narrow = np.arange(len(model.bands)) < photometry.n_narrow_model
    every = np.empty((n, len(model.runs)))
    best = np.full(n, np.inf)
    run, scale, flux = np.zeros(n, np.int64), np.ones(n), np.zeros((n, len(model.bands)))
    for r in range(len(model.runs)):
        own = photometry.model_flux[model.first[r] : model.first[r + 1]]
        own = own[:, left] * (1 - part) + own[:, left + 1] * part
        out = np.empty((n, 2 + len(own)))
        fit_each(
            *(own, 0, len(own), photometry.n_narrow_model, weight, weighted),
            *(photometry.constant, photometry.free, photometry.paired, photometry.limits, out),
        )
        every[:, r] = out[:, 0]
        better = out[:, 0] < best
        best[better], run[better], scale[better] = out[better, 0], r, out[better, 1]
        flux[better] = np.einsum("gt,tgb->gb", out[better, 2:], own[:, better])
    flux *= np.where(narrow, scale[:, None], 1.0)
    ordered = np.empty_like(flux)
    ordered[:, photometry.order] = flux
    return BestModel(ordered, run, scale, best, every)
