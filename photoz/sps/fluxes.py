"""From physical parameters to band fluxes, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.memory import Batches
from photoz.sps.dust import CALZETTI, DustLaw
from photoz.sps.grid import SSPGrid
from photoz.sps.history import age_weights
from photoz.sps.population import PopulationModel, attenuate
from photoz.sps.projection import BandProjector

_HISTORY = ("tage", "tau", "const", "sf_start")
PARAMETERS = ("redshift", "logzsol", "dust2", "gas_logu", "gas_logz", *_HISTORY)
"""Names of the physical parameters of a simulated galaxy (Table 1 and those tied to it)."""
_Model = Callable[[dict[str, NDArray[np.float64]]], NDArray[np.float32]]
_BATCH = 512  # spectra in flight: 4 MB, which stays in the cache
_DEVICE_BATCH = 8192  # half a GB on a device, which wants fewer and larger products


def simulate_fluxes(
    grid: SSPGrid,
    projector: BandProjector,
    parameters: Mapping[str, ArrayLike],
    *,
    law: DustLaw = CALZETTI,
    device: str | None = None,
) -> NDArray[np.float32]:
    """Band fluxes of galaxies of 1 Msun formed (section 3.2.2).

    Parameters
    ----------
    grid : SSPGrid
    projector : BandProjector
        Made for ``grid.wavelength`` and ``grid.line_wavelength``.
    parameters : mapping of (n,) arrays
        redshift, logzsol, tage, tau, const, sf_start, dust2, gas_logu, gas_logz.
    law : DustLaw
        Attenuation law of all galaxies.
    device : str, optional
        A torch device such as ``cuda``, to compute there; without it numpy does. The two agree to
        a few 1e-6.

    Returns
    -------
    (n, band) float32
        maggies (3631 Jy), in the order of the galaxies.

    Raises
    ------
    InputError
        If a parameter is missing or outside its domain.
    """
    missing = [name for name in PARAMETERS if name not in parameters]
    if missing:
        raise InputError(
            f"parameters: {', '.join(missing)} missing; {', '.join(PARAMETERS)} are needed"
        )
    values = {name: np.asarray(parameters[name], dtype=np.float64) for name in PARAMETERS}
    redshift = values["redshift"]
    if not np.all((redshift >= 0) & (redshift <= projector.redshift_max)):
        raise InputError(f"redshifts must lie in [0, {projector.redshift_max:g}]")
    compute, size = _numpy_model(grid, projector, law), _BATCH
    if device is not None:
        from photoz.sps.tensors import TensorModel

        compute, size = TensorModel(grid, projector, law, device).fluxes, _DEVICE_BATCH
    fluxes = np.empty((redshift.size, len(projector.bands)), dtype=np.float32)
    # Neighbours in redshift see the same lines and the same part of the tables.
    order = np.argsort(redshift, kind="stable")
    batches = Batches(order.size, size, "simulation")
    for batch in batches:
        with batches.attempt():
            rows = order[batch]
            fluxes[rows] = compute({name: value[rows] for name, value in values.items()})
    return fluxes


def _numpy_model(grid: SSPGrid, projector: BandProjector, law: DustLaw) -> _Model:
    """Fluxes of a batch, step by step."""
    model = PopulationModel(grid, projector.pixels)

    def fluxes(batch: dict[str, NDArray[np.float64]]) -> NDArray[np.float32]:
        window = projector.window(batch["redshift"])
        tage, tau, const, sf_start = (batch[name] for name in _HISTORY)
        mass = age_weights(tage, tau, const, sf_start, grid.log_age)
        gas = batch["gas_logu"], batch["gas_logz"]
        spectra = model.spectra(mass, batch["logzsol"], *gas, window)
        spectra = attenuate(spectra, batch["dust2"], law)
        return projector.fluxes(spectra.continuum, spectra.lines, batch["redshift"], window)

    return fluxes
