"""What fine-tuning minimises (paper, sections 2.3, 3.3 and appendix E)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.classes import Classes, sigma68
from photoz.networks.deepz import DeepZ
from photoz.networks.density import Density, log_density
from photoz.training.config import FinetuningConfig
from photoz.training.mixup import draw_pairs


def finetuning_loss(
    network: DeepZ,
    x: Tensor,
    redshift: Tensor,
    complete: Tensor,
    config: FinetuningConfig,
    mixup: float,
    dtype: torch.dtype,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Mean loss of every network over its batch, (network,).

    Equation 2, over galaxies mixed with each other and with labels smoothed where that is asked
    for.

    Parameters
    ----------
    network : DeepZ
    x : Tensor (network, galaxy, band)
        Inputs.
    redshift : Tensor (network, galaxy)
        Labels.
    complete : Tensor (network, galaxy), bool
        Whether the random coadd left no band empty; `empty_bands: drop_galaxy` counts no others.
    config : FinetuningConfig
        `empty_bands` and `label_smoothing`.
    mixup : float
        Beta parameter of this step; 0 mixes nothing.
    dtype : torch.dtype
        Of the matrix products.
    generators : sequence of torch.Generator
        One per network: of dropout, pairs and labels.
    """
    if not mixup:
        density = network(x.to(dtype), generators)
        loss = -log_density(density, _label(density, redshift, config, generators))
    else:
        pairs = draw_pairs((x.shape[0], x.shape[1]), mixup, generators)
        density = network(pairs.inputs(x).to(dtype), generators)
        own, partners = (
            -log_density(density, _label(density, label, config, generators))
            for label in (redshift, pairs.of_partner(redshift))
        )
        loss = pairs.loss(own, partners)
        complete = complete & pairs.of_partner(complete)
    if config.empty_bands == "keep_one":
        return loss.mean(-1)
    return torch.where(complete, loss, 0.0).sum(-1) / complete.sum(-1).clamp_min(1)


def _label(
    density: Density,
    redshift: Tensor,
    config: FinetuningConfig,
    generators: Sequence[torch.Generator],
) -> Tensor:
    if not config.label_smoothing:
        return redshift
    return smoothed(density, redshift, config.label_smoothing, generators)


def smoothed(
    density: Density, redshift: Tensor, share: float, generators: Sequence[torch.Generator]
) -> Tensor:
    """Labels scattered to nearby classes (appendix E).

    The scatter is Gaussian, a share of half the 68 per cent interval of the p(z) that the network
    has for the galaxy at this step: little where it is sure, much where it is not.

    Parameters
    ----------
    density : Classes
        What the network thinks of the galaxies.
    redshift : Tensor (network, galaxy)
        Labels.
    share : float
        The paper's is 0.15.
    generators : sequence of torch.Generator
        One per network.

    Raises
    ------
    InputError
        For a mixture, which needs no such help: it knows which redshifts are neighbours.
    """
    if not isinstance(density, Classes):
        raise InputError("finetuning: label_smoothing is for networks with `head: classes`")
    normal = torch.stack(
        [torch.randn(redshift.shape[1:], generator=g, device=g.device) for g in generators]
    )
    # Classes start at 0: a label that would fall below is scattered upwards.
    return (redshift + share * sigma68(density) * normal).abs()
