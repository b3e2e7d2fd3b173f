"""Pretraining on simulations (paper, sections 2.4 and 3.3)."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators
from photoz.networks.density import negative_log_likelihood
from photoz.networks.transform import FluxRatio
from photoz.progress import track
from photoz.survey.noise import NoiseModel
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import PretrainingConfig
from photoz.training.device import matmul_dtype
from photoz.training.schedule import learning_rate, make_optimiser, set_learning_rate

logger = logging.getLogger(__name__)

SETTLING_GALAXIES = 10_000  # enough for population statistics to 1 %
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
) -> tuple[TrainedNetworks, pd.DataFrame]:
    """Train one network on simulated galaxies under fresh noise at every step.

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
        Draws the noise.
    network_config, config
        Shape and training.
    seed : int
        Of the initial weights, batches, noise and dropout.
    device : torch.device
        Where to train.

    Returns
    -------
    trained : TrainedNetworks
        A single network.
    history : DataFrame
        Columns step, loss (redshift), reconstruction_loss, learning_rate.

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
    if not np.isfinite(flux).all():
        row = int(np.flatnonzero(~np.isfinite(flux).all(1))[0])
        raise InputError(f"simulated galaxy {row} has a flux that is not finite; simulate again")
    # The noise model gives each galaxy its brightness; here it has unit flux in the reference band.
    scaled = flux / flux[:, [transform.reference_index]]
    fluxes = torch.as_tensor(scaled, dtype=torch.float32, device=device)
    redshifts = torch.as_tensor(redshift, dtype=torch.float32, device=device)
    network = DeepZ(
        network_config, fluxes.shape[1], seeded_generators([seed]), float(redshifts.max())
    ).to(device)
    trainer = _Pretrainer(network, transform, noise, config, seed, device)
    history = []
    for step in track(config.steps, "pretraining"):
        rate = learning_rate(step, config.steps, config)
        index = trainer.batch(len(fluxes))
        losses = trainer.step(fluxes[index], redshifts[index], rate)
        if step % 20 == 0 or step + 1 == config.steps:
            history.append((step, *(x.item() for x in losses), rate))
    network.settle(trainer.settling_inputs(fluxes))
    names = ["step", "loss", "reconstruction_loss", "learning_rate"]
    return TrainedNetworks(network, transform), pd.DataFrame(history, columns=names)


class _Pretrainer:
    """What stays the same from step to step."""

    def __init__(
        self,
        network: DeepZ,
        transform: FluxRatio,
        noise: NoiseModel,
        config: PretrainingConfig,
        seed: int,
        device: torch.device,
    ) -> None:
        self.network, self.transform, self.noise, self.config = network, transform, noise, config
        # The weights were drawn from `seed` itself.
        self.generators = seeded_generators([seed + 1], device)
        self.optimiser = make_optimiser(network, config)
        self.dtype = matmul_dtype(config.precision, device)
        self.order = torch.empty(0, dtype=torch.long, device=device)
        few_bands = network.n_bands <= network.config.features
        self.denoising = float(few_bands) if config.denoising is None else config.denoising

    def batch(self, n_galaxies: int) -> Tensor:
        """Indices of the next batch, (1, batch); galaxies are reshuffled once all were seen."""
        if len(self.order) < self.config.batch_size:
            g = self.generators[0]
            self.order = torch.randperm(n_galaxies, generator=g, device=g.device)
        index, self.order = self.order.split(
            [self.config.batch_size, len(self.order) - self.config.batch_size]
        )
        return index.unsqueeze(0)

    def noisy(self, flux: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and their errors, at a brightness and with noise drawn from the noise model."""
        uniform = torch.rand(
            (*flux.shape[:-1], 1), generator=self.generators[0], device=flux.device
        )
        bright = flux * self.noise.brightness(uniform)
        error = self.noise.error(bright)
        noisy = bright + error * self._normal(bright)
        return self.transform(noisy), self.transform.error(noisy, error)

    def step(self, flux: Tensor, redshift: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        """One update; returns the redshift and the reconstruction loss."""
        x, error = self.noisy(flux)
        network, g = self.network, self.generators
        reconstruction_loss = torch.zeros((), device=flux.device)
        features = None
        if network.config.features:
            noisier = x + self.denoising * error * self._normal(x) if self.denoising else x
            features = network.features(noisier.to(self.dtype), g)
            assert features is not None
            reconstruction = network.reconstruct(features.to(self.dtype), g)
            reconstruction_loss = ((reconstruction - x).abs() / error).mean()
        density = network.density(x.to(self.dtype), features, g)
        redshift_loss = negative_log_likelihood(density, redshift).sum()
        loss = redshift_loss + self.config.reconstruction_weight * reconstruction_loss
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_LIMIT)
        set_learning_rate(self.optimiser, rate)
        self.optimiser.step()
        return redshift_loss.detach(), reconstruction_loss.detach()

    @torch.no_grad()
    def settling_inputs(self, flux: Tensor) -> Tensor:
        """Noisy inputs of enough galaxies to measure the batch-norm statistics on."""
        return self.noisy(flux[:SETTLING_GALAXIES].unsqueeze(0))[0]

    def _normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generators[0], device=like.device)
