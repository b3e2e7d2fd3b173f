"""Weights as files: safetensors, one JSON metadata key, never pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

import photoz
from photoz.checksums import sealed, unsealed
from photoz.files import InputError, replace_when_done, require_file
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators, stacked
from photoz.networks.transform import FluxRatio, transform_from_dict

METADATA_KEY = "photoz"  # a single key: safetensors keeps no order among several


@dataclass(frozen=True)
class TrainedNetworks:
    """Networks and what they need to read a galaxy.

    Attributes
    ----------
    network : DeepZ
        In lockstep: one network after pretraining, one per fold after fine-tuning, where they may
        be of several splits.
    transform : FluxRatio
        From fluxes to inputs.
    """

    network: DeepZ
    transform: FluxRatio


def joined(trained: Sequence[TrainedNetworks]) -> TrainedNetworks:
    """Networks of one shape and input transform as one, in order."""
    return TrainedNetworks(stacked([t.network for t in trained]), trained[0].transform)


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
    tensors = {k: v.detach().cpu().contiguous() for k, v in trained.network.state_dict().items()}
    description = {
        "network": asdict(trained.network.config),
        "n_networks": trained.network.n_networks,
        "transform": trained.transform.to_dict(),
        "digest": tensor_digest(tensors),
        "code_version": photoz.__version__,
        **metadata,
    }
    with replace_when_done(path) as temporary:
        save_file(
            tensors, temporary, {METADATA_KEY: json.dumps(sealed(description), sort_keys=True)}
        )


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
    try:
        return unsealed(json.loads(text))
    except ValueError as error:
        raise InputError(f"{path}: description of the weights: {error}; train again") from error


def load_networks(
    path: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    split: int | None = None,
) -> TrainedNetworks:
    """Read what `save_networks` wrote.

    Parameters
    ----------
    path : path-like
        Name of the safetensors file.
    device : torch.device or str
        Where the networks go.
    split : int or None
        Take the networks of one split, of those that the metadata have as `splits`, in this order.

    Raises
    ------
    InputError
        If the file is damaged, its weights do not fit its description, or it lacks the split.
    """
    metadata = read_metadata(path)
    with safe_open(path, framework="pt") as stream:
        state = {name: stream.get_tensor(name) for name in sorted(stream.keys())}
    if tensor_digest(state) != metadata.get("digest"):
        raise InputError(f"{path}: weights differ from what was written (checksum); train again")
    try:
        transform = transform_from_dict(metadata["transform"])
        config = NetworkConfig(**metadata["network"])
        generators = seeded_generators([0] * int(metadata["n_networks"]))
        network = DeepZ(config, len(transform.bands), generators)
        network.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: weights do not fit their description ({error})") from error
    if split is not None:
        network = _of_split(path, network, metadata.get("splits", []), split)
    return TrainedNetworks(network.to(device), transform)


def _of_split(
    path: str | os.PathLike[str], network: DeepZ, splits: Sequence[int], split: int
) -> DeepZ:
    if split not in splits:
        raise InputError(f"{path}: networks of the splits {splits}, not of {split}; train it")
    if len(splits) == 1:
        return network
    n_folds = network.n_networks // len(splits)
    first = list(splits).index(split) * n_folds
    return stacked([network.member(k) for k in range(first, first + n_folds)])


def tensor_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of names and values, so that a flipped bit is noticed."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
