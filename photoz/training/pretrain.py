"""Pretraining on simulations (paper, sections 2.4 and 3.3).

One network is trained, or one per fold in lockstep where the noise is different for each: all see
the same galaxies, each its own noise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.classes import check_redshifts
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators
from photoz.networks.density import negative_log_likelihood
from photoz.networks.transform import FluxRatio
from photoz.progress import track
from photoz.simulations.stream import GalaxyStream
from photoz.survey.noise import NoiseModel
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import PretrainingConfig
from photoz.training.device import matmul_dtype
from photoz.training.observing import SETTLING_GALAXIES, NoisyGalaxies, denoising_noise
from photoz.training.replay import ReplayedStep
from photoz.training.resume import NO_CHECKPOINT, Checkpoint, Learner, Standing
from photoz.training.schedule import learning_rate, make_optimiser, set_learning_rate

logger = logging.getLogger(__name__)

GRADIENT_LIMIT = 10.0  # norm beyond which a step is shortened: a rare batch, not a habit


def pretrain(
    flux: np.ndarray,
    redshift: np.ndarray,
    transform: FluxRatio,
    noise: NoiseModel,
    network_config: NetworkConfig,
    config: PretrainingConfig,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> tuple[TrainedNetworks, pd.DataFrame]:
    """Train one network on stored simulated galaxies under fresh noise at every step.

    The loss is the negative log density at the true redshift plus the autoencoder's mean
    |reconstruction - input| / error.

    Parameters
    ----------
    flux : ndarray (galaxy, band)
        Noiseless fluxes in any unit.
    redshift : ndarray (galaxy,)
        True redshifts.
    transform : FluxRatio
        From fluxes to inputs.
    noise : NoiseModel
        Draws brightnesses and noise; it also says how many networks are trained.
    network_config, config
        Shape and training.
    seed : int
        Of the initial weights, batches, noise and dropout.
    device : torch.device
        Where to train.
    checkpoint : Checkpoint
        Where an interrupted training goes on from.

    Returns
    -------
    trained : TrainedNetworks
        A single network, or one per fold where the noise has several.
    history : DataFrame
        Columns step, fold (where there are several), loss (redshift), reconstruction_loss (their
        mean; NaN without an autoencoder), learning_rate.

    Raises
    ------
    InputError
        If there are fewer galaxies than a batch, or fluxes that are not finite.
    """
    if len(flux) < config.batch_size:
        raise InputError(
            f"{len(flux)} simulated galaxies are fewer than pretraining.batch_size = "
            f"{config.batch_size}; simulate more or lower it"
        )
    fluxes, redshifts = _tensors(flux, redshift, transform, device)
    redshift_max = float(redshifts.max())
    trainer = _Pretrainer(
        network_config, redshift_max, transform, noise, config, seed, device, checkpoint
    )

    def next_batch() -> tuple[Tensor, Tensor]:
        index = trainer.batch(len(fluxes))
        return fluxes[index], redshifts[index]

    return trainer.train(next_batch, fluxes)


def pretrain_fresh(
    galaxies: GalaxyStream,
    transform: FluxRatio,
    noise: NoiseModel,
    network_config: NetworkConfig,
    config: PretrainingConfig,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> tuple[TrainedNetworks, pd.DataFrame]:
    """Train one network on galaxies that are simulated meanwhile, none of them seen twice.

    Parameters and results are those of `pretrain`, with a stream in the place of fluxes and
    redshifts. Its first 10 000 galaxies are kept apart to measure the batch-norm statistics on.

    Raises
    ------
    InputError
        If the simulation does, or fluxes are not finite.
    """
    kept, redshift = _tensors(*galaxies.take(SETTLING_GALAXIES), transform, device)
    redshift_max = float(redshift.max())
    trainer = _Pretrainer(
        network_config, redshift_max, transform, noise, config, seed, device, checkpoint
    )
    galaxies.skip(trainer.standing.step * config.batch_size)

    def next_batch() -> tuple[Tensor, Tensor]:
        flux, redshift = _tensors(*galaxies.take(config.batch_size), transform, device)
        return flux.unsqueeze(0), redshift.unsqueeze(0)

    return trainer.train(next_batch, kept)


def _tensors(
    flux: np.ndarray, redshift: np.ndarray, transform: FluxRatio, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Fluxes in units of the reference band's, from which noise models give brightnesses."""
    if not np.isfinite(flux).all():
        row = int(np.flatnonzero(~np.isfinite(flux).all(1))[0])
        raise InputError(f"simulated galaxy {row} has a flux that is not finite; simulate again")
    scaled = flux / flux[:, [transform.reference_index]]
    return (
        torch.as_tensor(scaled, dtype=torch.float32, device=device),
        torch.as_tensor(redshift, dtype=torch.float32, device=device),
    )


