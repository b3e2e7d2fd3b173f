"""The classifier head: p(z) as probabilities of thin redshift bins (paper, appendix E)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from photoz.files import InputError
from photoz.networks.config import NetworkConfig
from photoz.pdf.grid import GridPDF


class Classes(NamedTuple):
    """Probabilities of each galaxy's classes, bins of equal width that start at redshift 0.

    `log_probability` is (..., class), `width` the width of a bin.
    """

    log_probability: Tensor
    width: float


def classes(output: Tensor, width: float) -> Classes:
    """Turn a network's output (..., class) into probabilities that sum to one."""
    return Classes(torch.log_softmax(output, dim=-1), width)


def class_of(redshift: Tensor, n_classes: int, width: float) -> Tensor:
    """Class of each redshift; those outside all bins take the first or the last."""
    return (redshift / width).floor().long().clamp(0, n_classes - 1)


def log_class_density(p: Classes, redshift: Tensor) -> Tensor:
    """Natural log of the density at `redshift` (...): that of its bin, which is constant.

    Minus this is the cross entropy, but for the constant ln(width), which makes it comparable
    with the loss of a mixture.
    """
    k = class_of(redshift, p.log_probability.shape[-1], p.width)
    return p.log_probability.gather(-1, k.unsqueeze(-1)).squeeze(-1) - math.log(p.width)


@torch.no_grad()
def sigma68(p: Classes) -> Tensor:
    """Half the distance between the 16 and 84 per cent quantiles of each density, (...).

    A cumulative sum, linear within a bin.
    """
    probability = p.log_probability.exp()
    below = probability.cumsum(-1)
    last = below.shape[-1] - 1

    def quantile(q: float) -> Tensor:
        k = (below < q).sum(-1, keepdim=True).clamp(max=last)
        inside = probability.gather(-1, k)
        missing = q - (below.gather(-1, k) - inside)
        return p.width * (k + (missing / inside).clamp(0, 1)).squeeze(-1)

    return 0.5 * (quantile(0.84) - quantile(0.16))


def class_nodes(n_classes: int, width: float) -> npt.NDArray[np.float64]:
    """Redshifts (n_classes + 2,) that carry a stored density: both ends and the middles of bins."""
    middles = (np.arange(n_classes) + 0.5) * width
    return np.concatenate([[0.0], middles, [n_classes * width]])


def class_pdf(probability: npt.NDArray[np.floating], width: float) -> GridPDF:
    """Densities on a grid, linear between the middles of the bins.

    The ends of the grid have the density of the outermost bins, so that its integral is the sum
    of the probabilities.

    Parameters
    ----------
    probability : (n, class) array
        NaN where a galaxy has none.
    width : float
        Of a bin.
    """
    density = np.asarray(probability, dtype=np.float64) / width
    ends = np.concatenate([density[:, :1], density, density[:, -1:]], axis=1)
    return GridPDF(class_nodes(probability.shape[1], width), ends)


def check_redshifts(config: NetworkConfig, redshift_max: float) -> None:
    """Refuse to train a classifier on galaxies that none of its classes holds.

    Raises
    ------
    InputError
        If the largest redshift is beyond the last class.
    """
    if config.head == "classes" and redshift_max > config.n_classes * config.class_width:
        raise InputError(
            f"a galaxy to learn from has redshift {redshift_max:g}, beyond the classes of the "
            f"network; raise its class_redshift_max, now {config.class_redshift_max:g}"
        )
