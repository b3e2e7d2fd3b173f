"""mixup: training on mixtures of two galaxies (Zhang et al. 2017; the paper, section 3.4).

The paper mentions it as a test that did not lower the scatter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

_LEVELS = 4096  # of the Beta distribution: its quantiles are drawn from, each as likely


@dataclass(frozen=True)
class Pairs:
    """Every galaxy of a batch and the partner it is mixed with.

    Attributes
    ----------
    share : Tensor (network, galaxy)
        Part that is the galaxy's own; the partner has the rest.
    partner : Tensor (network, galaxy)
        Place of the partner in the batch of the same network.
    """

    share: Tensor
    partner: Tensor

    def inputs(self, x: Tensor) -> Tensor:
        """Mixed inputs, (network, galaxy, band)."""
        share = self.share.unsqueeze(-1)
        other = x.gather(1, self.partner.unsqueeze(-1).expand_as(x))
        return share * x + (1 - share) * other

    def of_partner(self, values: Tensor) -> Tensor:
        """What the partner of every galaxy has, (network, galaxy)."""
        return values.gather(1, self.partner)

    def loss(self, own: Tensor, partners: Tensor) -> Tensor:
        """Losses under the galaxy's own label and under its partner's, mixed like the inputs."""
        return self.share * own + (1 - self.share) * partners


def draw_pairs(shape: tuple[int, int], beta: float, generators: Sequence[torch.Generator]) -> Pairs:
    """Partners at random and shares from Beta(beta, beta), each network's from its own generator.

    Parameters
    ----------
    shape : (network, galaxy)
    beta : float
        Above 0. Small values leave most galaxies nearly as they are, 1 mixes uniformly.
    generators : sequence of torch.Generator
        One per network.
    """
    device = generators[0].device
    table = _beta_quantiles(beta, device)
    n = shape[1]
    level = [torch.randint(_LEVELS, (n,), generator=g, device=device) for g in generators]
    partner = [torch.randperm(n, generator=g, device=device) for g in generators]
    return Pairs(table[torch.stack(level)], torch.stack(partner))


@lru_cache(maxsize=8)
def _beta_quantiles(beta: float, device: torch.device) -> Tensor:
    """Quantiles of Beta(beta, beta); torch draws Beta variables from no generator of ours."""
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return torch.tensor(betaincinv(beta, beta, levels), dtype=torch.float32, device=device)
