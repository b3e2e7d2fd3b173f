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
        taken = torch.isfinite(error) & torch.isfinite(flux) & (error > 0)
        weight = torch.where(taken, error.reciprocal().square(), 0.0)
        # Weights are relative within a band of a galaxy; scaling them keeps float32 accurate.
        weight /= weight.amax(-1, keepdim=True).clamp_min(1e-30)
        weighted_flux = torch.where(taken, flux * weight, 0.0)
        # Both in one gather, bands last: sums over exposures then run along whole vectors.
        both = torch.stack([weight, weighted_flux], dim=1).transpose(-1, -2)
        self.terms = both.contiguous().to(device)  # (galaxy, 2, exposure, band)
        # Added to uniform variables, which are below 1: an exposure not taken is never chosen.
        self.handicap = (self.terms[:, 0] == 0).to(flux.dtype)
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
        sums, smallest = zip(
            *(self._sums(*stream, alpha) for stream in zip(index, generators, strict=True)),
            strict=True,
        )
        total, weighted_flux = torch.stack(sums).unbind(2)
        # A band without exposures keeps its catalogue value rather than 0/0.
        coadd = torch.where(total > 0, weighted_flux / total, flux.index_select(-1, self.exposed))
        flux.index_copy_(-1, self.exposed, coadd)
        return flux, ((torch.stack(smallest) <= alpha) | (total == 0)).all(-1)

    def _sums(
        self, index: Tensor, generator: torch.Generator, alpha: float
    ) -> tuple[Tensor, Tensor]:
        """Sums of weight and weighted flux, (galaxy, 2, band), and the smallest uniform variable.

        One network at a time, and in floating point throughout, where comparisons are fastest: the
        batch of one network stays in a processor's cache.
        """
        uniform = self.handicap.index_select(0, index)
        uniform += torch.empty_like(uniform).uniform_(generator=generator)
        smallest = uniform.amin(1)
        chosen = uniform.le_(smallest.clamp_min(alpha).unsqueeze(1))
        terms = self.terms.index_select(0, index)
        return terms.mul_(chosen.unsqueeze(1)).sum(2), smallest
