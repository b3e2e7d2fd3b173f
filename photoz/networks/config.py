"""The shape of a network, as configuration."""

from __future__ import annotations

from dataclasses import dataclass


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

    def __post_init__(self) -> None:
        for name in ("encoder_layers", "decoder_layers", "photoz_layers", "width", "components"):
            if getattr(self, name) < 1:
                raise ValueError(f"network.{name} must be at least 1, got {getattr(self, name)}")
        if self.features < 0:
            raise ValueError(f"network.features must not be negative, got {self.features}")
        for name in ("autoencoder_dropout", "photoz_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"network.{name} must be in [0, 1), got {getattr(self, name)}")
        if self.layer_order not in ("linear_norm_relu", "norm_linear_relu"):
            raise ValueError(
                f"network.layer_order must be linear_norm_relu or norm_linear_relu, "
                f"got {self.layer_order!r}"
            )
