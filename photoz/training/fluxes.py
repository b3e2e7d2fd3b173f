"""What networks are shown of a catalogue while they are fine-tuned (paper, section 5, appendix F).

Coadds of random exposures, or single exposures in another order at every step; wrong fluxes among
them where the configuration says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photoz.survey.catalogue import Catalogue
from photoz.survey.exposure_layout import exposure_slots
from photoz.survey.outlying_noise import with_wrong_fluxes
from photoz.training.coadds import RandomCoadds
from photoz.training.config import FinetuningConfig
from photoz.training.observing import NetworkDraws


class TrainingFluxes:
    """The fluxes of a catalogue on a device, other ones at each draw.

    Parameters
    ----------
    catalogue : Catalogue
        One of `photoz.survey.exposure_layout.lay_out` where the networks read single exposures.
    config : FinetuningConfig
    device : torch.device

    Raises
    ------
    InputError
        If single exposures are expected and the catalogue has coadds.
    """

    def __init__(
        self, catalogue: Catalogue, config: FinetuningConfig, device: torch.device
    ) -> None:
        self.config = config
        self.coadds = RandomCoadds(catalogue, device)
        self.slots: Tensor | None = None
        if config.individual_exposures is not None:
            self.slots = torch.as_tensor(exposure_slots(catalogue.bands), device=device)

    def full(self, index: Tensor) -> Tensor:
        """What prediction sees of galaxies `index`, (..., band)."""
        return self.coadds.full(index)

    def draw(
        self, index: Tensor, generators: Sequence[torch.Generator], quiet: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Fluxes of galaxies `index` (network, galaxy), for one step.

        Parameters
        ----------
        index : Tensor (network, galaxy)
        generators : sequence of torch.Generator
            One per network.
        quiet : bool
            As prediction will see them: full coadds, nothing wrong. The order of single exposures
            is still random, as it is in prediction.

        Returns
        -------
        flux : Tensor (network, galaxy, band)
        complete : Tensor (network, galaxy), bool
            As `RandomCoadds.draw` tells.
        """
        config = self.config
        flux, complete = self.coadds.draw(index, 1.0 if quiet else config.alpha, generators)
        if self.slots is not None and config.individual_exposures != "fixed":
            shuffle = same_shuffle if config.individual_exposures == "same" else independent_shuffle
            flux = shuffle(flux, self.slots, generators)
        if config.wrong_fluxes and not quiet:
            share, amplitude = config.wrong_fluxes, config.wrong_amplitude
            flux = with_wrong_fluxes(flux, share, amplitude, NetworkDraws(generators))
        return flux, complete


def same_shuffle(flux: Tensor, slots: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """One new order of the exposures for all bands and galaxies of a batch (appendix F).

    Parameters
    ----------
    flux : Tensor (network, galaxy, band)
        As `photoz.survey.exposure_layout.lay_out` arranges it.
    slots : Tensor (exposed band, exposure)
        Places of the exposures among the bands.
    generators : sequence of torch.Generator
        One per network.
    """
    n_slots = slots.shape[1]
    order = torch.stack([torch.randperm(n_slots, generator=g, device=g.device) for g in generators])
    return _reordered(flux, slots, order[:, None, None])


def independent_shuffle(
    flux: Tensor, slots: Tensor, generators: Sequence[torch.Generator]
) -> Tensor:
    """A new order of the exposures for each band of each galaxy; see `same_shuffle`."""
    shape = (len(generators), flux.shape[1], *slots.shape)
    order = NetworkDraws(generators).uniform(shape).argsort(-1)
    return _reordered(flux, slots, order)


def _reordered(flux: Tensor, slots: Tensor, order: Tensor) -> Tensor:
    """Exposures taken from the places `order` (network, galaxy or 1, band or 1, exposure)."""
    exposures = flux[..., slots]
    shuffled = exposures.gather(-1, order.expand(exposures.shape))
    return flux.index_copy(-1, slots.flatten(), shuffled.flatten(-2))
