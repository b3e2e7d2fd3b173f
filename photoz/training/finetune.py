"""Training on galaxies with spectroscopic redshifts, folds and splits in lockstep."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.classes import check_redshifts
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators, stacked
from photoz.networks.transform import FluxRatio, check_bands
from photoz.progress import track
from photoz.survey.catalogue import Catalogue
from photoz.training.batches import TrainingBatches
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import FinetuningConfig
from photoz.training.device import matmul_dtype
from photoz.training.fluxes import TrainingFluxes
from photoz.training.galaxies import (
    TRAINING,
    WEIGHTS,
    labelled_galaxies,
    training_galaxies,
    usable_galaxies,
)
from photoz.training.objective import finetuning_loss
from photoz.training.replay import ReplayedStep
from photoz.training.resume import NO_CHECKPOINT, Checkpoint, Learner, Standing
from photoz.training.sampling import sampling_weights
from photoz.training.schedule import learning_rate, make_optimiser, set_learning_rate
from photoz.training.unlabelled import UnlabelledGalaxies

logger = logging.getLogger(__name__)


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
    n_folds = int(folds.max()) + 1
    members = [
        training_galaxies(catalogue, of_split, fold, training_fraction, seed)
        for of_split, seed in zip(folds.T, seeds, strict=True)
        for fold in range(n_folds)
    ]
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
        network = _own_start(start.network, len(members))
        network.restore_scale()  # or a long pretraining would leave small steps only
    check_redshifts(network.config, float(catalogue.redshift[np.concatenate(members)].max()))
    # Of a fold of average size, whatever folds are trained together.
    average = training_fraction * labelled_galaxies(catalogue).sum() * (n_folds - 1) / n_folds
    batch = min(config.batch_size, fewest)
    finetuner = Finetuner(
        catalogue, members, TrainedNetworks(network, transform), config, batch,
        generators(TRAINING, device), _unlabelled_galaxies(catalogue, folds, config.unlabelled),
    )  # fmt: skip
    losses = finetuner.train(max(1, int(average) // batch), extra_steps, checkpoint)
    singles = finetuner.settled()
    split, losses["fold"] = losses["fold"] // n_folds, losses["fold"] % n_folds
    return [
        (
            TrainedNetworks(stacked(singles[k * n_folds : (k + 1) * n_folds]), transform),
            losses[split == k].reset_index(drop=True),
        )
        for k in range(folds.shape[1])
    ]


class Finetuner:
    """Networks that are trained in lockstep, each on galaxies of its own.

    Parameters
    ----------
    catalogue : Catalogue
    members : sequence of ndarray
        Galaxies with redshifts, of each network.
    start : TrainedNetworks
        As they are before; they are trained in place.
    config : FinetuningConfig
    batch : int
        Galaxies a step.
    generators : list of torch.Generator
        One per network, on the device to train on.
    unlabelled : sequence of ndarray
        Galaxies that train the autoencoder of each network; empty where none do.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        members: Sequence[np.ndarray],
        start: TrainedNetworks,
        config: FinetuningConfig,
        batch: int,
        generators: list[torch.Generator],
        unlabelled: Sequence[np.ndarray] = (),
    ) -> None:
        device = generators[0].device
        self.network, self.transform = start.network.to(device), start.transform
        self.config = config
        if config.train == "head":
            self.network.freeze_all_but_head()
        self.redshift = torch.tensor(catalogue.redshift, dtype=torch.float32, device=device)
        self.fluxes = TrainingFluxes(catalogue, config, device)
        weights = sampling_weights(
            catalogue.redshift, members, config.oversampling, self.network.config.class_width
        )
        self.batches = TrainingBatches(members, batch, generators, weights)
        self.unlabelled = None
        if len(unlabelled):
            if not self.network.config.features:
                raise InputError(
                    "finetuning.unlabelled: the network has no autoencoder; set it to none"
                )
            self.unlabelled = UnlabelledGalaxies(
                catalogue, unlabelled, batch, self.transform, self.fluxes, generators
            )
        self.optimiser = make_optimiser(self.network, config)
        self.dtype = matmul_dtype(config.precision, device)
        self.learner = Learner(self.network, self.optimiser, generators)
        self._updates = {
            quiet: ReplayedStep(partial(self._update, quiet), self.learner)
            for quiet in (False, True)
        }

    def step(self, rate: float, quiet: bool = False) -> Tensor:
        """One update of every network at a learning rate; returns their losses, (network,)."""
        index = [self.batches.next(evenly=quiet)]
        if self.unlabelled is not None:
            index.append(self.unlabelled.batches.next())
        set_learning_rate(self.optimiser, rate)
        return self._updates[quiet](*index)[0]

    def _update(
        self, quiet: bool, index: Tensor, unlabelled: Tensor | None = None
    ) -> tuple[Tensor]:
        """All of a step that happens on the device, on galaxies `index` (network, galaxy)."""
        generators = self.batches.generators
        flux, complete = self.fluxes.draw(index, generators, quiet)
        mixup = 0.0 if quiet else self.config.mixup
        loss = finetuning_loss(
            self.network, self.transform(flux), self.redshift[index], complete, self.config, mixup,
            self.dtype, generators,
        )  # fmt: skip
        total = loss.sum()
        if self.unlabelled is not None and unlabelled is not None:
            reconstruction_loss = self.unlabelled.loss(self.network, unlabelled, self.dtype, quiet)
            total = total + self.config.reconstruction_weight * reconstruction_loss.sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        return (loss.detach(),)

    def train(
        self, steps_per_epoch: int, extra_steps: int = 0, checkpoint: Checkpoint = NO_CHECKPOINT
    ) -> pd.DataFrame:
        """Take all steps; returns step, fold (number of the network), loss and learning_rate."""
        n_steps = self.config.total_epochs * steps_per_epoch + extra_steps
        first_quiet_step = n_steps - self.config.quiet_epochs * steps_per_epoch
        sizes = [len(index) for index in self.batches.indices]
        logger.info(
            "%d networks, at least %d galaxies each, %d steps of %d",
            *(len(sizes), min(sizes), n_steps, self.batches.batch),
        )
        standing = checkpoint.resume(self.learner)
        first, history = standing.step, standing.history
        recent = torch.zeros(len(sizes), device=self.redshift.device)
        if first:
            recent = self._resume(standing.tensors)
        for step in track(n_steps, "fine-tuning", first=first):
            if step == max(first_quiet_step, first):
                self.network.stop_dropout()
                self._updates[False].replay = None  # frees its memory
            rate = learning_rate(step, n_steps, self.config)
            recent += self.step(rate, quiet=step >= first_quiet_step)
            if (step + 1) % steps_per_epoch == 0:
                means = (recent / steps_per_epoch).tolist()
                history += [(step, k, mean, rate) for k, mean in enumerate(means)]
                recent.zero_()
            checkpoint.offer(self.learner, Standing(step + 1, history, self._state(recent)))
        return pd.DataFrame(history, columns=["step", "fold", "loss", "learning_rate"])

    def settled(self) -> list[DeepZ]:
        """The networks by themselves, with batch-norm statistics of all their galaxies."""
        singles = [self.network.member(k) for k in range(self.network.n_networks)]
        for single, member in zip(singles, self.batches.indices, strict=True):
            single.settle(self.transform(self.fluxes.full(member)).unsqueeze(0))
        return singles

    def _state(self, recent: Tensor) -> dict[str, Tensor]:
        """What changes beside the learner: galaxies still to come, and losses of this epoch."""
        state = self.batches.state("left") | {"recent": recent}
        if self.unlabelled is not None:
            state |= self.unlabelled.batches.state("unlabelled")
        return state

    def _resume(self, state: Mapping[str, Tensor]) -> Tensor:
        """Go on where `_state` was; returns the losses."""
        self.batches.restore("left", state)
        if self.unlabelled is not None:
            self.unlabelled.batches.restore("unlabelled", state)
        return state["recent"].to(self.redshift.device)


def _unlabelled_galaxies(catalogue: Catalogue, folds: np.ndarray, which: str) -> list[np.ndarray]:
    """Galaxies that train the autoencoder of every network, whether or not they have redshifts."""
    if which == "none":
        return []
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
