"""Training on galaxies with spectroscopic redshifts, the folds of a split in lockstep."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.classes import check_redshifts
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators, stacked
from photoz.networks.density import ZMIN
from photoz.networks.transform import FluxRatio, check_bands
from photoz.progress import track
from photoz.survey.catalogue import Catalogue
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import FinetuningConfig
from photoz.training.device import matmul_dtype
from photoz.training.fluxes import TrainingFluxes
from photoz.training.objective import finetuning_loss
from photoz.training.resume import NO_CHECKPOINT, Checkpoint, Learner, Standing
from photoz.training.sampling import sampling_weights
from photoz.training.schedule import learning_rate, make_optimiser, set_learning_rate

logger = logging.getLogger(__name__)

SUBSET, WEIGHTS, TRAINING = range(3)  # what a random stream is for


def usable_galaxies(catalogue: Catalogue) -> np.ndarray:
    """Galaxies a network can read: every band finite, the reference flux positive; (n,) bool."""
    reference = catalogue.flux[:, catalogue.bands.index(catalogue.reference_band)]
    return np.isfinite(catalogue.flux).all(1) & (reference > 0)


def training_galaxies(
    catalogue: Catalogue, folds: np.ndarray, fold: int, fraction: float, seed: Sequence[int]
) -> np.ndarray:
    """Indices of the galaxies that the network of `fold` learns from.

    All usable galaxies with a redshift outside the fold, or a random `fraction` of them that is
    the same for every variant with the same seed.
    """
    redshift = catalogue.redshift
    known = np.isfinite(redshift) & (redshift >= ZMIN) & usable_galaxies(catalogue)
    index = np.flatnonzero(known & (folds != fold))
    if fraction < 1:
        rng = np.random.default_rng([*seed, fold, SUBSET])
        index = np.sort(rng.choice(index, size=round(fraction * len(index)), replace=False))
    return index


def network_seeds(seed: Sequence[int], n_networks: int, purpose: int) -> list[int]:
    """One 63-bit seed per fold for one purpose, independent of how many train together."""
    return [
        int(np.random.SeedSequence([*seed, fold, purpose]).generate_state(1, np.uint64)[0] >> 1)
        for fold in range(n_networks)
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
    """Train one network per fold on the galaxies outside it.

    Parameters
    ----------
    catalogue : Catalogue
        Galaxies with redshifts; those unusable or without redshift are left out.
    folds : ndarray (n,)
        Fold of each galaxy, 0 ... n_folds - 1.
    start : TrainedNetworks or None
        The pretrained network every fold starts from, or one network per fold, of which each
        fold takes its own; None starts from random weights.
    network_config : NetworkConfig
        Shape, used when `start` is None.
    config : FinetuningConfig
        How to train. The loss is the redshift's alone (paper, section 4.2).
    seed : sequence of int
        Say run seed and split; the fold is added to it.
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
        One network per fold.
    history : DataFrame
        Columns step, fold, loss (mean over the last steps), learning_rate.

    Raises
    ------
    InputError
        If a fold has no galaxy to learn from, the bands are not those of `start`, or `start` has
        several networks but not one per fold.
    """
    n_folds = int(folds.max()) + 1
    members = [
        training_galaxies(catalogue, folds, f, training_fraction, seed) for f in range(n_folds)
    ]
    fewest = min(len(m) for m in members)
    if fewest < 2:
        raise InputError(
            f"a fold leaves {fewest} galaxies to learn from; needs galaxies with redshifts and "
            f"all bands in every fold{_bands_without_data(catalogue)}"
        )
    if start is None:
        transform = FluxRatio(tuple(catalogue.bands), catalogue.reference_band)
        redshift_max = float(catalogue.redshift[np.isfinite(catalogue.redshift)].max())
        generators = seeded_generators(network_seeds(seed, n_folds, WEIGHTS))
        network = DeepZ(network_config, len(catalogue.bands), generators, redshift_max)
    else:
        transform = start.transform
        check_bands(transform, catalogue.bands, "the catalogue")
        network = _own_start(start.network, n_folds)
        network.restore_scale()  # or a long pretraining would leave small steps only
    check_redshifts(network.config, float(catalogue.redshift[np.concatenate(members)].max()))
    network.to(device)
    if config.train == "head":
        network.freeze_all_but_head()
    batch = min(config.batch_size, fewest)
    steps_per_epoch = fewest // batch
    n_steps = config.total_epochs * steps_per_epoch + extra_steps
    logger.info("%d networks, %d galaxies each, %d steps of %d", n_folds, fewest, n_steps, batch)

    redshift = torch.tensor(catalogue.redshift, dtype=torch.float32, device=device)
    fluxes = TrainingFluxes(catalogue, config, device)
    seeds = network_seeds(seed, n_folds, TRAINING)
    weights = sampling_weights(
        catalogue.redshift, members, config.oversampling, network.config.class_width
    )
    batches = _Batches(members, batch, seeded_generators(seeds, device), weights)
    optimiser = make_optimiser(network, config)
    dtype = matmul_dtype(config.precision, device)
    first_quiet_step = n_steps - config.quiet_epochs * steps_per_epoch
    learner = Learner(network, optimiser, batches.generators)
    standing = checkpoint.resume(learner)
    first, history, recent = standing.step, standing.history, torch.zeros(n_folds, device=device)
    if first:
        batches.restore(standing.tensors)
        recent = standing.tensors["recent"].to(device)
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
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        rate = learning_rate(step, n_steps, config)
        set_learning_rate(optimiser, rate)
        optimiser.step()
        recent += loss.detach()
        if (step + 1) % steps_per_epoch == 0:
            history += [
                (step, fold, value / steps_per_epoch, rate)
                for fold, value in enumerate(recent.tolist())
            ]
            recent.zero_()
        checkpoint.offer(learner, Standing(step + 1, history, batches.state(recent)))
    singles = [network.member(fold) for fold in range(n_folds)]
    for single, member in zip(singles, batches.indices, strict=True):
        single.settle(transform(fluxes.full(member)).unsqueeze(0))
    names = ["step", "fold", "loss", "learning_rate"]
    return TrainedNetworks(stacked(singles), transform), pd.DataFrame(history, columns=names)


def _bands_without_data(catalogue: Catalogue) -> str:
    seen = np.asarray(np.isfinite(catalogue.flux).any(axis=0))
    empty = [band for band, has_data in zip(catalogue.bands, seen, strict=True) if not has_data]
    return f"; no galaxy has a flux in {', '.join(empty)}: leave out such bands" if empty else ""


def _own_start(network: DeepZ, n_folds: int) -> DeepZ:
    """A copy for every fold: of the single network, or of the fold's own."""
    if network.n_networks == 1:
        return network.repeated(n_folds)
    if network.n_networks != n_folds:
        raise InputError(
            f"{network.n_networks} pretrained networks for {n_folds} folds; pretrain again with "
            "these splits"
        )
    return stacked([network.member(fold) for fold in range(n_folds)])


