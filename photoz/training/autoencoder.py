"""The autoencoder by itself, trained without redshifts (paper, section 4.1)."""

from __future__ import annotations

import numpy as np
import torch

from photoz.files import InputError
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators
from photoz.networks.transform import FluxRatio
from photoz.progress import track
from photoz.survey.noise import NoiseModel
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import PretrainingConfig
from photoz.training.device import matmul_dtype
from photoz.training.observing import NoisyGalaxies, denoising_noise
from photoz.training.schedule import learning_rate, make_optimiser, set_learning_rate

_BATCH = 10_000  # galaxies denoised at once


def train_autoencoder(
    flux: np.ndarray,
    transform: FluxRatio,
    noise: NoiseModel,
    network_config: NetworkConfig,
    config: PretrainingConfig,
    seed: int,
    device: torch.device,
) -> TrainedNetworks:
    """Train encoder and decoder to reproduce galaxies seen under fresh noise at every step.

    The loss is the one that pretraining has for its autoencoder, mean |reconstruction - input| /
    error. The photo-z network keeps its first weights.

    Parameters
    ----------
    flux : (galaxy, band) array
        Noiseless fluxes in any unit.
    transform : FluxRatio
        From fluxes to inputs.
    noise : NoiseModel
        Draws brightness and noise.
    network_config : NetworkConfig
        Its encoder, decoder and features are trained.
    config : PretrainingConfig
        Steps, batch size, schedule, precision and `denoising`, as in pretraining.
    seed : int
        Of the weights, batches, noise and dropout.
    device : torch.device

    Returns
    -------
    TrainedNetworks
        A single network.

    Raises
    ------
    InputError
        If the network has no features, or a flux is not positive in the reference band or not
        finite.
    """
    if not network_config.features:
        raise InputError("networks: features is 0, so there is no autoencoder to train")
    reference = flux[:, [transform.reference_index]]
    if not (np.isfinite(flux).all() and (reference > 0).all()):
        raise InputError("autoencoder: fluxes must be finite, and positive in the reference band")
    fluxes = torch.as_tensor(flux / reference, dtype=torch.float32, device=device)
    network = DeepZ(network_config, fluxes.shape[1], seeded_generators([seed])).to(device)
    network.photoz.requires_grad_(False)
    optimiser = make_optimiser(network, config)
    dropout = seeded_generators([seed + 1], device)  # the weights were drawn from `seed` itself
    dtype = matmul_dtype(config.precision, device)
    extra = denoising_noise(config.denoising, network.n_bands, network_config.features)
    galaxies = NoisyGalaxies(transform, noise, dropout, extra)
    for step in track(config.steps, "autoencoder"):
        index = torch.randint(
            len(fluxes), (1, config.batch_size), generator=dropout[0], device=device
        )
        x, error = galaxies.observe(fluxes[index])
        features = network.features(galaxies.encoder_input(x, error).to(dtype), dropout)
        assert features is not None
        reconstruction = network.reconstruct(features.to(dtype), dropout)
        loss = ((reconstruction - x).abs() / error).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        set_learning_rate(optimiser, learning_rate(step, config.steps, config))
        optimiser.step()
    network.settle(galaxies.settling_inputs(fluxes))
    return TrainedNetworks(network, transform)


@torch.no_grad()
def denoise(trained: TrainedNetworks, flux: np.ndarray) -> np.ndarray:
    """Reconstruct galaxies through their features (paper, section 4.1).

    Parameters
    ----------
    trained : TrainedNetworks
        A single network with an autoencoder.
    flux : (galaxy, band) array
        Noisy fluxes in any unit.

    Returns
    -------
    (galaxy, band) float32
        Denoised flux ratios, that is in units of the measured flux in the reference band.

    Raises
    ------
    InputError
        If there is no autoencoder or more than one network.
    """
    network = trained.network
    if not network.config.features:
        raise InputError("the network has no autoencoder (features: 0), so it cannot denoise")
    if network.n_networks != 1:
        raise InputError(f"{network.n_networks} networks given, one denoises at a time")
    device = network.photoz.output.weight.device
    parts = []
    for start in range(0, len(flux), _BATCH):
        rows = torch.as_tensor(flux[start : start + _BATCH], dtype=torch.float32, device=device)
        features = network.features(trained.transform(rows)[None])
        assert features is not None
        parts.append(network.reconstruct(features)[0].cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, network.n_bands), np.float32)
