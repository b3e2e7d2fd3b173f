"""Galaxies whose redshifts play no part train the autoencoder too (paper, section 4.2).

Spectra are few and coadds are many: beside the redshift loss on galaxies with spectra, the
autoencoder learns from all galaxies what coadds look like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.deepz import DeepZ
from photoz.networks.transform import FluxRatio
from photoz.survey.catalogue import Catalogue
from photoz.training.batches import TrainingBatches
from photoz.training.fluxes import TrainingFluxes


class UnlabelledGalaxies:
    """The autoencoder's loss on galaxies of which no redshift is read.

    Parameters
    ----------
    catalogue : Catalogue
        Its coadds are what is reproduced, in units of their errors.
    members : sequence of ndarray
        Galaxies of each network.
    batch : int
        Galaxies a step.
    transform : FluxRatio
        From fluxes to inputs.
    fluxes : TrainingFluxes
        Random coadds, from which the coadds are reproduced.
    generators : sequence of torch.Generator
        One per network.

    Raises
    ------
    InputError
        If a network has fewer galaxies than a batch.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        members: Sequence[np.ndarray],
        batch: int,
        transform: FluxRatio,
        fluxes: TrainingFluxes,
        generators: list[torch.Generator],
    ) -> None:
        if min(len(m) for m in members) < batch:
            raise InputError(
                f"finetuning.unlabelled: fewer galaxies than a batch of {batch}; set it to `none`"
            )
        self.batches = TrainingBatches(members, batch, generators)
        self.transform, self.fluxes = transform, fluxes
        error = np.where(catalogue.error > 0, catalogue.error, np.inf).astype(np.float32)
        self.error = torch.as_tensor(error, device=generators[0].device)

    def loss(self, network: DeepZ, index: Tensor, dtype: torch.dtype, quiet: bool) -> Tensor:
        """Mean |reconstruction - coadd| / error over galaxies `index` and bands, (network,)."""
        generators = self.batches.generators
        shown = self.transform(self.fluxes.draw(index, generators, quiet)[0])
        flux = self.fluxes.full(index)
        error = self.transform.error(flux, self.error[index])
        features = network.features(shown.to(dtype), generators)
        assert features is not None
        reconstruction = network.reconstruct(features.to(dtype), generators)
        return ((reconstruction - self.transform(flux)).abs() / error).mean((1, 2))
