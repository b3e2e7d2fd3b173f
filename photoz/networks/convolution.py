"""A convolutional front end for the narrow bands (paper, section 2.2, which found no use for it).

The narrow bands of a survey are a coarse spectrum: neighbours in wavelength see neighbouring parts
of it, and a line or a break looks alike wherever it falls. The front end slides the same few
filters along them before the first dense layer; the broad bands and features pass it by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from photoz.files import InputError
from photoz.networks.config import NetworkConfig
from photoz.networks.layers import DenseLayer
from photoz.survey.bands import BandSet


def arranged(config: NetworkConfig, bands: BandSet) -> NetworkConfig:
    """Tell a convolutional network which of its inputs are narrow bands, by wavelength.

    Parameters
    ----------
    config : NetworkConfig
        A dense one is returned as it is.
    bands : BandSet
        Of the survey, in the order of the inputs.

    Raises
    ------
    InputError
        If there are fewer narrow bands than a filter is wide.
    """
    if config.front_end == "dense":
        return config
    narrow = np.flatnonzero(bands.is_narrow)
    if len(narrow) < config.convolution_width:
        raise InputError(
            f"networks: front_end convolutional slides filters over convolution_width = "
            f"{config.convolution_width} narrow bands, and the survey has {len(narrow)}; use dense"
        )
    order = narrow[np.argsort(bands.mean_wavelengths[narrow], kind="stable")]
    return replace(config, convolved_inputs=tuple(int(band) for band in order))


def windows(x: Tensor, width: int) -> Tensor:
    """Neighbours of every position side by side, with zeros beyond the ends.

    Parameters
    ----------
    x : Tensor (network, galaxy, position, channel)
    width : int
        Positions of a window, odd.

    Returns
    -------
    Tensor (network, galaxy x position, channel x width)
    """
    n, galaxies, positions, channels = x.shape
    half = width // 2
    sliding = pad(x, (0, 0, half, half)).unfold(2, width, 1)
    return sliding.reshape(n, galaxies * positions, channels * width)


class ConvolutionalFrontEnd(nn.Module):
    """Convolution, batch normalisation and ReLU, some layers of it, along the narrow bands.

    Maps (n, galaxy, in) to (n, galaxy, `n_out`): first the channels of every narrow band, then
    the other inputs as they are. A convolution is a linear map of windows, the same for all, and
    its batch normalisation averages over galaxies and positions: a `DenseLayer` that takes every
    window for a galaxy. So networks run in lockstep and settle like those without a front end.

    Parameters
    ----------
    n_in : int
        Inputs, bands first.
    convolved : sequence of int
        Those to convolve, in order.
    layers, channels, width : int
        Layers, channels of each and positions that a filter covers, an odd number.
    generators : sequence of torch.Generator
        One per network.
    """

    def __init__(
        self,
        n_in: int,
        convolved: Sequence[int],
        layers: int,
        channels: int,
        width: int,
        generators: Sequence[torch.Generator],
    ) -> None:
        super().__init__()
        self.width, self.channels = width, channels
        self.layers = nn.ModuleList(
            DenseLayer(i * width, o, 0.0, generators)
            for i, o in pairwise([1] + [channels] * layers)
        )
        others = [k for k in range(n_in) if k not in set(convolved)]
        self.convolved: Tensor
        self.others: Tensor
        # Not saved: every saved tensor has a leading network axis, and the shape says it already.
        self.register_buffer("convolved", torch.tensor(convolved), persistent=False)
        self.register_buffer("others", torch.tensor(others, dtype=torch.long), persistent=False)

    @property
    def n_out(self) -> int:
        """Outputs."""
        return self.channels * len(self.convolved) + len(self.others)

    def forward(self, x: Tensor, dropout: Sequence[torch.Generator] | None) -> Tensor:
        """With batch statistics if generators are given, else as settled."""
        y = x.index_select(-1, self.convolved).unsqueeze(-1)
        for layer in self.layers:
            y = layer(windows(y, self.width), dropout).view(*y.shape[:-1], self.channels)
        return torch.cat((y.flatten(2), x.index_select(-1, self.others)), dim=-1)

    @torch.no_grad()
    def settle(self, x: Tensor) -> Tensor:
        """Settle every layer on `x` in turn and return the output."""
        y = x.index_select(-1, self.convolved).unsqueeze(-1)
        for layer in self.layers:
            assert isinstance(layer, DenseLayer)
            y = layer.settle(windows(y, self.width)).view(*y.shape[:-1], self.channels)
        return torch.cat((y.flatten(2), x.index_select(-1, self.others)), dim=-1)
