"""Coadds: the inverse-variance mean of exposures (paper section 2.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError


def coadd(flux: ArrayLike, error: ArrayLike) -> tuple[NDArray, NDArray]:
    """Combine exposures by inverse variance.

    flux = sum(f / e^2) / sum(1 / e^2), error = sum(1 / e^2)^(-1/2)

    Parameters
    ----------
    flux, error : (..., exposure) array
        NaN where no exposure was taken.

    Returns
    -------
    flux, error : (...,) array
        Of the input's type; NaN where there is no exposure at all.

    Raises
    ------
    InputError
        If the shapes differ, or a measured exposure has an error that is not positive.
    """
    flux, error = np.asarray(flux), np.asarray(error)
    if flux.shape != error.shape:
        raise InputError(f"coadd: flux {flux.shape} and error {error.shape} have unequal shapes")
    taken = np.isfinite(flux) & np.isfinite(error)
    if (error[taken] <= 0).any():
        raise InputError("coadd: an exposure's error is zero or negative; mark it as NaN")
    # double precision: float32 fluxes over errors of 1e-20 overflow when squared
    weight = np.zeros(flux.shape)
    weight[taken] = error[taken].astype(np.float64) ** -2
    total = weight.sum(axis=-1)
    weighted = (weight * np.where(taken, flux, 0.0)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weighted / total
        sigma = np.where(total > 0, total**-0.5, np.nan)
    kind = np.result_type(flux.dtype, np.float32)
    return mean.astype(kind), sigma.astype(kind)
