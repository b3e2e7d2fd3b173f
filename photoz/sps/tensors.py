"""The same fluxes on a torch device: a GPU where a job has one.

`photoz.sps.population` and `photoz.sps.projection` define the model and own its tables. Here their
products run as tensors. Small things, such as which rows of a table a galaxy needs, stay in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photoz.sps.dust import DustLaw
from photoz.sps.grid import SSPGrid
from photoz.sps.history import age_quadrature, oldest_interval, star_formation
from photoz.sps.population import PopulationModel, bracket
from photoz.sps.projection import BandProjector

Batch = Mapping[str, NDArray[np.float64]]


class TensorModel:
    """Band fluxes of star-forming histories, gas and dust at a redshift, on a device.

    Parameters
    ----------
    grid : SSPGrid
    projector : BandProjector
        Made for ``grid.wavelength`` and ``grid.line_wavelength``.
    law : DustLaw
        Attenuation law of all galaxies.
    device : str or torch.device
    """

    def __init__(
        self,
        grid: SSPGrid,
        projector: BandProjector,
        law: DustLaw,
        device: str | torch.device,
    ) -> None:
        self.grid, self.projector = grid, projector
        self.device = torch.device(device)
        self.model = model = PopulationModel(grid, projector.pixels)
        self.ages = age_quadrature(grid.log_age)
        self._lookback = self._tensor(self.ages.lookback)
        self._share = self._tensor(self.ages.share)
        self._constant = self._tensor(self.ages.constant)
        self._matrices = [self._tensor(matrix) for matrix in model.matrices]
        self._rate = self._tensor(model.ionizing_rate)
        # One row per node of the nebular tables in log Z and log U.
        self._log_lines, self._coefficients = (
            self._tensor(table.reshape(-1, *table.shape[2:]))
            for table in (model.log_lines, model.coefficients)
        )
        self._continuum_depth = self._float(law.optical_depth(model.wavelength))
        self._line_depth = self._float(law.optical_depth(grid.line_wavelength))
        self._phases = [self._tensor(matrix) for matrix in projector.phases]
        self._response = self._tensor(projector.line_response)

    def fluxes(self, batch: Batch) -> NDArray[np.float32]:
        """Band fluxes (n, band) in maggies of galaxies with the parameters of `simulate_fluxes`."""
        redshift = batch["redshift"]
        window = self.projector.window(redshift)
        weights = self._age_weights(batch)
        zone, part = bracket(self.grid.log_z, batch["logzsol"], redshift.size)
        metal = self._tensor(part)[:, None]
        photons = self._photons(weights, self._tensor(zone), metal)
        coefficients, lines = self._nebular(photons, batch)
        right = metal * weights
        shares = torch.cat([weights - right, right, coefficients], dim=1)
        continuum = self._empty(redshift.size, window.stop - window.start)
        for m, matrix in enumerate(self._matrices):
            rows = self._tensor(np.flatnonzero(zone == m))
            continuum[rows] = shares[rows] @ matrix[:, window]
        depth = -self._float(batch["dust2"])[:, None]
        continuum *= torch.exp(depth * self._continuum_depth[window])
        lines *= torch.exp(depth * self._line_depth)
        flux = self._continuum_fluxes(continuum, redshift, window.start)
        flux += self._line_fluxes(lines, redshift)
        flux *= self._float(self.projector.dimming(redshift))[:, None]
        return flux.cpu().numpy()

    def _age_weights(self, batch: Batch) -> Tensor:
        """Mass formed per SSP (n, a), as `photoz.sps.history.age_weights`."""
        history = star_formation(
            batch["tage"], batch["tau"], batch["const"], batch["sf_start"], self.grid.log_age
        )
        ssp, *oldest = (self._tensor(x) for x in oldest_interval(*history[:2], self.ages))
        length, tau, const = (self._tensor(x)[:, None] for x in history)
        since = self._lookback - length
        # A node counts if the interval it is in ends before the first stars.
        ends = self._tensor(np.repeat(self.ages.age, len(since[0]) // self.ages.age.size))
        since = since.masked_fill(ends > length, -torch.inf).float() / tau.float()
        exponential = (torch.exp(since) @ self._share).double()
        full = torch.searchsorted(self._tensor(self.ages.age), length[:, 0], right=True)
        constant = self._constant[full]
        row = torch.arange(len(ssp), device=self.device)
        for total, added in zip((exponential, constant), oldest, strict=True):
            total[row, ssp] += added[:, 1]
            total[row, (ssp - 1).clamp(min=0)] += added[:, 0]
        exponential *= (1 - const) / exponential.sum(dim=1, keepdim=True)
        constant *= const / constant.sum(dim=1, keepdim=True)
        return (exponential + constant).float()

    def _photons(self, weights: Tensor, zone: Tensor, part: Tensor) -> Tensor:
        """Ionising photons of each nebular age node (n, k)."""
        young, last = self.model.young, self.model.last
        rate = self._rate[zone] + part * (self._rate[zone + 1] - self._rate[zone])
        photons = weights[:, :last] * rate
        nodes = photons[:, young:].clone()
        nodes[:, 0] += photons[:, :young].sum(dim=1)
        return nodes

    def _nebular(self, photons: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Coefficients of the nebular basis (n, r) and line luminosities (n, l)."""
        number = len(photons)
        log_u = np.minimum(batch["gas_logu"], self.model.log_u_max)
        u, part_u = bracket(self.grid.nebular_log_u, log_u, number)
        z, part_z = bracket(self.grid.log_z, batch["gas_logz"], number)
        corners = [
            (
                self._tensor((z + i) * self.grid.nebular_log_u.size + u + j),
                self._tensor((part_z if i else 1 - part_z) * (part_u if j else 1 - part_u)),
            )
            for i in (0, 1)
            for j in (0, 1)
        ]

        def interpolated(table: Tensor) -> Tensor:
            return sum(
                (part[:, None, None] * table[node] for node, part in corners),
                self._empty(1, 1, 1).zero_(),
            )

        coefficients = photons[:, None] @ interpolated(self._coefficients)
        lines = photons[:, None] @ interpolated(self._log_lines).exp_()
        return coefficients[:, 0], lines[:, 0]

    def _continuum_fluxes(
        self, continuum: Tensor, redshift: NDArray[np.float64], start: int
    ) -> Tensor:
        first, phase, part = self.projector.shift(redshift)
        windows = continuum.unfold(1, self.projector.width, 1)
        n_bands = len(self.projector.bands)
        result = self._empty(redshift.size, n_bands)
        for p, matrix in enumerate(self._phases):
            rows = np.flatnonzero(phase == p)
            offset = self._tensor(first[rows] - self.projector.pixels.start - start)
            on_device = self._tensor(rows)
            both = windows[on_device, offset] @ matrix
            left, right = both[:, :n_bands], both[:, n_bands:]
            result[on_device] = left + self._tensor(part[rows])[:, None] * (right - left)
        return result / self._float(1 + redshift)[:, None]

    def _line_fluxes(self, lines: Tensor, redshift: NDArray[np.float64]) -> Tensor:
        left, part, seen = self.projector.line_positions(redshift)
        right, node = self._tensor(part), self._tensor(left)
        bright = lines[:, self._tensor(seen)]
        weights = torch.cat([bright * (1 - right), bright * right], dim=1)
        response = self._response[torch.cat([node, node + 1], dim=1)]
        return (weights[:, None, :] @ response)[:, 0]

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.as_tensor(array, device=self.device)

    def _float(self, array: NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=self.device)

    def _empty(self, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=torch.float32, device=self.device)
