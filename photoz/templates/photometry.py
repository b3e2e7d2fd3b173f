"""Fluxes and weights of galaxies as the fit needs them: narrow bands first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.templates.config import TemplateFitConfig
from photoz.templates.model import ModelGrid

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Photometry:
    """Fluxes of n galaxies over zero-points, with weights; narrow bands first.

    Attributes
    ----------
    flux, weight : (n, band)
        Flux and 1 / error^2, both 0 where not observed.
    constant : (n,)
        chi2 without a model.
    free, paired : (n,) bool
        Whether k is fitted (there are narrow and broad bands); whether only two templates may be
        used (there are broad bands alone).
    n_bands, n_narrow : (n,) int
        Measured bands.
    enough : (n,) bool
        Whether the bands suffice for a fit.
    limits : (2,)
        Bounds of k.
    order : (band,) int
        Position of each band in the catalogue.
    model_flux : (template, z, band) float32
        Model with its bands in this order, the narrow ones first.
    n_narrow_model : int
        Number of narrow bands in the model.
    """

    flux: _Array
    weight: _Array
    constant: _Array
    free: NDArray[np.bool_]
    paired: NDArray[np.bool_]
    n_bands: NDArray[np.int64]
    n_narrow: NDArray[np.int64]
    enough: NDArray[np.bool_]
    limits: _Array
    order: NDArray[np.int64]
    model_flux: NDArray[np.float32]
    n_narrow_model: int

    def __len__(self) -> int:
        return len(self.flux)

    def take(self, rows: NDArray[np.int64]) -> Photometry:
        """Some of the galaxies."""
        names = ("flux", "weight", "constant", "free", "paired", "n_bands", "n_narrow", "enough")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def prepare(
    model: ModelGrid,
    flux: ArrayLike,
    error: ArrayLike,
    config: TemplateFitConfig,
    zero_points: ArrayLike | None = None,
) -> Photometry:
    """Make the fit's input from a catalogue's.

    Parameters
    ----------
    model : ModelGrid
    flux, error : (n, band) array
        NaN (or an error that is not positive) where not observed.
    config : TemplateFitConfig
    zero_points : (band,) array, optional
        Factors l_i of the model.

    Raises
    ------
    InputError
        If the shapes are not those of the model, or a zero-point is not positive.
    """
    f, e = np.asarray(flux, dtype=np.float64), np.asarray(error, dtype=np.float64)
    if f.ndim != 2 or f.shape != e.shape or f.shape[1] != len(model.bands):
        raise InputError(
            f"template fit: flux {f.shape} and error {e.shape} for a model of {len(model.bands)} "
            "bands; select the catalogue's bands with ModelGrid.select_bands"
        )
    factor = np.ones(f.shape[1]) if zero_points is None else np.asarray(zero_points, np.float64)
    if factor.shape != (f.shape[1],) or not (np.isfinite(factor) & (factor > 0)).all():
        raise InputError(f"template fit: {f.shape[1]} positive zero-points expected")
    share = np.where(model.is_narrow, config.error_narrow, config.error_broad)
    seen = np.isfinite(f) & np.isfinite(e) & (e > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(seen, (e**2 + (share * f) ** 2) / factor**2, np.inf)
        weight = 1.0 / variance
    value = np.where(seen, f, 0.0) / factor
    order = np.argsort(~model.is_narrow, kind="stable")
    n_narrow = (seen & model.is_narrow).sum(axis=1)
    n_bands = seen.sum(axis=1)
    both = (n_narrow > 0) & (n_bands > n_narrow)
    return Photometry(
        flux=value[:, order],
        weight=weight[:, order],
        constant=(weight * value**2).sum(axis=1),
        free=both & config.fit_scale,
        paired=n_narrow == 0,
        n_bands=n_bands,
        n_narrow=n_narrow,
        enough=n_bands >= config.minimum_bands,
        limits=np.array([config.scale_min, config.scale_max]),
        order=order,
        model_flux=model.ordered_flux,
        n_narrow_model=int(model.is_narrow.sum()),
    )
