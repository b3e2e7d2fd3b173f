"""Photometric redshifts by template fits: p(z) of a catalogue (the paper's appendix A)."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.memory import Batches
from photoz.pdf.grid import GridPDF
from photoz.progress import track
from photoz.templates.config import TemplateFitConfig
from photoz.templates.kernels import LANES, MAX_TEMPLATES, add_run, fit_intervals, fit_nodes
from photoz.templates.model import ModelGrid
from photoz.templates.multiplicative import multiplicative
from photoz.templates.photometry import Photometry, prepare
from photoz.templates.run_prior import RunPrior

logger = logging.getLogger(__name__)

FLAG_FINE, FLAG_TOO_FEW_BANDS = 0, 1
_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TemplateFit:
    """Result of a template fit of n galaxies.

    Attributes
    ----------
    pdf : GridPDF
        p(z) on the model's redshifts; NaN for galaxies with a flag.
    columns : dict of (n,) arrays
        chi2 (minimum over runs and redshifts), best_run (position of the run that contributes
        most at the mode), colour_excess (its E(B-V)), scale (its k), qz (`quality`), n_bands,
        n_narrow (bands that entered the fit) and flag (0 fine, 1 too few bands: the rest is NaN,
        best_run -1).
    """

    pdf: GridPDF
    columns: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pdf)


@dataclass(frozen=True, eq=False)
class Curves:
    """chi2 of galaxies over redshift: what p(z) is made of.

    Attributes
    ----------
    least : (g, z)
        chi2, plus -2 ln prior if there is one, of the best run; inf where not fitted because it
        is far above the minimum.
    run, scale : (g, z)
        The best run and its k.
    density : (g, z)
        Sum over runs of exp(-(chi2 + penalty - least) / 2): 1 or more where fitted.
    fitted : int
        Number of problems solved: galaxies x runs x redshifts.
    """

    least: _Array
    run: NDArray[np.int64]
    scale: _Array
    density: _Array
    fitted: int


def fit_catalogue(
    model: ModelGrid,
    flux: ArrayLike,
    error: ArrayLike,
    config: TemplateFitConfig | None = None,
    zero_points: ArrayLike | None = None,
    run_prior: RunPrior | None = None,
    magnitude: ArrayLike | None = None,
) -> TemplateFit:
    """Fit galaxies in chunks of bounded memory, on one core.

    Parameters
    ----------
    model : ModelGrid
        Its bands are the columns of `flux`: see `ModelGrid.select_bands`.
    flux, error : (n, band) array
        In any linear unit; NaN (or an error that is not positive) where not observed.
    config : TemplateFitConfig, optional
    zero_points : (band,) array, optional
        l_i of equation A4: the model is multiplied by them.
    run_prior : RunPrior, optional
        Weights of the runs; it needs `magnitude`.
    magnitude : (n,) array, optional
        In the reference band.

    Raises
    ------
    InputError
        If shapes disagree, or the prior was learned for other runs.
    """
    config = config or TemplateFitConfig()
    photometry = prepare(model, flux, error, config, zero_points)
    if run_prior is not None:
        run_prior.check(model)
        if magnitude is None:
            raise InputError("template fit: a prior on runs needs the galaxies' magnitudes")
    magnitudes = np.asarray(np.nan if magnitude is None else magnitude, dtype=np.float64)
    n = len(photometry)
    magnitudes = np.broadcast_to(magnitudes, (n,))
    if config.method == "exact":
        compile_kernels()
    density = np.full((n, len(model.redshift)), np.nan)
    size = config.chunk_size
    chi2, scale = np.full(n, np.nan), np.full(n, np.nan)
    best_run = np.full(n, -1, dtype=np.int16)
    usable = np.flatnonzero(photometry.enough)
    chunks = [usable[i : i + config.chunk_size] for i in range(0, len(usable), config.chunk_size)]
    for number in track(len(chunks), "template fit", "chunks"):
        batches = Batches(len(chunks[number]), size, "template fit")
        for batch in batches:
            with batches.attempt():
                rows = chunks[number][batch]
                penalty = None
                if run_prior is not None:
                    penalty = run_prior.penalty(model.redshift, magnitudes[rows])
                curves = chi2_curves(model, photometry.take(rows), config, penalty)
                density[rows] = probability(model.redshift, curves)
                mode = density[rows].argmax(axis=1)
                each = np.arange(len(rows))
                best_run[rows] = curves.run[each, mode]
                scale[rows] = curves.scale[each, mode]
                chi2[rows] = _least_chi2(curves, penalty)
        size = batches.size
    pdf = GridPDF(model.redshift, density)
    excess = np.array([run.colour_excess for run in model.runs] + [np.nan])
    columns: dict[str, NDArray[np.generic]] = {
        "chi2": chi2,
        "best_run": best_run,
        "colour_excess": excess[best_run],
        "scale": scale,
        "qz": quality(pdf, chi2, photometry.n_bands),
        "n_bands": photometry.n_bands.astype(np.int16),
        "n_narrow": photometry.n_narrow.astype(np.int16),
        "flag": np.where(photometry.enough, FLAG_FINE, FLAG_TOO_FEW_BANDS).astype(np.int8),
    }
    return TemplateFit(pdf, columns)


def _least_chi2(curves: Curves, penalty: _Array | None) -> _Array:
    """Minimum of chi2 itself, without the prior's share: (g,)."""
    value = curves.least
    if penalty is not None:
        galaxy, node = np.indices(value.shape)
        value = value - penalty[curves.run, node, galaxy]
    return value.min(axis=1)


