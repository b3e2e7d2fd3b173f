"""Randomised coadds: each exposure enters with probability alpha (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photoz.survey.catalogue import Catalogue


class RandomCoadds:
    """The fluxes of a catalogue on a device, coadded anew at each draw.

    Parameters
    ----------
    catalogue : Catalogue
        Bands without exposures always give their coadd.
    device : torch.device
        Where the fluxes live.
    """

    def __init__(self, catalogue: Catalogue, device: torch.device) -> None:
        self.flux = torch.as_tensor(np.asarray(catalogue.flux, np.float32), device=device)
        self.exposed: Tensor | None = None
        if catalogue.exposures is None:
            return
        exposures = catalogue.exposures
        error = torch.as_tensor(exposures.error, dtype=torch.float32)
        flux = torch.as_tensor(exposures.flux, dtype=torch.float32)
        taken = torch.isfinite(error) & torch.isfinite(flux)
        weight = torch.where(taken, error.reciprocal().square(), 0.0)
        # Weights are relative within a band of a galaxy; scaling them keeps float32 accurate.
        weight /= weight.amax(-1, keepdim=True).clamp_min(1e-30)
        self.weight = weight.to(device)
        self.weighted_flux = torch.where(taken, flux * weight, 0.0).to(device)
        columns = [catalogue.bands.index(band) for band in exposures.bands]
        self.exposed = torch.tensor(columns, device=device)

    def full(self, index: Tensor) -> Tensor:
        """Coadds of all exposures, (..., band)."""
        return self.flux[index]

    def draw(
        self, index: Tensor, alpha: float, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """Randomised coadds of galaxies `index` (network, galaxy).

        One uniform variable per exposure decides: those below alpha enter, and so does the
        smallest of each band, which keeps at least one exposure that was really taken.

        Returns
        -------
        flux : Tensor (network, galaxy, band)
        complete : Tensor (network, galaxy), bool
            False where a band with exposures had none below alpha and was given its smallest.
        """
        flux = self.flux[index]
        if self.exposed is None or alpha >= 1:
            return flux, torch.ones(index.shape, dtype=torch.bool, device=flux.device)
        weight = self.weight[index]
        uniform = torch.stack(
            [torch.rand(weight.shape[1:], generator=g, device=flux.device) for g in generators]
        )
        uniform += weight == 0  # never chosen: uniform variables are below 1
        smallest = uniform.amin(-1, keepdim=True)
        chosen = (uniform <= smallest.clamp_min(alpha)).to(weight.dtype)
        total = (weight * chosen).sum(-1)
        coadd = (self.weighted_flux[index] * chosen).sum(-1) / total
        # A band without exposures keeps its catalogue value rather than 0/0.
        coadd = torch.where(total > 0, coadd, flux[..., self.exposed])
        flux[..., self.exposed] = coadd
        return flux, ((smallest[..., 0] <= alpha) | (total == 0)).all(-1)
