"""Random coadds at test time: p(z) averaged over them, and how redshifts vary (section 6.2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.pdf.ensemble import average
from photoz.survey.catalogue import BLOCK, Catalogue
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.coadds import RandomCoadds
from photoz.training.predict import mean_density

COLUMNS = ("z_mode", "odds", "augmented_z_mode", "augmented_odds", "variation")


def predict_random_coadds(
    trained: TrainedNetworks,
    catalogue: Catalogue,
    folds: NDArray[np.integer],
    draws: int,
    alpha: float,
    seed: int,
    odds_width: float = 0.003,
) -> dict[str, NDArray[np.float64]]:
    """Predict several random coadds of every galaxy with the network that never saw it.

    Parameters
    ----------
    trained : TrainedNetworks
        One network per fold.
    catalogue : Catalogue
        With exposures.
    folds : ndarray (n,)
        Fold of each galaxy.
    draws : int
        Random coadds of each galaxy.
    alpha : float
        Probability that an exposure enters one; each band keeps one at least.
    seed : int
    odds_width : float
        Width of the interval of ODDS (equation 7).

    Returns
    -------
    dict of (n,) arrays
        z_mode and odds of the full coadd; augmented_z_mode and augmented_odds of the mean p(z) of
        the random ones; variation, the standard deviation of their modes over 1 + z_mode. NaN
        without p(z).

    Raises
    ------
    InputError
        If the catalogue has no exposures, or there are not as many networks as folds.
    """
    if catalogue.exposures is None:
        raise InputError(
            "random coadds need single exposures, which this catalogue does not have; set "
            "`figures.test_time: false`, or read its exposures"
        )
    n_folds = int(folds.max()) + 1
    if trained.network.n_networks != n_folds:
        raise InputError(f"{trained.network.n_networks} networks cannot predict {n_folds} folds")
    result = {name: np.full(len(catalogue), np.nan) for name in COLUMNS}
    for fold in range(n_folds):
        one = TrainedNetworks(trained.network.member(fold), trained.transform)
        generator = torch.Generator().manual_seed(seed + fold)
        index = np.flatnonzero(folds == fold)
        for start in range(0, len(index), BLOCK):
            rows = index[start : start + BLOCK]
            part = _predict(one, catalogue.take(rows), draws, alpha, generator, odds_width)
            for name, values in part.items():
                result[name][rows] = values
    return result


def _predict(
    one: TrainedNetworks,
    galaxies: Catalogue,
    draws: int,
    alpha: float,
    generator: torch.Generator,
    odds_width: float,
) -> dict[str, NDArray[np.float64]]:
    """The columns of galaxies of one fold."""
    coadds = RandomCoadds(galaxies, torch.device("cpu"))
    everyone = torch.arange(len(galaxies)).unsqueeze(0)
    usual = mean_density([(one, one.network)], galaxies)
    pdfs = []
    for _ in range(draws):
        flux = coadds.draw(everyone, alpha, [generator])[0][0].numpy()
        pdfs.append(mean_density([(one, one.network)], replace(galaxies, flux=flux)))
    modes = np.stack([pdf.mode() for pdf in pdfs], axis=1)
    mean, z_mode = average(pdfs), usual.mode()
    augmented = mean.mode()
    return {
        "z_mode": z_mode,
        "odds": usual.odds(odds_width, z_mode),
        "augmented_z_mode": augmented,
        "augmented_odds": mean.odds(odds_width, augmented),
        "variation": modes.std(axis=1, ddof=1) / (1 + z_mode),
    }
