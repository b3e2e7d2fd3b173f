"""The shape of a network, as configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass

LAYER_ORDERS = ("linear_norm_relu", "norm_linear_relu")
FRONT_ENDS = ("dense", "convolutional")
HEADS = ("mixture", "classes")


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of DEEPZ: an autoencoder and a mixture density network (paper, section 2.2, Fig. 1).

    Attributes
    ----------
    encoder_layers, decoder_layers, photoz_layers : int
        Hidden layers of each of the three networks; a linear output layer follows them.
    width : int
        Nodes of every hidden layer.
    features : int
        Latent variables between encoder and decoder. Zero leaves out the autoencoder.
    components : int
        Gaussians in the redshift density.
    autoencoder_dropout, photoz_dropout : float
        Fraction of activations set to zero while training, in [0, 1).
    undropped_layers, photoz_undropped_layers : int
        Last layers of encoder and decoder, and of the photo-z network, that have no dropout.
    photoz_first_width : int or None
        Nodes of the first layer of the photo-z network, where they differ from `width`.
    layer_order : str
        `linear_norm_relu` (the paper) or `norm_linear_relu` (the public code: batch
        normalisation, linear, dropout, ReLU).
    front_end : str
        What reads the narrow bands: `dense` (the paper), or `convolutional`, filters that slide
        along them in the order of wavelength.
    convolution_layers, convolution_channels, convolution_width : int
        Layers of a convolutional front end, channels of each, and neighbouring bands that a
        filter covers, an odd number.
    convolved_inputs : tuple of int
        Inputs that a convolutional front end reads, in order; the survey knows them, see
        `photoz.networks.convolution.arranged`.
    head : str
        `mixture` (the paper) of Gaussians, or `classes`, probabilities of redshift bins (paper,
        appendix E).
    class_width, class_redshift_max : float
        Width of a class and upper end of the last one; the first one starts at 0.
    """

    encoder_layers: int = 10
    decoder_layers: int = 10
    photoz_layers: int = 10
    width: int = 250
    features: int = 10
    components: int = 10
    autoencoder_dropout: float = 0.02
    photoz_dropout: float = 0.01
    undropped_layers: int = 3
    photoz_undropped_layers: int = 0
    photoz_first_width: int | None = None
    layer_order: str = "linear_norm_relu"
    front_end: str = "dense"
    convolution_layers: int = 2
    convolution_channels: int = 16
    convolution_width: int = 5
    convolved_inputs: tuple[int, ...] = ()
    head: str = "mixture"
    class_width: float = 0.001
    class_redshift_max: float = 1.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "convolved_inputs", tuple(self.convolved_inputs))
        for name in (
            "encoder_layers", "decoder_layers", "photoz_layers", "width", "components",
            "convolution_layers", "convolution_channels", "convolution_width",
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise ValueError(f"network.{name} must be at least 1, got {getattr(self, name)}")
        if self.features < 0:
            raise ValueError(f"network.features must not be negative, got {self.features}")
        for name in ("autoencoder_dropout", "photoz_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"network.{name} must be in [0, 1), got {getattr(self, name)}")
        for name, known in (
            ("layer_order", LAYER_ORDERS), ("front_end", FRONT_ENDS), ("head", HEADS),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise ValueError(
                    f"network.{name} must be {' or '.join(known)}, got {getattr(self, name)!r}"
                )
        if self.convolution_width % 2 == 0:
            raise ValueError(f"network.convolution_width must be odd, got {self.convolution_width}")
        if not 0 < self.class_width <= self.class_redshift_max / 2:
            raise ValueError(
                f"network.class_width must be above 0 and fit twice into class_redshift_max, got "
                f"{self.class_width} and {self.class_redshift_max}"
            )

    @property
    def n_classes(self) -> int:
        """Classes, the last one reaching `class_redshift_max` at least."""
        return math.ceil(self.class_redshift_max / self.class_width - 1e-6)

    @property
    def n_outputs(self) -> int:
        """Numbers that the head makes a density of."""
        return self.n_classes if self.head == "classes" else 3 * self.components