class _Pretrainer:
    """What stays the same from step to step."""

    def __init__(
        self,
        network_config: NetworkConfig,
        redshift_max: float,
        transform: FluxRatio,
        noise: NoiseModel,
        config: PretrainingConfig,
        seed: int,
        device: torch.device,
        checkpoint: Checkpoint = NO_CHECKPOINT,
    ) -> None:
        check_redshifts(network_config, redshift_max)
        seeds = [seed + 2 * fold for fold in range(noise.n_networks)]
        generators = seeded_generators(seeds)
        network = DeepZ(network_config, len(transform.bands), generators, redshift_max).to(device)
        if not config.dropout:
            network.stop_dropout()
        self.network, self.config = network, config
        # The weights were drawn from `seeds` themselves.
        self.generators = seeded_generators([seed + 1 for seed in seeds], device)
        extra = denoising_noise(config.denoising, network.n_bands, network_config.features)
        self.galaxies = NoisyGalaxies(transform, noise, self.generators, extra)
        self.optimiser = make_optimiser(network, config)
        self.dtype = matmul_dtype(config.precision, device)
        self.learner = Learner(network, self.optimiser, self.generators)
        self._replayed = ReplayedStep(self._update, self.learner)
        self.checkpoint, self.standing = checkpoint, checkpoint.resume(self.learner)
        none = torch.empty(0, dtype=torch.long)
        self.order = self.standing.tensors.get("order", none).to(device)

    def train(
        self, next_batch: Callable[[], tuple[Tensor, Tensor]], settling: Tensor
    ) -> tuple[TrainedNetworks, pd.DataFrame]:
        """Take all steps and settle the batch-norm statistics on noiseless fluxes (n, band)."""
        history = self.standing.history
        for step in track(self.config.steps, "pretraining", first=self.standing.step):
            rate = learning_rate(step, self.config.steps, self.config)
            losses, reconstruction = self.step(*next_batch(), rate)
            if step % 20 == 0 or step + 1 == self.config.steps:
                shared = (reconstruction.item(), rate)
                history += [(step, k, loss, *shared) for k, loss in enumerate(losses.tolist())]
            self.checkpoint.offer(self.learner, Standing(step + 1, history, {"order": self.order}))
        self.network.settle(self.galaxies.settling_inputs(settling))
        names = ["step", "fold", "loss", "reconstruction_loss", "learning_rate"]
        table = pd.DataFrame(history, columns=names)
        if self.network.n_networks == 1:
            table = table.drop(columns="fold")
        return TrainedNetworks(self.network, self.galaxies.transform), table

    def batch(self, n_galaxies: int) -> Tensor:
        """Indices of the next batch, (1, batch); galaxies are reshuffled once all were seen.

        All networks get the same galaxies.
        """
        if len(self.order) < self.config.batch_size:
            g = self.generators[0]
            self.order = torch.randperm(n_galaxies, generator=g, device=g.device)
        index, self.order = self.order.split(
            [self.config.batch_size, len(self.order) - self.config.batch_size]
        )
        return index.unsqueeze(0)

    def step(self, flux: Tensor, redshift: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        """One update; returns the redshift loss of every network, and the mean reconstruction loss.

        The latter is NaN without an autoencoder.
        """
        x, error = self.galaxies.observe(flux)
        noisier = self.galaxies.encoder_input(x, error)
        set_learning_rate(self.optimiser, rate)
        losses, reconstruction_loss = self._replayed(x, error, noisier, redshift)
        return losses, reconstruction_loss

    def _update(
        self, x: Tensor, error: Tensor, noisier: Tensor, redshift: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What follows once the galaxies are observed."""
        network, g = self.network, self.generators
        features, reconstruction_loss = None, x.new_full((), torch.nan)
        if network.config.features:
            features = network.features(noisier.to(self.dtype), g)
            assert features is not None
            reconstruction = network.reconstruct(features.to(self.dtype), g)
            reconstruction_loss = ((reconstruction - x).abs() / error).mean()
        density = network.density(x.to(self.dtype), features, g)
        redshift_loss = negative_log_likelihood(density, redshift)
        # Losses add up over the networks, so that none changes another's gradient.
        loss = redshift_loss.sum()
        if network.config.features:
            weight = self.config.reconstruction_weight * len(g)
            loss = loss + weight * reconstruction_loss
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        _limit_gradients(network)
        self.optimiser.step()
        return redshift_loss.detach(), reconstruction_loss.detach()


def _limit_gradients(network: DeepZ) -> None:
    """Shorten the gradient of every network whose norm is above `GRADIENT_LIMIT`."""
    if network.n_networks == 1:
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_LIMIT)
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    squares = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0)
    factor = (GRADIENT_LIMIT / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient *= factor.view(-1, *(1,) * (gradient.ndim - 1))
