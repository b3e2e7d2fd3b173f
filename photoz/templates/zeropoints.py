"""Zero-points of the bands from galaxies with known redshifts (l_i of equation A4)."""

from __future__ import annotations

import json
import logging
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

logger = logging.getLogger(__name__)

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ZeroPoints:
    """Factors of the model in every band.

    Attributes
    ----------
    bands : tuple of str
    factor : (band,)
        l_i: the observed flux is l_i times the model's.
    history : (round + 1, band)
        The factors before the first round (all 1) and after each.
    n_galaxies : int
        Galaxies they were made from.
    """

    bands: tuple[str, ...]
    factor: _Array
    history: _Array
    n_galaxies: int


def calibrate_zero_points(
    model: ModelGrid,
    catalogue: Catalogue,
    train_mask: ArrayLike,
    config: TemplateFitConfig | None = None,
) -> ZeroPoints:
    """Iterate zero-points from the best models at the spectroscopic redshifts of some galaxies.

    In each round the zero-point of a band becomes the one that makes the median of
    flux / (l model), weighted by the signal-to-noise of the model, one: half of the weight of the
    residuals lies on either side, and outlying fluxes have no leverage. A common factor of all
    narrow or of all broad bands cannot be told from k and the amplitudes, so the mean logarithm of
    each kind is kept at zero (of all bands together where k is not fitted).

    Parameters
    ----------
    model : ModelGrid
        Must have the catalogue's bands.
    catalogue : Catalogue
    train_mask : (n,) bool
        Galaxies to use; of these, only those with enough bands and a redshift in the grid are.
    config : TemplateFitConfig, optional

    Raises
    ------
    InputError
        If no galaxy is left.
    """
    config = config or TemplateFitConfig()
    model = model.select_bands(catalogue.bands)
    mask = np.asarray(train_mask, dtype=bool)
    z = np.asarray(catalogue.redshift, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        mask = mask & (z >= model.redshift[0]) & (z <= model.redshift[-1])
    start = prepare(model, catalogue.flux, catalogue.error, config)
    rows = np.flatnonzero(mask & start.enough)
    if not rows.size:
        raise InputError(
            "zero-points: no training galaxy has a redshift in the grid and enough bands"
        )
    flux = np.asarray(catalogue.flux[rows], dtype=np.float64)
    error = np.asarray(catalogue.error[rows], dtype=np.float64)
    factor = np.ones(len(model.bands))
    history = [factor]
    for number in range(config.zero_point_rounds):
        photometry = prepare(model, flux, error, config, factor)
        best = fit_at_redshift(model, photometry, z[rows])
        ratio = band_ratios(flux, error, best.flux * factor)
        new = _normalised(factor * ratio, model.is_narrow, config.fit_scale)
        change = float(np.abs(np.log(new / factor)).max())
        factor = new
        history.append(factor)
        logger.info("zero-points, round %d: largest change %.5f", number + 1, change)
        if change < config.zero_point_tolerance:
            break
    return ZeroPoints(model.bands, factor, np.stack(history), len(rows))


def band_ratios(flux: _Array, error: _Array, model: _Array) -> _Array:
    """Median of flux / model in each band, weighted by model / error; 1 where nothing is known.

    Parameters
    ----------
    flux, error, model : (n, band) array
        NaN where not observed.

    Returns
    -------
    (band,) array
    """
    ratios = np.ones(flux.shape[1])
    seen = np.isfinite(flux) & np.isfinite(error) & (error > 0) & (model > 0)
    for b in range(flux.shape[1]):
        use = seen[:, b]
        if not use.any():
            continue
        value = flux[use, b] / model[use, b]
        weight = model[use, b] / error[use, b]
        order = np.argsort(value)
        middle = np.cumsum(weight[order]) - 0.5 * weight[order]
        ratios[b] = np.interp(0.5 * weight.sum(), middle, value[order])
    return np.where(ratios > 0, ratios, 1.0)


def _normalised(factor: _Array, is_narrow: NDArray[np.bool_], free: bool) -> _Array:
    """Factors with a mean logarithm of zero in each group that has a scale of its own."""
    groups = [is_narrow, ~is_narrow] if free else [np.ones_like(is_narrow)]
    result = factor.copy()
    for group in groups:
        if group.any():
            result[group] /= np.exp(np.mean(np.log(factor[group])))
    return result


def write_zero_points(path: str | os.PathLike[str], zero_points: ZeroPoints) -> None:
    """Write zero-points and their history as JSON."""
    content = {
        "bands": list(zero_points.bands),
        "factor": zero_points.factor.tolist(),
        "history": zero_points.history.tolist(),
        "n_galaxies": zero_points.n_galaxies,
    }
    with replace_when_done(path) as temporary:
        temporary.write_text(json.dumps(sealed(content), indent=1) + "\n", encoding="utf-8")


def read_zero_points(path: str | os.PathLike[str]) -> ZeroPoints:
    """Read zero-points written by `write_zero_points`.

    Raises
    ------
    InputError
        If the file is absent or damaged.
    """
    path = require_file(path, "zero-points")
    try:
        content = unsealed(json.loads(path.read_text(encoding="utf-8")))
        bands = tuple(str(name) for name in content["bands"])
        factor = np.array(content["factor"], dtype=np.float64)
        history = np.array(content["history"], dtype=np.float64)
        n_galaxies = int(content["n_galaxies"])
        if factor.shape != (len(bands),) or history.shape[1:] != factor.shape:
            raise ValueError("the numbers do not match the bands")
        if not (np.isfinite(history).all() and (factor > 0).all()):
            raise ValueError("a factor is not a positive number")
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not zero-points, or damaged ({error}); make them again"
        ) from error
    return ZeroPoints(bands, factor, history, n_galaxies)
