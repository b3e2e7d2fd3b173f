"""What training steps of a network cost, from its shape: products, other work, memory.

Sections of the configuration come as resolved mappings; a key that this module does not know costs
nothing, so that a new kind of layer or head costs what the plain one does. torch is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Section = Mapping[str, Any]

# Seconds on the machine of the constants, all from one fit to steps of many shapes:
# `python -m benchmarks costs`.
PRODUCTS = 0.95
"""Time of a step's products over that of large products at the measured rate."""
PER_ACTIVATION = 5.7e-09
"""Normalisation, ReLU and dropout of one node for one galaxy, forward and backward."""
PER_PARAMETER = 2.0e-09
"""Casts, Adam and the clearing of gradients, for one parameter."""
PER_LAYER = 1.8e-04
"""Calls of a layer, whatever its size."""
PER_DRAW = 2.3e-09
"""One random number: an exposure that enters a coadd or not, or the noise of a flux."""
PER_STEP = 2.5e-03
"""Calls that a step has besides those of its layers."""

# Seconds by the clock of an NVIDIA H200 that replays its steps: `python -m benchmarks train`.
GPU_PER_LAYER = 9.0e-05
"""Kernels of a layer, most of which wait for one another."""
GPU_PER_NETWORK_LAYER = 5.0e-06
"""Kernels that each network needs for itself, in each layer: random numbers of its own."""

BYTES_PER_ACTIVATION = 16
"""float32 and bfloat16 copies that wait for the backward pass (`NormalisedLayer`)."""
BYTES_PER_PARAMETER = 20
"""Weight, its bfloat16 copy, gradient and the two moments of Adam, with room for a copy."""


@dataclass(frozen=True)
class Step:
    """One training step of one network on one galaxy.

    Attributes
    ----------
    products : float
        Matrix products of the forward and the backward pass, FLOP.
    activations : int
        Nodes of the hidden layers.
    parameters : int
        That the optimiser updates.
    layers : int
        Hidden and output layers.
    """

    products: float
    activations: int
    parameters: int
    layers: int


def stacks(network: Section, n_bands: int) -> dict[str, list[int]]:
    """Numbers of nodes from input to output of the encoder, decoder and photo-z network.

    Without features there is only the last (paper, section 2.2 and Fig. 1).
    """
    width, features = network["width"], network["features"]
    first = network.get("photoz_first_width") or width
    hidden = [first, *[width] * (network["photoz_layers"] - 1)]
    found = {"photoz": [n_bands + features, *hidden, 3 * network["components"]]}
    if features:
        found["encoder"] = [n_bands, *[width] * network["encoder_layers"], features]
        found["decoder"] = [features, *[width] * network["decoder_layers"], n_bands]
    return found


def forward_products(network: Section, n_bands: int, decoder: bool = False) -> int:
    """FLOP of the products that predict one galaxy, two for each weight.

    3.5 MFLOP for the paper's network with its decoder in 46 bands, 2.3 without.
    """
    used = stacks(network, n_bands)
    return sum(2 * _weights(nodes) for name, nodes in used.items() if decoder or name != "decoder")


def training_step(network: Section, n_bands: int, pretraining: bool) -> Step:
    """A step of pretraining, which has the decoder, or of fine-tuning, which has not.

    The backward pass has two products for each of the forward pass, but none for the gradient of
    the measured fluxes.
    """
    used = stacks(network, n_bands)
    if not pretraining:
        used.pop("decoder", None)
    first = used["encoder" if "encoder" in used else "photoz"]
    weights = sum(map(_weights, used.values()))
    # Every hidden layer has two vectors of its own, the output layer one.
    vectors = sum(2 * sum(nodes[1:-1]) + nodes[-1] for nodes in used.values())
    return Step(
        products=3 * 2 * weights - 2 * first[0] * first[1],
        activations=sum(sum(nodes[1:-1]) for nodes in used.values()),
        parameters=weights + vectors,
        layers=sum(len(nodes) - 1 for nodes in used.values()),
    )


def stored_parameters(network: Section, n_bands: int) -> int:
    """Numbers in the file of one network: parameters, and two statistics for each hidden node."""
    whole = training_step(network, n_bands, pretraining=True)
    return whole.parameters + 2 * whole.activations


def step_work(step: Step, n_networks: int, batch: int, draws: int) -> float:
    """Seconds of one step besides its products, on the machine of the constants.

    Parameters
    ----------
    step : Step
    n_networks, batch : int
        Networks in lockstep, and galaxies of each.
    draws : int
        Random numbers for each galaxy.
    """
    galaxies = n_networks * batch
    return (
        galaxies * (PER_ACTIVATION * step.activations + PER_DRAW * draws)
        + n_networks * PER_PARAMETER * step.parameters
        + PER_LAYER * step.layers
        + PER_STEP
    )


def step_kernels(step: Step, n_networks: int) -> float:
    """Seconds of one step of networks in lockstep besides its products, by the clock of a GPU."""
    return step.layers * (GPU_PER_LAYER + n_networks * GPU_PER_NETWORK_LAYER)


def step_bytes(step: Step, n_networks: int, batch: int) -> int:
    """Memory of a step's activations, parameters and optimiser."""
    each = batch * BYTES_PER_ACTIVATION * step.activations + BYTES_PER_PARAMETER * step.parameters
    return n_networks * each


def epochs(finetuning: Section) -> int:
    """Passes over the training galaxies; the stepwise schedule has its own."""
    if finetuning["schedule"] == "stepwise":
        return int(sum(phase[0] for phase in finetuning["stepwise"]))
    return int(finetuning["epochs"])


def finetuning_steps(finetuning: Section, n_galaxies: int, extra_steps: int = 0) -> tuple[int, int]:
    """Steps, and galaxies of each, of a training on `n_galaxies` galaxies."""
    batch = max(1, min(finetuning["batch_size"], n_galaxies))
    return epochs(finetuning) * (n_galaxies // batch) + extra_steps, batch


def _weights(nodes: list[int]) -> int:
    return sum(a * b for a, b in pairwise(nodes))
