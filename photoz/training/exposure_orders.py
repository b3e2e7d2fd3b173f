"""How much redshifts depend on the order in which exposures are given (paper, appendix F)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from photoz.survey.catalogue import Catalogue
from photoz.survey.exposure_layout import exposure_slots
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.fluxes import independent_shuffle
from photoz.training.predict import predict_folds


def predict_orders(
    trained: TrainedNetworks,
    catalogue: Catalogue,
    folds: NDArray[np.integer],
    orders: int,
    seed: int,
) -> NDArray[np.float64]:
    """Redshifts of the same exposures in several random orders.

    Parameters
    ----------
    trained : TrainedNetworks
        One network per fold, on single exposures.
    catalogue : Catalogue
        As `photoz.survey.exposure_layout.lay_out` makes it.
    folds : ndarray (n,)
        Fold of each galaxy: it is predicted by the network that never saw it.
    orders : int
    seed : int

    Returns
    -------
    (n, orders) array
        Modes of p(z); the first column in the catalogue's own order, NaN without p(z).

    Raises
    ------
    InputError
        If the catalogue has coadds, or the networks are not those of the folds.
    """
    slots = torch.as_tensor(exposure_slots(catalogue.bands))
    generator = torch.Generator().manual_seed(seed)
    flux = torch.as_tensor(catalogue.flux).unsqueeze(0)
    modes = [predict_folds(trained, catalogue, folds).mode()]
    for _ in range(orders - 1):
        shuffled = independent_shuffle(flux, slots, [generator])[0].numpy()
        modes.append(predict_folds(trained, replace(catalogue, flux=shuffled), folds).mode())
    return np.stack(modes, axis=1)
