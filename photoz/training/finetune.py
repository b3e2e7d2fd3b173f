"""Training on galaxies with spectroscopic redshifts, folds and splits in lockstep."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from photoz.files import InputError
from photoz.networks.classes import check_redshifts
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators, stacked
from photoz.networks.density import ZMIN
from photoz.networks.transform import FluxRatio, check_bands
from photoz.progress import track
from photoz.survey.catalogue import Catalogue
from photoz.training.batches import TrainingBatches
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import FinetuningConfig
from photoz.training.device import matmul_dtype
from photoz.training.fluxes import TrainingFluxes
from photoz.training.objective import finetuning_loss
from photoz.training.resume import NO_CHECKPOINT, Checkpoint, Learner, Standing
from photoz.training.sampling import sampling_weights
from photoz.training.schedule import learning_rate, make_optimiser, set_learning_rate
from photoz.training.unlabelled import UnlabelledGalaxies

logger = logging.getLogger(__name__)

SUBSET, WEIGHTS, TRAINING = range(3)  # what a random stream is for


def usable_galaxies(catalogue: Catalogue) -> np.ndarray:
    """Galaxies a network can read: every band finite, the reference flux positive; (n,) bool."""
    reference = catalogue.flux[:, catalogue.bands.index(catalogue.reference_band)]
    return np.isfinite(catalogue.flux).all(1) & (reference > 0)


def _has_label(catalogue: Catalogue) -> np.ndarray:
    redshift = catalogue.redshift
    return np.isfinite(redshift) & (redshift >= ZMIN) & usable_galaxies(catalogue)


def training_galaxies(
    catalogue: Catalogue, folds: np.ndarray, fold: int, fraction: float, seed: Sequence[int]
) -> np.ndarray:
    """Indices of the galaxies that the network of `fold` learns from.

    All usable galaxies with a redshift outside the fold, or a random `fraction` of them that is
    the same for every variant with the same seed.
    """
    index = np.flatnonzero(_has_label(catalogue) & (folds != fold))
    if fraction < 1:
        rng = np.random.default_rng([*seed, fold, SUBSET])
        index = np.sort(rng.choice(index, size=round(fraction * len(index)), replace=False))
    return index


def network_seeds(seed: Sequence[int], n_folds: int, purpose: int) -> list[int]:
    """One 63-bit seed per fold for one purpose, independent of how many train together."""
    return [
        int(np.random.SeedSequence([*seed, fold, purpose]).generate_state(1, np.uint64)[0] >> 1)
        for fold in range(n_folds)
    ]


def finetune(
    catalogue: Catalogue,
    folds: np.ndarray,
    start: TrainedNetworks | None,
    network_config: NetworkConfig,
    config: FinetuningConfig,
    seed: Sequence[int],
    device: torch.device,
    training_fraction: float = 1.0,
    extra_steps: int = 0,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> tuple[TrainedNetworks, pd.DataFrame]:
    """Train the networks of one split: `finetune_splits` of folds (n,) and its seed."""
    return finetune_splits(
        catalogue, folds[:, None], start, network_config, config, [seed], device,
        training_fraction, extra_steps, checkpoint,
    )[0]  # fmt: skip


def finetune_splits(
    catalogue: Catalogue,
    folds: np.ndarray,
    start: TrainedNetworks | None,
    network_config: NetworkConfig,
    config: FinetuningConfig,
    seeds: Sequence[Sequence[int]],
    device: torch.device,
    training_fraction: float = 1.0,
    extra_steps: int = 0,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> list[tuple[TrainedNetworks, pd.DataFrame]]:
    """Train one network per fold of every split on the galaxies outside it, all in lockstep.

    No network's training depends on which others are trained beside it, unless it has fewer
    galaxies than a batch.

    Parameters
    ----------
    catalogue : Catalogue
        Galaxies with redshifts; those unusable or without redshift are left out.
    folds : ndarray (n, split)
        Fold of each galaxy, 0 ... n_folds - 1.
    start : TrainedNetworks or None
        The pretrained network every fold starts from, or one network per fold and split, of which
        each takes its own; None starts from random weights.
    network_config : NetworkConfig
        Shape, used when `start` is None.
    config : FinetuningConfig
        How to train. The loss is the redshift's alone (paper, section 4.2), unless galaxies
        without redshifts train the autoencoder as well.
    seeds : sequence of sequences of int
        One per split, say run seed and split; the fold is added to it.
    device : torch.device
        Where to train.
    training_fraction : float
        Part of the training galaxies to use.
    extra_steps : int
        Optimiser steps added to those of the schedule, as a rival without pretraining needs.
    checkpoint : Checkpoint
        Where an interrupted training goes on from.

    Returns
    -------
    trained : TrainedNetworks
        For every split, one network per fold.
    history : DataFrame
        For every split, columns step, fold, loss (mean over the last steps), learning_rate.

    Raises
    ------
    InputError
        If a fold has no galaxy to learn from, the bands are not those of `start`, or `start` has
        several networks but not one per fold.
    """
    n_folds, n_splits = int(folds.max()) + 1, folds.shape[1]
    members = [
        training_galaxies(catalogue, folds[:, split], fold, training_fraction, seeds[split])
        for split in range(n_splits)
        for fold in range(n_folds)
    ]
    n_networks = len(members)
    fewest = min(len(m) for m in members)
    if fewest < 2:
        raise InputError(
            f"a fold leaves {fewest} galaxies to learn from; needs galaxies with redshifts and "
            f"all bands in every fold{_bands_without_data(catalogue)}"
        )

    def generators(purpose: int, device: torch.device | str = "cpu") -> list[torch.Generator]:
        every = [s for seed in seeds for s in network_seeds(seed, n_folds, purpose)]
        return seeded_generators(every, device)

    if start is None:
        transform = FluxRatio(tuple(catalogue.bands), catalogue.reference_band)
        redshift_max = float(catalogue.redshift[np.isfinite(catalogue.redshift)].max())
        network = DeepZ(network_config, len(catalogue.bands), generators(WEIGHTS), redshift_max)
    else:
        transform = start.transform
        check_bands(transform, catalogue.bands, "the catalogue")
        network = _own_start(start.network, n_networks)
        network.restore_scale()  # or a long pretraining would leave small steps only
    check_redshifts(network.config, float(catalogue.redshift[np.concatenate(members)].max()))
    network.to(device)
    if config.train == "head":
        network.freeze_all_but_head()
    batch = min(config.batch_size, fewest)
    # Of a fold of average size, whatever folds are trained together.
    average = training_fraction * _has_label(catalogue).sum() * (n_folds - 1) / n_folds
    steps_per_epoch = max(1, int(average) // batch)
    n_steps = config.total_epochs * steps_per_epoch + extra_steps
    logger.info("%d networks, %d galaxies each, %d steps of %d", n_networks, fewest, n_steps, batch)

    redshift = torch.tensor(catalogue.redshift, dtype=torch.float32, device=device)
    fluxes = TrainingFluxes(catalogue, config, device)
    weights = sampling_weights(
        catalogue.redshift, members, config.oversampling, network.config.class_width
    )
    batches = TrainingBatches(members, batch, generators(TRAINING, device), weights)
    unlabelled = None
    if config.unlabelled != "none":
        if not network.config.features:
            raise InputError(
                "finetuning.unlabelled: the network has no autoencoder; set it to none"
            )
        shown = _unlabelled_galaxies(catalogue, folds, config.unlabelled)
        unlabelled = UnlabelledGalaxies(
            catalogue, shown, batch, transform, fluxes, batches.generators
        )
    optimiser = make_optimiser(network, config)
    dtype = matmul_dtype(config.precision, device)
    first_quiet_step = n_steps - config.quiet_epochs * steps_per_epoch
    learner = Learner(network, optimiser, batches.generators)
    standing = checkpoint.resume(learner)
    first, history, recent = standing.step, standing.history, torch.zeros(n_networks, device=device)
    if first:
        batches.restore("left", standing.tensors)
        recent = standing.tensors["recent"].to(device)
        if unlabelled is not None:
            unlabelled.batches.restore("unlabelled", standing.tensors)
    for step in track(n_steps, "fine-tuning", first=first):
        if step == max(first_quiet_step, first):
            network.stop_dropout()
        quiet = step >= first_quiet_step
        index = batches.next(evenly=quiet)
        flux, complete = fluxes.draw(index, batches.generators, quiet)
        mixup = 0.0 if quiet else config.mixup
        loss = finetuning_loss(
            network, transform(flux), redshift[index], complete, config, mixup, dtype,
            batches.generators,
        )  # fmt: skip
        total = loss.sum()
        if unlabelled is not None:
            reconstruction_loss = unlabelled.loss(network, dtype, quiet)
            total = total + config.reconstruction_weight * reconstruction_loss.sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        rate = learning_rate(step, n_steps, config)
        set_learning_rate(optimiser, rate)
        optimiser.step()
        recent += loss.detach()
        if (step + 1) % steps_per_epoch == 0:
            history += [
                (step, k, value / steps_per_epoch, rate) for k, value in enumerate(recent.tolist())
            ]
            recent.zero_()
        left = batches.state("left") | {"recent": recent}
        if unlabelled is not None:
            left |= unlabelled.batches.state("unlabelled")
        checkpoint.offer(learner, Standing(step + 1, history, left))
    singles = [network.member(k) for k in range(n_networks)]
    for single, member in zip(singles, batches.indices, strict=True):
        single.settle(transform(fluxes.full(member)).unsqueeze(0))
    losses = pd.DataFrame(history, columns=["step", "fold", "loss", "learning_rate"])
    split, losses["fold"] = losses["fold"] // n_folds, losses["fold"] % n_folds
    return [
        (
            TrainedNetworks(stacked(singles[k * n_folds : (k + 1) * n_folds]), transform),
            losses[split == k].reset_index(drop=True),
        )
        for k in range(n_splits)
    ]


def _unlabelled_galaxies(catalogue: Catalogue, folds: np.ndarray, which: str) -> list[np.ndarray]:
    """Galaxies that train the autoencoder of every network, whether or not they have redshifts."""
    usable = usable_galaxies(catalogue)
    return [
        np.flatnonzero(usable & (of_split != fold) if which == "outside_fold" else usable)
        for of_split in folds.T
        for fold in range(int(folds.max()) + 1)
    ]


def _bands_without_data(catalogue: Catalogue) -> str:
    seen = np.asarray(np.isfinite(catalogue.flux).any(axis=0))
    empty = [band for band, has_data in zip(catalogue.bands, seen, strict=True) if not has_data]
    return f"; no galaxy has a flux in {', '.join(empty)}: leave out such bands" if empty else ""


def _own_start(network: DeepZ, n_networks: int) -> DeepZ:
    """A copy for every fold of every split: of the single network, or of the fold's own."""
    if network.n_networks == 1:
        return network.repeated(n_networks)
    if network.n_networks != n_networks:
        raise InputError(
            f"{network.n_networks} pretrained networks for {n_networks} folds; pretrain again with "
            "these splits"
        )
    return stacked([network])
