"""The mixture density head: from outputs to p(z) (paper, section 2.3, equations 1 and 2)."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import softplus

from photoz.networks.classes import Classes, log_class_density
from photoz.pdf.mixture import ZMIN

LOG_SIGMA_FLOOR = -10.0  # a component of zero width has infinite density and ends a training run
LOG_SIGMA_CEILING = 0.0  # a hopeless galaxy must not get a component that spans a million redshifts
MEAN_SHARPNESS = 50.0  # means bend away from the truncation within 1 / 50 of it


class Mixture(NamedTuple):
    """Gaussian mixture of each galaxy; every tensor is (..., component)."""

    log_weight: Tensor
    mean: Tensor
    log_sigma: Tensor


Density: TypeAlias = Mixture | Classes
"""What a head makes of a galaxy."""


def mixture(output: Tensor) -> Mixture:
    """Turn a network's output (..., 3 components) into a normalised mixture.

    log sigma is kept between `LOG_SIGMA_FLOOR` and `LOG_SIGMA_CEILING` and means above `ZMIN` by
    softplus functions, which have a gradient everywhere. Every component therefore has at least
    half its mass above `ZMIN`, where the density is truncated: none can hide its mass below.
    """
    logit, raw_mean, raw_sigma = output.chunk(3, dim=-1)
    log_sigma = LOG_SIGMA_CEILING - softplus(LOG_SIGMA_CEILING - raw_sigma)
    log_sigma = LOG_SIGMA_FLOOR + softplus(log_sigma - LOG_SIGMA_FLOOR)
    mean = ZMIN + softplus(raw_mean - ZMIN, beta=MEAN_SHARPNESS)
    return Mixture(torch.log_softmax(logit, dim=-1), mean, log_sigma)


def log_density(p: Density, redshift: Tensor) -> Tensor:
    """Natural log of the density at `redshift` (...) >= ZMIN, truncated there and renormalised."""
    if isinstance(p, Classes):
        return log_class_density(p, redshift)
    pull = (redshift.unsqueeze(-1) - p.mean) * torch.exp(-p.log_sigma)
    gaussian = -0.5 * pull.square() - p.log_sigma - 0.5 * math.log(2 * math.pi)
    above = torch.special.log_ndtr((p.mean - ZMIN) * torch.exp(-p.log_sigma))
    return torch.logsumexp(p.log_weight + gaussian, -1) - torch.logsumexp(p.log_weight + above, -1)


def negative_log_likelihood(p: Density, redshift: Tensor) -> Tensor:
    """Equation 2, averaged over the galaxies of a batch: one value per network, (n,)."""
    return -log_density(p, redshift).mean(-1)
