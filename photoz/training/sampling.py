"""Galaxies with rare redshifts drawn more often (paper, appendix E)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def sampling_weights(
    redshift: npt.ArrayLike, members: Sequence[npt.NDArray[np.integer]], power: float, width: float
) -> list[npt.NDArray[np.float64]] | None:
    """How often each training galaxy of a network is drawn, relative to the others.

    A galaxy in a redshift bin with n galaxies of the training set has the weight n^-power: with
    0 every galaxy is drawn as often as any other, with 1 every bin that is not empty. Buda et al.
    (2018) find such oversampling the best of the remedies for unequal classes.

    Parameters
    ----------
    redshift : (n,) array
        Of the catalogue.
    members : sequence of index arrays
        Training galaxies of each network.
    power : float
        In [0, 1].
    width : float
        Of the redshift bins, which start at 0.

    Returns
    -------
    list of arrays or None
        Weights of the members, summing to one; None where all are alike.
    """
    if power == 0:
        return None
    weights = []
    for member in members:
        bins = np.floor(np.asarray(redshift)[member] / width).astype(np.int64)
        _, place, count = np.unique(bins, return_inverse=True, return_counts=True)
        weight = count[place].astype(np.float64) ** -power
        weights.append(weight / weight.sum())
    return weights
