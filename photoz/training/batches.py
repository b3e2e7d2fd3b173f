"""Which galaxies each network of a training is shown at a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor


class TrainingBatches:
    """Each network's own stream of batches, reshuffled every epoch.

    With weights an epoch draws as many galaxies, some of them several times and others never.
    """

    def __init__(
        self,
        members: Sequence[np.ndarray],
        batch: int,
        generators: list[torch.Generator],
        weights: Sequence[np.ndarray] | None = None,
    ) -> None:
        device = generators[0].device
        self.weights: list[Tensor] | None = None
        if weights is not None:
            self.weights = [torch.as_tensor(w, device=device) for w in weights]
        self.indices = [torch.as_tensor(m, device=device) for m in members]
        self.batch, self.generators = batch, generators
        self.left: list[Tensor] = [x[:0] for x in self.indices]

    def next(self, evenly: bool = False) -> Tensor:
        """Galaxies of the next step, (network, batch); weights act where `evenly` is not set."""
        rows = []
        for k, g in enumerate(self.generators):
            if len(self.left[k]) < self.batch:
                self.left[k] = self.indices[k][self._order(k, g, evenly)]
            rows.append(self.left[k][: self.batch])
            self.left[k] = self.left[k][self.batch :]
        return torch.stack(rows)

    def _order(self, k: int, generator: torch.Generator, evenly: bool) -> Tensor:
        n = len(self.indices[k])
        if self.weights is None or evenly:
            return torch.randperm(n, generator=generator, device=generator.device)
        return torch.multinomial(self.weights[k], n, replacement=True, generator=generator)

    def state(self, name: str) -> dict[str, Tensor]:
        """Galaxies that are still to come in this epoch, as tensors of a checkpoint."""
        return {f"{name}.{k}": left for k, left in enumerate(self.left)}

    def restore(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Go on where `state` was."""
        self.left = [tensors[f"{name}.{k}"].to(x.device) for k, x in enumerate(self.left)]