class _Batches:
    """Each network's own stream of batches, reshuffled every epoch.

    With weights an epoch draws as many galaxies, some of them several times and others never.
    """

    def __init__(
        self,
        members: Sequence[np.ndarray],
        batch: int,
        generators: list[torch.Generator],
        weights: Sequence[np.ndarray] | None = None,
    ) -> None:
        device = generators[0].device
        self.weights: list[Tensor] | None = None
        if weights is not None:
            self.weights = [torch.as_tensor(w, device=device) for w in weights]
        self.indices = [torch.as_tensor(m, device=device) for m in members]
        self.batch, self.generators = batch, generators
        self.left: list[Tensor] = [x[:0] for x in self.indices]

    def next(self, evenly: bool = False) -> Tensor:
        """Galaxies of the next step, (network, batch); weights act where `evenly` is not set."""
        rows = []
        for k, g in enumerate(self.generators):
            if len(self.left[k]) < self.batch:
                self.left[k] = self.indices[k][self._order(k, g, evenly)]
            rows.append(self.left[k][: self.batch])
            self.left[k] = self.left[k][self.batch :]
        return torch.stack(rows)

    def _order(self, k: int, generator: torch.Generator, evenly: bool) -> Tensor:
        n = len(self.indices[k])
        if self.weights is None or evenly:
            return torch.randperm(n, generator=generator, device=generator.device)
        return torch.multinomial(self.weights[k], n, replacement=True, generator=generator)

    def state(self, recent: Tensor) -> dict[str, Tensor]:
        """Galaxies that are still to come in this epoch, and `recent` losses of it."""
        return {f"left.{k}": left for k, left in enumerate(self.left)} | {"recent": recent}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on where `state` was."""
        self.left = [tensors[f"left.{k}"].to(x.device) for k, x in enumerate(self.left)]
