"""Redshift densities of galaxies from trained networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from photoz.files import InputError
from photoz.networks.deepz import DeepZ
from photoz.networks.density import ZMIN, Mixture
from photoz.networks.transform import check_bands
from photoz.pdf.mixture import MixturePDF, average
from photoz.survey.catalogue import Catalogue
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.finetune import usable_galaxies

BATCH = 4096  # activations of one layer stay in a processor's cache


def predict_folds(trained: TrainedNetworks, catalogue: Catalogue, folds: np.ndarray) -> MixturePDF:
    """Predict each galaxy with the network of its own fold, which never saw it.

    Parameters
    ----------
    trained : TrainedNetworks
        One network per fold.
    catalogue : Catalogue
        Galaxies; those a network cannot read get NaN.
    folds : ndarray (n,)
        Fold of each galaxy.

    Returns
    -------
    MixturePDF
        n densities.

    Raises
    ------
    InputError
        If there are not as many networks as folds, or the bands differ.
    """
    check_bands(trained.transform, catalogue.bands, "the catalogue")
    n_folds = int(folds.max()) + 1
    if trained.network.n_networks != n_folds:
        raise InputError(f"{trained.network.n_networks} networks cannot predict {n_folds} folds")
    usable = usable_galaxies(catalogue)
    result = _Result(len(catalogue), trained.network.n_components)
    for fold in range(n_folds):
        index = np.flatnonzero(usable & (folds == fold))
        _predict(trained.network.member(fold), trained, catalogue, index, result)
    return result.pdf()


def predict_ensemble(trained: Sequence[TrainedNetworks], catalogue: Catalogue) -> MixturePDF:
    """Average the densities of all networks, for galaxies that none of them has seen.

    Parameters
    ----------
    trained : sequence of TrainedNetworks
        Say one per split, each of several folds.
    catalogue : Catalogue
        New galaxies; those a network cannot read get NaN.
    """
    usable = np.flatnonzero(usable_galaxies(catalogue))
    pdfs = []
    for networks in trained:
        check_bands(networks.transform, catalogue.bands, "the catalogue")
        for k in range(networks.network.n_networks):
            result = _Result(len(catalogue), networks.network.n_components)
            _predict(networks.network.member(k), networks, catalogue, usable, result)
            pdfs.append(result.pdf())
    return average(pdfs)


class _Result:
    """Mixtures to be filled in; what stays NaN had no valid input."""

    def __init__(self, n: int, components: int) -> None:
        self.weights, self.means, self.sigmas = (np.full((n, components), np.nan) for _ in range(3))

    def set(self, index: np.ndarray, p: Mixture) -> None:
        # Weights are renormalised in double precision: float32 ones sum to 1 within 1e-7 only.
        weights = np.exp(p.log_weight[0].cpu().numpy().astype(float))
        self.weights[index] = weights / weights.sum(-1, keepdims=True)
        self.means[index] = p.mean[0].cpu().numpy()
        self.sigmas[index] = np.exp(p.log_sigma[0].cpu().numpy().astype(float))

    def pdf(self) -> MixturePDF:
        return MixturePDF(self.weights, self.means, self.sigmas, ZMIN)


@torch.no_grad()
def _predict(
    network: DeepZ,
    trained: TrainedNetworks,
    catalogue: Catalogue,
    index: np.ndarray,
    result: _Result,
) -> None:
    device = network.photoz.output.weight.device
    for start in range(0, len(index), BATCH):
        rows = index[start : start + BATCH]
        flux = torch.as_tensor(np.asarray(catalogue.flux[rows], np.float32), device=device)
        result.set(rows, network(trained.transform(flux).unsqueeze(0)))
