"""Composite stellar populations as matrix products."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.sps.dust import CALZETTI, DustLaw
from photoz.sps.grid import SSPGrid


@dataclass(frozen=True)
class Spectra:
    """Rest-frame spectra of n galaxies, per Msun formed.

    Attributes
    ----------
    wavelength : (w,) float64
        A, vacuum: centres of pixels uniform in ln(wavelength).
    continuum : (n, w) float32
        Stars and nebular continuum, pixel means, Lsun / A.
    line_wavelength : (l,) float64
        A, vacuum.
    lines : (n, l) float32
        Line luminosities, Lsun.
    """

    wavelength: NDArray[np.float64]
    continuum: NDArray[np.float32]
    line_wavelength: NDArray[np.float64]
    lines: NDArray[np.float32]


class PopulationModel:
    """Turns weights over SSPs into spectra, on the pixels that are needed.

    Fluxes are linear in log Z between metallicity nodes (FSPS). Nebular lines are interpolated in
    their logarithms over gas metallicity, log U and age, and scaled by the ionising photons of each
    SSP, as FSPS does; the nebular continuum, which hardly depends on these, is linear in the first
    two. Values beyond the tables are clamped.

    Parameters
    ----------
    grid : SSPGrid
    pixels : slice
        The wavelength pixels to compute.
    log_u_max : float
        Largest log U used. FSPS's tables end at -1 and clamp there, so that is the default.

    Attributes
    ----------
    matrices : list of (2 a + r, w) float32
        Per metallicity interval: the SSPs of its two ends and the nebular basis.
    young, last : int
        SSPs from `young` to before `last` have nebular tables of their own; younger ones see that
        of `young`.
    ionizing_rate : (m, last) float32
        Of these SSPs.
    log_lines : (m, u, k, l) float32
        Natural logarithms of the line luminosities per photon, at the ages of the k SSPs.
    coefficients : (m, u, k, r) float32
        The nebular continuum in its basis.
    """

    def __init__(self, grid: SSPGrid, pixels: slice = slice(None), log_u_max: float = -1.0) -> None:
        self.grid = grid
        self.wavelength = grid.wavelength[pixels]
        self.log_u_max = log_u_max
        coefficients, basis = grid.nebular_basis
        # Two neighbouring metallicities and the nebular basis, ready for one product.
        self.matrices = [
            np.concatenate([*grid.spectrum[m : m + 2, :, pixels], basis[:, pixels]])
            for m in range(grid.log_z.size - 1)
        ]
        # Every SSP up to the first nebular age sees the first table, hence one shared node.
        self.young = int(np.searchsorted(grid.log_age, grid.nebular_log_age[0] - 1e-9))
        last = int(np.searchsorted(grid.log_age, grid.nebular_log_age[-1] + 1e-9))
        ages = grid.log_age[self.young : last]
        self.log_lines = _at_ages(np.log(grid.line_luminosity + 1e-30), grid.nebular_log_age, ages)
        self.coefficients = _at_ages(coefficients, grid.nebular_log_age, ages)
        self.last = last
        self.ionizing_rate = grid.ionizing_rate[:, :last].astype(np.float32)

    def spectra(
        self,
        age_weights: NDArray[np.floating],
        logzsol: ArrayLike,
        gas_logu: ArrayLike,
        gas_logz: ArrayLike,
        window: slice = slice(None),
    ) -> Spectra:
        """Spectra of composite populations, without dust.

        Parameters
        ----------
        age_weights : (n, a) array
            Mass formed per SSP.
        logzsol : (n,) array
            log10(Z / Zsun) of the stars.
        gas_logu : (n,) array
            log10 of the ionisation parameter.
        gas_logz : (n,) array
            log10(Z / Zsun) of the gas.
        window : slice
            Of the model's pixels; the continuum is computed on these.

        Returns
        -------
        Spectra
        """
        weights = np.ascontiguousarray(age_weights, dtype=np.float32)
        number, ages = weights.shape
        if ages != self.grid.log_age.size:
            raise InputError(f"{ages} age weights for {self.grid.log_age.size} SSPs")
        zone, part = bracket(self.grid.log_z, logzsol, number)
        photons = self._photons(weights, zone, part)
        coefficients, lines = self._nebular(photons, gas_logu, gas_logz)
        wavelength = self.wavelength[window]
        continuum = np.empty((number, wavelength.size), dtype=np.float32)
        for m, matrix in enumerate(self.matrices):
            rows = np.flatnonzero(zone == m)
            if rows.size:
                right = part[rows, None] * weights[rows]
                left = weights[rows] - right
                share = np.concatenate([left, right, coefficients[rows]], axis=1)
                continuum[rows] = share @ matrix[:, window]
        return Spectra(wavelength, continuum, self.grid.line_wavelength, lines)

    def _photons(
        self, weights: NDArray[np.float32], zone: NDArray[np.intp], part: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Ionising photons (1e46 / s) of each nebular age node, (n, k)."""
        rate = self.ionizing_rate
        rate = rate[zone] + part[:, None] * (rate[zone + 1] - rate[zone])
        photons = weights[:, : self.last] * rate
        nodes = photons[:, self.young :].copy()
        nodes[:, 0] += photons[:, : self.young].sum(axis=1)
        return nodes

    def _nebular(
        self, photons: NDArray[np.float32], gas_logu: ArrayLike, gas_logz: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coefficients of the nebular basis (n, r) and line luminosities (n, l)."""
        number, nodes = photons.shape
        log_u = np.minimum(gas_logu, self.log_u_max)
        u, part_u = bracket(self.grid.nebular_log_u, log_u, number)
        z, part_z = bracket(self.grid.log_z, gas_logz, number)
        n_lines = self.log_lines.shape[-1]
        coefficients = np.zeros((number, self.coefficients.shape[-1]), dtype=np.float32)
        lines = np.empty((number, n_lines), dtype=np.float32)
        # Galaxies of one table cell together: products with shared corners, no large gathers.
        cell = z * self.grid.nebular_log_u.size + u
        order = np.argsort(cell, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
            if not rows.size:
                continue
            i, j = z[rows[0]], u[rows[0]]
            corner = np.stack(
                [
                    (1 - part_z[rows]) * (1 - part_u[rows]),
                    (1 - part_z[rows]) * part_u[rows],
                    part_z[rows] * (1 - part_u[rows]),
                    part_z[rows] * part_u[rows],
                ],
                axis=1,
            )
            box = (slice(i, i + 2), slice(j, j + 2))
            logs = corner @ self.log_lines[box].reshape(4, -1)
            np.exp(logs, out=logs)
            lines[rows] = (photons[rows, None] @ logs.reshape(-1, nodes, n_lines))[:, 0]
            weighted = (corner[:, :, None] * photons[rows, None]).reshape(rows.size, -1)
            coefficients[rows] = weighted @ self.coefficients[box].reshape(4 * nodes, -1)
        return coefficients, lines


def attenuate(spectra: Spectra, dust2: ArrayLike, law: DustLaw = CALZETTI) -> Spectra:
    """Put a dust screen in front of stars, nebular continuum and lines alike.

    Parameters
    ----------
    spectra : Spectra
    dust2 : (n,) array
        Optical depth at 5500 A (FSPS's ``dust2``): 0.921 R_V E(B - V).
    law : DustLaw

    Returns
    -------
    Spectra
    """
    depth = -np.asarray(dust2, dtype=np.float32).reshape(-1, 1)
    continuum = depth * law.optical_depth(spectra.wavelength).astype(np.float32)
    np.exp(continuum, out=continuum)
    continuum *= spectra.continuum
    lines = np.exp(depth * law.optical_depth(spectra.line_wavelength).astype(np.float32))
    return replace(spectra, continuum=continuum, lines=lines * spectra.lines)


def bracket(
    nodes: NDArray[np.float64], values: ArrayLike, number: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Lower node and position within the interval, clamped to the table."""
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (number,) or np.isnan(values).any():
        raise InputError(f"{number} finite values expected, got shape {values.shape} or NaN")
    left = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, nodes.size - 2)
    part = (values - nodes[left]) / (nodes[left + 1] - nodes[left])
    return left, np.clip(part, 0, 1).astype(np.float32)


def _at_ages(
    table: NDArray[np.floating], nodes: NDArray[np.float64], ages: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Interpolate (m, u, k, x) linearly from `nodes` to `ages`."""
    left = np.clip(np.searchsorted(nodes, ages + 1e-9, side="right") - 1, 0, nodes.size - 2)
    part = np.clip((ages - nodes[left]) / (nodes[left + 1] - nodes[left]), 0, 1)[:, None]
    return ((1 - part) * table[:, :, left] + part * table[:, :, left + 1]).astype(np.float32)
