"""A prior on runs by redshift and magnitude, learned from galaxies with known redshifts.

At a given magnitude the dusty starburst that looks like an elliptical at another redshift is rare.
The prior is P(run | redshift, magnitude): it favours runs, not redshifts, so sparse redshifts are
not held against a galaxy.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.checksums import sealed, unsealed
from photoz.files import InputError, replace_when_done, require_file
from photoz.survey.catalogue import Catalogue
from photoz.templates.at_redshift import fit_at_redshift
from photoz.templates.config import TemplateFitConfig
from photoz.templates.model import ModelGrid
from photoz.templates.photometry import prepare

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RunPrior:
    """P(run | redshift, magnitude), linear between the centres of cells, constant beyond them.

    Attributes
    ----------
    runs : tuple of str
        Names of the runs.
    redshift, magnitude : (a,), (b,)
        Centres of the cells, ascending.
    weight : (run, a, b)
        Probability of each run, adding up to 1 over runs.
    """

    runs: tuple[str, ...]
    redshift: _Array
    magnitude: _Array
    weight: _Array

    def check(self, model: ModelGrid) -> None:
        """Raise InputError unless the prior was learned for the runs of a model."""
        names = tuple(run.name for run in model.runs)
        if names != self.runs:
            raise InputError(
                f"the prior was learned for {len(self.runs)} other runs than the {len(names)} of "
                "the template model; learn it again"
            )

    def penalty(self, redshift: ArrayLike, magnitude: ArrayLike) -> _Array:
        """-2 ln P, what the prior adds to chi2.

        Parameters
        ----------
        redshift : (z,) array
        magnitude : (g,) array
            A galaxy without a magnitude (NaN) gets the mean over magnitudes.

        Returns
        -------
        (run, z, g) array
        """
        magnitude = np.asarray(magnitude, dtype=np.float64)
        along_z = _hats(np.asarray(redshift, dtype=np.float64), self.redshift)
        along_m = _hats(magnitude, self.magnitude)
        along_m[~np.isfinite(magnitude)] = 1.0 / len(self.magnitude)
        weight = np.einsum("rab,za,gb->rzg", self.weight, along_z, along_m, optimize=True)
        return -2.0 * np.log(weight)


def _hats(x: _Array, nodes: _Array) -> _Array:
    """Weights (x, node) of linear interpolation, constant beyond the ends."""
    columns = [np.interp(x, nodes, unit) for unit in np.eye(len(nodes))]
    return np.stack(columns, axis=1)


def learn_run_prior(
    model: ModelGrid,
    catalogue: Catalogue,
    train_mask: ArrayLike,
    config: TemplateFitConfig | None = None,
    zero_points: ArrayLike | None = None,
    n_redshift: int = 6,
    n_magnitude: int = 4,
    rounds: int = 5,
    pseudo_galaxies: float = 20.0,
) -> RunPrior:
    """Learn the shares of the runs among galaxies fitted at their spectroscopic redshifts.

    A galaxy counts for each run by exp(-chi2 / 2) x prior, and the shares are made anew from these
    counts (expectation maximisation). A cell of few galaxies borrows from the whole sample, and the
    whole sample from equal shares, so that no run is ruled out.

    Parameters
    ----------
    model : ModelGrid
    catalogue : Catalogue
        Magnitudes are its `mag_i`.
    train_mask : (n,) bool
    config : TemplateFitConfig, optional
    zero_points : (band,) array, optional
    n_redshift, n_magnitude : int
        Number of cells, each with as many galaxies as the others of its kind.
    rounds : int
    pseudo_galaxies : float
        Weight of what a cell borrows.

    Raises
    ------
    InputError
        If fewer than ten training galaxies have a magnitude, a redshift and enough bands.
    """
    config = config or TemplateFitConfig()
    model = model.select_bands(catalogue.bands)
    z = np.asarray(catalogue.redshift, dtype=np.float64)
    magnitude = np.asarray(catalogue.mag_i, dtype=np.float64)
    photometry = prepare(model, catalogue.flux, catalogue.error, config, zero_points)
    with np.errstate(invalid="ignore"):
        inside = (z >= model.redshift[0]) & (z <= model.redshift[-1]) & np.isfinite(magnitude)
    rows = np.flatnonzero(np.asarray(train_mask, dtype=bool) & inside & photometry.enough)
    if len(rows) < 10:
        raise InputError(f"a prior on runs from {len(rows)} galaxies; at least 10 needed")
    chi2 = fit_at_redshift(model, photometry.take(rows), z[rows]).every_run
    likelihood = np.exp(-0.5 * (chi2 - chi2.min(axis=1, keepdims=True)))
    z_cell, z_centre = _cells(z[rows], n_redshift)
    m_cell, m_centre = _cells(magnitude[rows], n_magnitude)
    n_runs = len(model.runs)
    weight = np.full((n_runs, len(z_centre), len(m_centre)), 1.0 / n_runs)
    for _ in range(rounds):
        share = likelihood * weight[:, z_cell, m_cell].T
        share /= share.sum(axis=1, keepdims=True)
        whole = share.sum(axis=0) + pseudo_galaxies / n_runs
        whole /= whole.sum()
        counts = np.zeros_like(weight)
        np.add.at(counts.transpose(1, 2, 0), (z_cell, m_cell), share)
        weight = counts + pseudo_galaxies * whole[:, None, None]
        weight /= weight.sum(axis=0)
    return RunPrior(tuple(run.name for run in model.runs), z_centre, m_centre, weight)


def _cells(values: _Array, number: int) -> tuple[NDArray[np.int64], _Array]:
    """Cell of each value and median of each cell; equal numbers, fewer cells if values repeat."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, number + 1)[1:-1]))
    cell = np.searchsorted(edges, values, side="right")
    used, cell = np.unique(cell, return_inverse=True)
    centres = np.array([np.median(values[cell == i]) for i in range(len(used))])
    return cell.astype(np.int64), centres


def write_run_prior(path: str | os.PathLike[str], prior: RunPrior) -> None:
    """Write a prior as JSON."""
    content = {
        "runs": list(prior.runs),
        "redshift": prior.redshift.tolist(),
        "magnitude": prior.magnitude.tolist(),
        "weight": prior.weight.tolist(),
    }
    with replace_when_done(path) as temporary:
        temporary.write_text(json.dumps(sealed(content)) + "\n", encoding="utf-8")


def read_run_prior(path: str | os.PathLike[str]) -> RunPrior:
    """Read a prior written by `write_run_prior`.

    Raises
    ------
    InputError
        If the file is absent or damaged.
    """
    path = require_file(path, "prior on runs")
    try:
        content = unsealed(json.loads(path.read_text(encoding="utf-8")))
        prior = RunPrior(
            tuple(str(name) for name in content["runs"]),
            *(np.array(content[key], np.float64) for key in ("redshift", "magnitude", "weight")),
        )
        shape = (len(prior.runs), len(prior.redshift), len(prior.magnitude))
        if prior.weight.shape != shape or not (prior.weight > 0).all():
            raise ValueError("the weights do not match the cells")
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a prior on runs, or damaged ({error})") from error
    return prior
