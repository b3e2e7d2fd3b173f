"""p(z) corrected on held-out galaxies: their widths, by magnitude too, and a common shift.

Networks that train for long on few galaxies are too sure of the faint ones, whose noise they have
seen many times, and not sure enough of the bright ones, which they only saw through dropout and
random coadds; and redshift errors have wider wings than sums of a few Gaussians that were fitted to
galaxies in the training set. After a pretraining they also keep a bias of a few 10^-4 towards their
simulations. The paper averages networks and leaves it at that.
"""

from __future__ import annotations

import torch
from torch import Tensor

from photoz.networks.density import Mixture

TYPICAL_LOG_SIGMA = -4.5  # where the slope has no effect: a width of 0.011
WINGS = 3.0  # width of the wings, in units of the core's
REACH = 3.0  # mag from the pivot; galaxies brighter or fainter are treated as those there
PARAMETERS = ("log_scale", "slope", "wings", "shift", "tilt", "pivot")


def calibrated(p: Mixture, magnitude: Tensor, parameters: Tensor) -> Mixture:
    """Shift a mixture, rescale its widths and give part of its weight to wings.

    With the mean log width l of a galaxy's components, weighted as they are, every sigma is
    multiplied by exp(log_scale + slope (l - typical) + tilt (magnitude - pivot)); then a share
    `wings` of every component's weight goes to a copy that is `WINGS` times as wide. Every mean z
    moves by shift (1 + z).

    Parameters
    ----------
    p : Mixture
        Components (network, galaxy, component).
    magnitude : Tensor (network, galaxy)
        In the reference band, mag; the network itself only sees flux ratios.
    parameters : Tensor (network, 6)
        log_scale, slope, wings, shift, tilt (1/mag) and pivot (mag); zeros change nothing.

    Returns
    -------
    Mixture
        Twice as many components.
    """
    log_scale, slope, wings, shift, tilt, pivot = parameters[:, None, None, :].unbind(-1)
    typical = (p.log_weight.exp() * p.log_sigma).sum(-1, keepdim=True) - TYPICAL_LOG_SIGMA
    fainter = (magnitude.unsqueeze(-1) - pivot).clamp(-REACH, REACH)
    log_sigma = p.log_sigma + log_scale + slope * typical + tilt * fainter
    mean = p.mean + shift * (1 + p.mean)
    wide = log_sigma + torch.tensor(WINGS).log()
    return Mixture(
        torch.cat([p.log_weight + torch.log1p(-wings), p.log_weight + wings.log()], dim=-1),
        torch.cat([mean, mean], dim=-1),
        torch.cat([log_sigma, wide], dim=-1),
    )
