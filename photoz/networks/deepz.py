"""DEEPZ: autoencoder and photo-z network (paper, section 2.2 and Figure 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from photoz.networks.calibration import PARAMETERS, calibrated
from photoz.networks.classes import classes
from photoz.networks.config import NetworkConfig
from photoz.networks.convolution import ConvolutionalFrontEnd
from photoz.networks.density import Density, Mixture, mixture
from photoz.networks.layers import DenseLayer, DenseStack, PreNormLayer

Dropout = Sequence[torch.Generator] | None
"""One generator per network while training, None for prediction."""


def seeded_generators(
    seeds: Sequence[int], device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """One generator per network, so that no network's randomness depends on its neighbours."""
    return [torch.Generator(device=device).manual_seed(int(seed)) for seed in seeds]


class DeepZ(nn.Module):
    """`len(generators)` independent DEEPZ networks in lockstep.

    Parameters
    ----------
    config : NetworkConfig
        The shape.
    n_bands : int
        Inputs.
    generators : sequence of torch.Generator
        One per network, on the CPU; they draw the initial weights.
    redshift_max : float
        The component means start evenly spread between 0 and this.

    Notes
    -----
    All tensors have shape (network, galaxy, channel). Inputs may be bfloat16, then the hidden
    layers multiply in bfloat16; features and densities are in the precision of the weights.
    """

    def __init__(
        self,
        config: NetworkConfig,
        n_bands: int,
        generators: Sequence[torch.Generator],
        redshift_max: float = 1.2,
    ) -> None:
        super().__init__()
        self.config = config
        self.n_bands = n_bands
        c = config

        def stack(
            n_in: int, n_out: int, widths: list[int], p: float, undropped: int, reads_bands: bool
        ) -> DenseStack:
            dropouts = [p if i < len(widths) - undropped else 0.0 for i in range(len(widths))]
            front = _front_end(c, n_in, generators) if reads_bands else None
            n_in = n_in if front is None else front.n_out
            return DenseStack(n_in, n_out, widths, dropouts, c.layer_order, generators, front)

        if c.features:
            p, last = c.autoencoder_dropout, c.undropped_layers
            self.encoder = stack(n_bands, c.features, [c.width] * c.encoder_layers, p, last, True)
            self.decoder = stack(c.features, n_bands, [c.width] * c.decoder_layers, p, last, False)
        widths = [c.photoz_first_width or c.width] + [c.width] * (c.photoz_layers - 1)
        self.photoz = stack(n_bands + c.features, c.n_outputs, widths,
                            c.photoz_dropout, c.photoz_undropped_layers, True)  # fmt: skip
        self.calibration: Tensor
        self.register_buffer("calibration", torch.zeros(len(generators), len(PARAMETERS)))
        if c.head == "classes":
            return
        with torch.no_grad():
            bias = self.photoz.output.bias.view(len(generators), 3, c.components)
            bias[:, 1] = torch.linspace(0, redshift_max, c.components + 2)[1:-1]
            bias[:, 2] -= 2  # sigma of about 0.1

    @property
    def n_networks(self) -> int:
        """Length of the leading axis."""
        return int(self.photoz.output.weight.shape[0])

    @property
    def n_components(self) -> int:
        """Components of the densities that it predicts: twice as many once it is calibrated."""
        return self.config.components * (2 if self.calibration.any() else 1)

    def features(self, x: Tensor, dropout: Dropout = None) -> Tensor | None:
        """Latent variables, (n, galaxy, feature); None without an autoencoder."""
        return self.encoder(x, dropout) if self.config.features else None

    def reconstruct(self, features: Tensor, dropout: Dropout = None) -> Tensor:
        """Denoised inputs, (n, galaxy, band)."""
        return self.decoder(features, dropout)

    def density(self, x: Tensor, features: Tensor | None, dropout: Dropout = None) -> Density:
        """Redshift density from inputs and features: (n, galaxy, component or class)."""
        joint = x if features is None else torch.cat((x, features.to(x.dtype)), dim=-1)
        output = self.photoz(joint, dropout)
        if self.config.head == "classes":
            return classes(output, self.config.class_width)
        return mixture(output)

    def forward(self, x: Tensor, dropout: Dropout = None) -> Density:
        """Redshift density of (n, galaxy, band) inputs, as trained."""
        return self.density(x, self.features(x, dropout), dropout)

    def predict(self, x: Tensor, magnitude: Tensor) -> Density:
        """Redshift density of (n, galaxy, band) inputs, calibrated if the networks are.

        Magnitudes (n, galaxy) are those of the reference band.
        """
        density = self(x)
        if isinstance(density, Mixture) and self.calibration.any():
            return calibrated(density, magnitude, self.calibration)
        return density

    def freeze_all_but_head(self) -> None:
        """From now on only the last linear layer, which makes the density, is trained."""
        self.requires_grad_(False)
        self.photoz.output.requires_grad_(True)

    def stop_dropout(self) -> None:
        """Keep every activation from now on."""
        for layer in self.modules():
            if isinstance(layer, DenseLayer | PreNormLayer):
                layer.p = 0.0

    def restore_scale(self) -> None:
        """Prepare for further training: see `DenseLayer.restore_scale`."""
        for layer in self.modules():
            if isinstance(layer, DenseLayer):
                layer.restore_scale()

    @torch.no_grad()
    def settle(self, x: Tensor) -> None:
        """Measure the batch-norm statistics of every layer on `x`, without dropout.

        Done once after training; it lowers the bias and flattens the PIT compared with the usual
        running averages, which still remember dropout and earlier weights.
        """
        joint = x
        if self.config.features:
            features = self.encoder.settle(x)
            self.decoder.settle(features)
            joint = torch.cat((x, features), dim=-1)
        self.photoz.settle(joint)

    def member(self, k: int) -> DeepZ:
        """Network `k` on its own."""
        return self._with_state({n: v[k : k + 1].clone() for n, v in self.state_dict().items()}, 1)

    def repeated(self, n: int) -> DeepZ:
        """`n` copies of a single network, to be trained apart."""
        if self.n_networks != 1:
            raise ValueError(f"only a single network can be repeated, this has {self.n_networks}")
        state = {k: v.expand(n, *v.shape[1:]).clone() for k, v in self.state_dict().items()}
        return self._with_state(state, n)

    def _with_state(self, state: dict[str, Tensor], n: int) -> DeepZ:
        twin = DeepZ(self.config, self.n_bands, seeded_generators([0] * n))
        twin.load_state_dict(state)
        return twin.to(self.photoz.output.weight.device)


def _front_end(
    config: NetworkConfig, n_in: int, generators: Sequence[torch.Generator]
) -> ConvolutionalFrontEnd | None:
    """What reads the narrow bands before the first dense layer, if anything does."""
    c = config
    if c.front_end == "dense":
        return None
    if not c.convolved_inputs:
        raise ValueError("network.convolved_inputs: none; photoz.networks.convolution.arranged")
    return ConvolutionalFrontEnd(
        n_in, c.convolved_inputs, c.convolution_layers, c.convolution_channels,
        c.convolution_width, generators,
    )  # fmt: skip


def stacked(networks: Sequence[DeepZ]) -> DeepZ:
    """Networks of one shape as one, in order."""
    states = [network.state_dict() for network in networks]
    state = {name: torch.cat([s[name] for s in states]) for name in states[0]}
    return networks[0]._with_state(state, sum(network.n_networks for network in networks))
