"""Weights as files: safetensors, one JSON metadata key, never pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

import photoz
from photoz.files import InputError, replace_when_done, require_file
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators
from photoz.networks.transform import FluxRatio, transform_from_dict

METADATA_KEY = "photoz"  # a single key: safetensors keeps no order among several


@dataclass(frozen=True)
class TrainedNetworks:
    """Networks and what they need to read a galaxy.

    Attributes
    ----------
    network : DeepZ
        In lockstep: one network after pretraining, one per fold after fine-tuning.
    transform : FluxRatio
        From fluxes to inputs.
    zmin : float
        Densities are truncated here.
    """

    network: DeepZ
    transform: FluxRatio
    zmin: float = 0.0


def save_networks(
    path: str | os.PathLike[str], trained: TrainedNetworks, metadata: Mapping[str, Any]
) -> None:
    """Write weights with their configuration, input transform and provenance.

    Parameters
    ----------
    path : path-like
        Name of the safetensors file.
    trained : TrainedNetworks
        The networks.
    metadata : mapping
        JSON-able provenance: stage configuration, seeds, hash of the training data.
    """
    description = {
        "network": asdict(trained.network.config),
        "n_networks": trained.network.n_networks,
        "transform": trained.transform.to_dict(),
        "zmin": trained.zmin,
        "code_version": photoz.__version__,
        **metadata,
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in trained.network.state_dict().items()}
    with replace_when_done(path) as temporary:
        save_file(tensors, temporary, {METADATA_KEY: json.dumps(description, sort_keys=True)})


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Description stored beside the weights.

    Raises
    ------
    InputError
        If the file is truncated or was not written by this package.
    """
    require_file(path, "network weights")
    try:
        with safe_open(path, framework="pt") as stream:
            text = (stream.metadata() or {}).get(METADATA_KEY)
    except SafetensorError as error:
        raise InputError(f"{path}: not a readable weight file ({error}); train again") from error
    if text is None:
        raise InputError(f"{path}: weights without a photoz description; not made by photoz")
    return dict(json.loads(text))


def load_networks(
    path: str | os.PathLike[str], device: torch.device | str = "cpu"
) -> TrainedNetworks:
    """Read what `save_networks` wrote.

    Raises
    ------
    InputError
        If the file is damaged, or its weights do not fit its description.
    """
    metadata = read_metadata(path)
    transform = transform_from_dict(metadata["transform"])
    config = NetworkConfig(**metadata["network"])
    generators = seeded_generators([0] * int(metadata["n_networks"]))
    network = DeepZ(config, len(transform.bands), generators)
    with safe_open(path, framework="pt") as stream:
        names = set(stream.keys())
        state = {name: stream.get_tensor(name) for name in names}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{path}: weights do not fit their description ({error})") from error
    return TrainedNetworks(network.to(device), transform, float(metadata["zmin"]))
