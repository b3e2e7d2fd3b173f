"""Simulated galaxies as networks see them in training: under fresh noise at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photoz.networks.transform import FluxRatio
from photoz.survey.noise import NoiseModel

SETTLING_GALAXIES = 10_000
"""Enough to measure population statistics, as those of batch norm, to 1 %."""


@dataclass(frozen=True)
class NetworkDraws:
    """Random numbers (network, ...), each network's from its own generator."""

    generators: Sequence[torch.Generator]

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Independent standard normal variables."""
        return torch.stack(
            [torch.randn(shape[1:], generator=g, device=g.device) for g in self.generators]
        )

    def uniform(self, shape: tuple[int, ...]) -> Tensor:
        """Independent variables in [0, 1)."""
        return torch.stack(
            [torch.rand(shape[1:], generator=g, device=g.device) for g in self.generators]
        )


@dataclass(frozen=True)
class NoisyGalaxies:
    """Observes simulated galaxies for one network or several that train side by side.

    Attributes
    ----------
    transform : FluxRatio
        From fluxes to inputs.
    noise : NoiseModel
        Draws brightness and noise.
    generators : sequence of torch.Generator
        One per network.
    denoising : float
        Extra noise on the encoder's input, in units of the input's error (paper, section 4.1).
    """

    transform: FluxRatio
    noise: NoiseModel
    generators: Sequence[torch.Generator]
    denoising: float = 0.0

    def observe(self, flux: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and their errors, (network, n, band).

        Parameters
        ----------
        flux : Tensor (1 or network, n, band)
            Noiseless, in units of the reference band's.
        """
        draws = NetworkDraws(self.generators)
        flux = flux.expand(len(self.generators), *flux.shape[1:])
        bright = flux * self.noise.brightness(draws.uniform((*flux.shape[:-1], 1)))
        noisy, error = self.noise.observe(bright, draws)
        return self.transform(noisy), self.transform.error(noisy, error)

    def encoder_input(self, x: Tensor, error: Tensor) -> Tensor:
        """Inputs under the extra noise that a denoising autoencoder has to see through."""
        if not self.denoising:
            return x
        return x + self.denoising * error * NetworkDraws(self.generators).normal(tuple(x.shape))

    @torch.no_grad()
    def settling_inputs(self, flux: Tensor) -> Tensor:
        """Noisy inputs of enough of the galaxies (n, band) to measure batch-norm statistics on."""
        return self.observe(flux[:SETTLING_GALAXIES].unsqueeze(0))[0]


def denoising_noise(denoising: float | None, n_bands: int, features: int) -> float:
    """Extra noise of the encoder's input: the configured one, or 1 where it has to be.

    An autoencoder with no more bands than features could copy its input; noise prevents it.
    """
    return float(n_bands <= features) if denoising is None else denoising
