"""Redshift densities of galaxies from trained networks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from photoz.files import InputError
from photoz.memory import Batches
from photoz.networks.classes import Classes, class_pdf
from photoz.networks.deepz import DeepZ
from photoz.networks.density import Density, Mixture
from photoz.networks.transform import check_bands
from photoz.pdf.ensemble import average, average_grids, joined
from photoz.pdf.grid import PDF, GridPDF
from photoz.pdf.mixture import ZMIN, MixturePDF
from photoz.survey.catalogue import Catalogue
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.galaxies import usable_galaxies

logger = logging.getLogger(__name__)

BATCH = 512  # activations of a layer stay in the cache of one core
CLASSES_AT_ONCE = 2048  # galaxies: 1500 classes each take 25 MB, and a few times that in the making


def predict_folds(trained: TrainedNetworks, catalogue: Catalogue, folds: np.ndarray) -> PDF:
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
    MixturePDF, or GridPDF of classifiers
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
    result = _result(trained.network, len(catalogue))
    start = time.perf_counter()
    for fold in range(n_folds):
        index = np.flatnonzero(usable & (folds == fold))
        _predict(trained.network.member(fold), trained, catalogue, index, result)
    _say_rate(int(usable.sum()), 1, time.perf_counter() - start)
    return result.pdf()


def predict_ensemble(trained: Sequence[TrainedNetworks], catalogue: Catalogue) -> PDF:
    """Average the densities of all networks, for galaxies that none of them has seen.

    Parameters
    ----------
    trained : sequence of TrainedNetworks
        Say one per split, each of several folds.
    catalogue : Catalogue
        New galaxies; those a network cannot read get NaN.

    Raises
    ------
    InputError
        If some networks are classifiers and others are not, or their classes differ.
    """
    parts = [pdf for _, pdf in _averages(_members(trained), [catalogue], every=10.0)]
    return parts[0] if len(parts) == 1 else joined(parts)


def predict_blocks(
    trained: Sequence[TrainedNetworks], blocks: Iterable[Catalogue], every: float = 10.0
) -> Iterator[tuple[Catalogue, PDF]]:
    """`predict_ensemble` of block after block, for catalogues larger than memory.

    Parameters
    ----------
    trained : sequence of TrainedNetworks
    blocks : iterable of Catalogue
        Only one is held at a time: see `photoz.survey.catalogue.catalogue_blocks`.
    every : float
        Seconds between log lines, which show galaxies per second.

    Yields
    ------
    block : Catalogue
        Those given, or parts of them where classifiers need more memory.
    pdf : MixturePDF or GridPDF
        Of its galaxies.

    Raises
    ------
    InputError
        As `predict_ensemble`.
    """
    members = _members(trained)
    if any(_classifies(network) for _, network in members):
        blocks = (part for block in blocks for part in block.blocks(CLASSES_AT_ONCE))
    yield from _averages(members, blocks, every)


Members = Sequence[tuple[TrainedNetworks, DeepZ]]


def _members(trained: Sequence[TrainedNetworks]) -> Members:
    return [(t, t.network.member(k)) for t in trained for k in range(t.network.n_networks)]


def _classifies(network: DeepZ) -> bool:
    return network.config.head == "classes"


def _averages(
    members: Members, blocks: Iterable[Catalogue], every: float
) -> Iterator[tuple[Catalogue, PDF]]:
    done, seconds, said = 0, 0.0, 0.0
    size: int | None = None  # known once memory was short
    for block in blocks:
        n = max(1, len(block))  # an empty block is a part too
        parts = Batches(n, size or n, "prediction")
        for rows in parts:
            with parts.attempt():
                start = time.perf_counter()
                part = block.take(np.arange(len(block))[rows]) if parts.size < n else block
                pdf = mean_density(members, part)
                done, seconds = done + len(part), seconds + time.perf_counter() - start
                if seconds - said > every:
                    _say_rate(done, len(members), seconds)
                    said = seconds
                yield part, pdf
        size = parts.size if parts.size < n else size
    if said < seconds:
        _say_rate(done, len(members), seconds)


def mean_density(members: Members, block: Catalogue) -> PDF:
    """Average the densities of single networks, each beside the networks that it is one of."""
    usable = np.flatnonzero(usable_galaxies(block))

    def pdfs() -> Iterator[PDF]:
        for trained, network in members:
            check_bands(trained.transform, block.bands, "the catalogue")
            result = _result(network, len(block))
            _predict(network, trained, block, usable, result)
            yield result.pdf()

    if members and all(_classifies(network) for _, network in members):
        return average_grids(pdf for pdf in pdfs() if isinstance(pdf, GridPDF))
    return average([*pdfs()])


def _say_rate(galaxies: int, networks: int, seconds: float) -> None:
    rate = galaxies * networks / max(seconds, 1e-9)
    logger.info(
        "%d galaxies by %d networks in %.1f s: %.0f galaxies/s per network",
        galaxies, networks, seconds, rate,
    )  # fmt: skip


class _Mixtures:
    """Mixtures to be filled in; what stays NaN had no valid input."""

    def __init__(self, n: int, components: int) -> None:
        self.weights, self.means, self.sigmas = (np.full((n, components), np.nan) for _ in range(3))

    def set(self, index: np.ndarray, p: Density) -> None:
        assert isinstance(p, Mixture)
        # Weights are renormalised in double precision: float32 ones sum to 1 within 1e-7 only.
        weights = np.exp(p.log_weight[0].cpu().numpy().astype(float))
        self.weights[index] = weights / weights.sum(-1, keepdims=True)
        self.means[index] = p.mean[0].cpu().numpy()
        self.sigmas[index] = np.exp(p.log_sigma[0].cpu().numpy().astype(float))

    def pdf(self) -> MixturePDF:
        return MixturePDF(self.weights, self.means, self.sigmas, ZMIN)


class _Probabilities:
    """Probabilities of classes to be filled in, as `_Mixtures`."""

    def __init__(self, n: int, n_classes: int, width: float) -> None:
        self.probability, self.width = np.full((n, n_classes), np.nan, np.float32), width

    def set(self, index: np.ndarray, p: Density) -> None:
        assert isinstance(p, Classes)
        self.probability[index] = p.log_probability[0].exp().cpu().numpy()

    def pdf(self) -> GridPDF:
        return class_pdf(self.probability, self.width)


def _result(network: DeepZ, n: int) -> _Mixtures | _Probabilities:
    if _classifies(network):
        return _Probabilities(n, network.config.n_classes, network.config.class_width)
    return _Mixtures(n, network.n_components)


@torch.no_grad()
def _predict(
    network: DeepZ,
    trained: TrainedNetworks,
    catalogue: Catalogue,
    index: np.ndarray,
    result: _Mixtures | _Probabilities,
) -> None:
    device = network.photoz.output.weight.device
    batches = Batches(len(index), BATCH, "prediction")
    for batch in batches:
        with batches.attempt():
            rows = index[batch]
            flux = torch.as_tensor(np.asarray(catalogue.flux[rows], np.float32), device=device)
            magnitude = torch.as_tensor(
                np.asarray(catalogue.mag_i[rows], np.float32), device=device
            )
            x = trained.transform(flux).unsqueeze(0)
            result.set(rows, network.predict(x, magnitude.unsqueeze(0)))