def quality(pdf: GridPDF, chi2: ArrayLike, n_bands: ArrayLike) -> _Array:
    """Qz, small where a redshift is to be trusted (Brammer et al. 2008; Eriksen et al. 2019).

    Qz = chi2 / (n_bands - 3) x pz_width / ODDS, with pz_width the distance between the 1 and 99 per
    cent quantiles of p(z) and ODDS the probability within 0.01 (1 + z) of the mode.

    Parameters
    ----------
    pdf : GridPDF
    chi2, n_bands : (n,) array
        Minimum of chi2, and number of bands fitted.

    Returns
    -------
    (n,) array
    """
    mode = pdf.mode()
    tails = pdf.quantile([0.01, 0.99])
    half = 0.01 * (1 + mode)
    edges = pdf.cdf(np.stack([mode - half, mode + half], axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        reduced = np.asarray(chi2) / np.maximum(np.asarray(n_bands) - 3, 1)
        return reduced * (tails[:, 1] - tails[:, 0]) / (edges[:, 1] - edges[:, 0])


def probability(redshift: _Array, curves: Curves) -> _Array:
    """p(z) (g, z), not normalised, from chi2; between fitted redshifts ln p is linear."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(curves.density) - 0.5 * curves.least
    logarithm -= logarithm.max(axis=1, keepdims=True)
    for row in logarithm:
        known = np.isfinite(row)
        row[~known] = np.interp(redshift[~known], redshift[known], row[known])
    return np.exp(logarithm)


def chi2_curves(
    model: ModelGrid,
    photometry: Photometry,
    config: TemplateFitConfig,
    penalty: _Array | None = None,
    every_run: _Array | None = None,
) -> Curves:
    """Minimise chi2 of galaxies at every run and redshift that matters.

    With `config.coarse_step` > 1, every so many redshifts are fitted in every run first. An
    interval between two of them is filled in where chi2 may come within `delta_chi2` of the best:

        min(left, right) - margin x max(|steps of chi2 to, within and from it|) < best + delta_chi2.

    The middle term is how far chi2 would fall if it fell inside as it does outside; `best`, of all
    runs at the coarse redshifts, is never below the true minimum, which errs on the safe side.

    Parameters
    ----------
    model : ModelGrid
    photometry : Photometry
        Galaxies with enough bands.
    config : TemplateFitConfig
    penalty : (run, z, g) array, optional
        -2 ln prior.
    every_run : (run, z, g) array, optional
        Written: chi2 of every run, inf where not fitted.
    """
    n, n_z, n_runs = len(photometry), len(model.redshift), len(model.runs)
    least, density = np.full((n_z, n), np.inf), np.zeros((n_z, n))
    run, scale = np.zeros((n_z, n), dtype=np.int64), np.ones((n_z, n))
    search = _Multiplicative if config.method == "multiplicative" else _Exact
    engine = search(model, photometry, config, penalty)
    none = np.zeros((0, 0))
    for r in range(n_runs):
        chi2, own_scale = engine.run(r)
        if every_run is not None:
            every_run[r] = chi2
        own = none if penalty is None else penalty[r]
        add_run(chi2, own_scale, r, own, least, run, scale, density)
    return Curves(least.T, run.T, scale.T, density.T, engine.fitted)


class _Exact:
    """chi2 of each run by exact minimisation, coarse to fine."""

    def __init__(
        self,
        model: ModelGrid,
        photometry: Photometry,
        config: TemplateFitConfig,
        penalty: _Array | None,
    ) -> None:
        largest = max(len(names) for names in model.templates)
        if largest > MAX_TEMPLATES:
            raise InputError(f"a template run has {largest} templates; at most {MAX_TEMPLATES}")
        self.model, self.config, self.penalty = model, config, penalty
        n, n_z = len(photometry), len(model.redshift)
        self.n, self.fitted = n, 0
        width = -(-n // LANES) * LANES
        self.weight = np.zeros((len(model.bands), width))
        self.weighted = np.zeros_like(self.weight)
        self.weight[:, :n] = photometry.weight.T
        self.weighted[:, :n] = photometry.weight.T * photometry.flux.T
        self.shared = (photometry.constant, photometry.free, photometry.paired, photometry.limits)
        self.flux, self.n_narrow = photometry.model_flux, photometry.n_narrow_model
        self.nodes = np.union1d(np.arange(0, n_z, config.coarse_step), [n_z - 1])
        shape = (len(model.runs), len(self.nodes), n)
        self.chi2 = np.empty(shape)
        self.masks, self.scales = np.empty(shape, np.int64), np.empty(shape)
        for r in range(len(model.runs)):
            start = np.zeros(n, np.int64), np.ones(n)
            result = self.chi2[r], self.masks[r], self.scales[r]
            fit_nodes(*self._problem(r, self.nodes), *self.shared, *start, *result)
        self.fitted = self.chi2.size
        self.best = self._penalised(slice(None)).min(axis=(0, 1))

    def _problem(self, run: int, nodes: NDArray[np.int64]) -> tuple[object, ...]:
        first = int(self.model.first[run])
        size = int(self.model.first[run + 1]) - first
        return (self.flux, first, size, nodes, self.n_narrow, self.weight, self.weighted)

    def _penalised(self, run: int | slice) -> _Array:
        """chi2 + penalty at the coarse redshifts."""
        if self.penalty is None:
            return self.chi2[run]
        return self.chi2[run] + self.penalty[run][..., self.nodes, :]

    def run(self, run: int) -> tuple[_Array, _Array]:
        """chi2 and k of a run, (z, g) each; chi2 is inf where not fitted."""
        chi2 = np.full((len(self.model.redshift), self.n), np.inf)
        scale = np.ones_like(chi2)
        chi2[self.nodes], scale[self.nodes] = self.chi2[run], self.scales[run]
        if self.config.coarse_step == 1:
            return chi2, scale
        coarse = self._penalised(run)
        step = np.abs(np.diff(coarse, axis=0))
        nearby = step.copy()
        np.maximum(nearby[1:], step[:-1], out=nearby[1:])
        np.maximum(nearby[:-1], step[1:], out=nearby[:-1])
        lowest = np.minimum(coarse[1:], coarse[:-1]) - self.config.margin * nearby
        chosen = lowest < self.best + self.config.delta_chi2
        if chosen.any():
            start = self.masks[run], self.scales[run]
            self.fitted += fit_intervals(
                *self._problem(run, self.nodes)[:4],
                *(chosen, self.n_narrow, self.weight, self.weighted),
                *(*self.shared, *start, chi2, scale),
            )
        return chi2, scale


class _Multiplicative:
    """chi2 of each run by the published update, at all redshifts, one galaxy after the other."""

    def __init__(
        self,
        model: ModelGrid,
        photometry: Photometry,
        config: TemplateFitConfig,
        penalty: _Array | None,
    ) -> None:
        self.model, self.photometry, self.config = model, photometry, config
        self.fitted = 0

    def run(self, run: int) -> tuple[_Array, _Array]:
        """chi2 and k of a run, (z, g) each."""
        data, config = self.photometry, self.config
        first, last = self.model.first[run : run + 2]
        flux = data.model_flux[first:last]
        narrow = np.arange(flux.shape[2]) < data.n_narrow_model
        results = [
            multiplicative(
                *(flux, narrow, data.flux[g], data.weight[g], bool(data.free[g])),
                (config.scale_min, config.scale_max),
                config.iterations,
                config.scale_every,
            )
            for g in range(len(data))
        ]
        self.fitted += len(data) * flux.shape[1]
        return np.stack([r[0] for r in results], 1), np.stack([r[1] for r in results], 1)


@cache
def compile_kernels() -> None:
    """Compile the kernels, or load them from numba's cache; says in the log which it was."""
    started = time.perf_counter()
    logger.info("template fit: getting the compiled kernels")
    flux = np.ones((1, 2, 2), np.float32)
    nodes = np.array([0, 1])
    one = np.ones((2, LANES))
    truth = np.zeros(1, np.bool_)
    shared = (np.ones(1), truth, truth, np.ones(2))
    state = np.zeros((2, 1), np.int64), np.ones((2, 1))
    values = np.ones((2, 1))
    fit_nodes(
        *(flux, 0, 1, nodes, 1, one, one, *shared, state[0][0], state[1][0]),
        *(values, state[0], state[1]),
    )
    chosen = np.ones((1, 1), np.bool_)
    fit_intervals(flux, 0, 1, nodes, chosen, 1, one, one, *shared, *state, values, state[1])
    add_run(values, values, 0, np.zeros((0, 0)), values.copy(), state[0], values.copy(), values)
    spent = time.perf_counter() - started
    compiled = sum(fit_nodes.stats.cache_misses.values())
    logger.info(
        "template fit: kernels %s in %.1f s",
        "compiled (once; numba keeps them)" if compiled else "loaded from numba's cache",
        spent,
    )
