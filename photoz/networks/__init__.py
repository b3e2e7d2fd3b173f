"""Networks: layers with a leading network axis, DEEPZ, the density head and input transforms."""

from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators
from photoz.networks.transform import FluxRatio, transform_from_dict

__all__ = ["DeepZ", "FluxRatio", "NetworkConfig", "seeded_generators", "transform_from_dict"]
