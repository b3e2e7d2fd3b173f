"""The nearest-neighbour baseline: what colours alone give, without a network.

Every learned redshift has to beat it: galaxies with the same colours as this one, and a plane
through their redshifts. It needs no training, has one scale per feature (the typical error of a
colour) and gives a calibrated p(z) from the scatter of the neighbours about the plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from photoz.files import InputError
from photoz.pdf.mixture import MixturePDF
from photoz.survey.catalogue import Catalogue

FloatArray = npt.NDArray[np.float64]

PARAMETERS = ("weights", "means", "sigmas")
_CHUNK = 2000  # galaxies fitted at once
_POGSON = 2.5 / np.log(10)


@dataclass(frozen=True)
class NeighbourConfig:
    """Settings of the nearest-neighbour baseline.

    Parameters
    ----------
    n_neighbours : int
        Training galaxies that each prediction uses.
    fit : {"linear", "mean", "median"}
        Plane through the neighbours' redshifts (weighted least squares), or their mean or median.
    bands : tuple of int, optional
        Indices of the bands to use, in the order in which adjacent bands make colours (that of
        wavelength). None takes all; `default_bands` picks the broad ones where there are any,
        because noisy narrow bands only blur distances.
    magnitude_scale : float, optional
        Adds the reference magnitude divided by this many magnitudes to the features; None leaves
        it out.
    ridge : float
        Strength of the ridge on the slopes of the plane, relative to the mean diagonal term.
    sigma_floor : float
        Least width of p(z) in dz / (1 + z).
    wide_weight, wide_factor : float
        Weight of the second, wider Gaussian of p(z) and its width in units of the first.
    """

    n_neighbours: int = 80
    fit: Literal["linear", "mean", "median"] = "linear"
    bands: tuple[int, ...] | None = None
    magnitude_scale: float | None = 0.5
    ridge: float = 1e-3
    sigma_floor: float = 5e-4
    wide_weight: float = 0.1
    wide_factor: float = 4.0

    def __post_init__(self) -> None:
        if self.n_neighbours < 2:
            raise InputError("neighbours: n_neighbours must be at least 2")
        if self.fit not in ("linear", "mean", "median"):
            raise InputError(f"neighbours: fit {self.fit!r} is none of linear, mean, median")
        if not 0 <= self.wide_weight < 1 or self.wide_factor < 1 or self.sigma_floor <= 0:
            raise InputError("neighbours: wide_weight in [0, 1), wide_factor >= 1, sigma_floor > 0")


def default_bands(is_narrow: Sequence[bool] | npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Indices of the broad bands if there are at least three, else of all bands."""
    narrow = np.asarray(is_narrow, dtype=bool)
    broad = np.flatnonzero(~narrow)
    chosen = broad if len(broad) >= 3 else np.arange(len(narrow))
    return tuple(int(i) for i in chosen)


def asinh_magnitudes(
    flux: FloatArray, error: FloatArray, softening: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Magnitudes that stay defined for flux <= 0 (Lupton et al. 1999), and their errors.

    Parameters
    ----------
    flux, error : (n, band) array
        In any linear unit; the zero-point is that of flux = 1.
    softening : (band,) array
        Flux below which the magnitude turns linear; well above it this is the plain magnitude.
    """
    magnitude = -_POGSON * (np.arcsinh(flux / (2 * softening)) + np.log(softening))
    return magnitude, _POGSON * error / np.sqrt(flux**2 + 4 * softening**2)


@dataclass(frozen=True)
class _Features:
    """Error-scaled colours: what is measured on the training galaxies and applied to all."""

    bands: npt.NDArray[np.intp]
    reference_index: int
    softening: FloatArray
    scale: FloatArray
    magnitude_scale: float | None

    @classmethod
    def measure(
        cls, flux: FloatArray, error: FloatArray, reference_index: int, config: NeighbourConfig
    ) -> _Features:
        bands = np.arange(flux.shape[1]) if config.bands is None else np.asarray(config.bands)
        if len(bands) < 2:
            raise InputError("neighbours: colours need at least two bands")
        used = np.union1d(bands, [reference_index])  # other bands may be empty
        softening = np.full(flux.shape[1], np.nan)
        positive = np.where(error[:, used] > 0, error[:, used], np.nan)
        softening[used] = np.nanmedian(positive, axis=0)
        _, scatter = asinh_magnitudes(flux[:, bands], error[:, bands], softening[bands])
        scale = np.nanmedian(np.hypot(scatter[:, 1:], scatter[:, :-1]), axis=0)
        if not (np.isfinite(scale) & (scale > 0)).all():
            raise InputError(
                "neighbours: a band of the training set has no galaxy with an error > 0"
            )
        return cls(bands, reference_index, softening, scale, config.magnitude_scale)

    def __call__(self, flux: FloatArray, error: FloatArray) -> FloatArray:
        magnitude, _ = asinh_magnitudes(flux, error, self.softening)
        colours = -np.diff(magnitude[:, self.bands], axis=1) / self.scale
        if self.magnitude_scale is None:
            return colours
        reference = magnitude[:, self.reference_index] / self.magnitude_scale
        return np.column_stack([colours, reference])


def fit_predict(
    flux_train: npt.ArrayLike,
    error_train: npt.ArrayLike,
    redshift_train: npt.ArrayLike,
    flux_test: npt.ArrayLike,
    error_test: npt.ArrayLike,
    reference_index: int,
    config: NeighbourConfig | None = None,
) -> MixturePDF:
    """Predict p(z) from the nearest training galaxies in error-scaled adjacent colours.

    Parameters
    ----------
    flux_train, error_train : (n, band) array
        Training fluxes and errors in the catalogue's zero-point, NaN where not observed.
    redshift_train : (n,) array
        Spectroscopic redshifts.
    flux_test, error_test : (m, band) array
        Galaxies to predict.
    reference_index : int
        Reference band (its magnitude may be a feature).
    config : NeighbourConfig, optional

    Returns
    -------
    MixturePDF
        m densities: a Gaussian at the prediction, as wide as the neighbours scatter about the
        plane, and a wider one below it for outliers. NaN for a galaxy without one of the bands.

    Raises
    ------
    InputError
        If shapes disagree or too few training galaxies have all bands.
    """
    config = config or NeighbourConfig()
    flux, error = _checked(flux_train, error_train, "training")
    new_flux, new_error = _checked(flux_test, error_test, "test")
    redshift = np.asarray(redshift_train, dtype=np.float64)
    if redshift.shape != (len(flux),) or new_flux.shape[1] != flux.shape[1]:
        raise InputError(
            f"neighbours: {redshift.shape} redshifts, training {flux.shape}, test {new_flux.shape}"
        )
    features = _Features.measure(flux, error, reference_index, config)
    known, query = features(flux, error), features(new_flux, new_error)
    usable = np.isfinite(known).all(axis=1) & np.isfinite(redshift)
    if usable.sum() <= config.n_neighbours:
        raise InputError(
            f"neighbours: {usable.sum()} training galaxies have all bands and a redshift; more "
            f"than n_neighbours = {config.n_neighbours} are needed; lower it, or give more galaxies"
        )
    known, redshift = known[usable], redshift[usable]
    tree = cKDTree(known)
    centre = np.full(len(query), np.nan)
    sigma = np.full(len(query), np.nan)
    rows = np.flatnonzero(np.isfinite(query).all(axis=1))
    for start in range(0, len(rows), _CHUNK):
        i = rows[start : start + _CHUNK]
        distance, index = tree.query(query[i], config.n_neighbours)
        offset = known[index] - query[i, None]
        centre[i], sigma[i] = _local_fit(offset, distance, redshift[index], config)
    return _density(centre, sigma, config)


def predict_folds(
    catalogue: Catalogue,
    folds: npt.NDArray[np.int8],
    training: Mapping[int, npt.NDArray[np.intp]],
    config: NeighbourConfig | None = None,
) -> MixturePDF:
    """Predict every galaxy of a catalogue from training galaxies of the other folds.

    Parameters
    ----------
    catalogue : Catalogue
        Galaxies, in the order of the result.
    folds : (n,) array
        Fold of each galaxy in one split.
    training : mapping of int to index array
        By fold, the galaxies that predict it: those that the networks of the fold learn from.
    config : NeighbourConfig, optional

    Returns
    -------
    MixturePDF
        n densities; no galaxy's own redshift plays a part in its own.

    Raises
    ------
    InputError
        If a fold would be predicted from its own galaxies, or has too few to learn from.
    """
    config = config or NeighbourConfig()
    predicted = {name: np.full((len(catalogue), 2), np.nan) for name in PARAMETERS}
    for fold in np.unique(folds):
        train, test = training[int(fold)], np.flatnonzero(folds == fold)
        if np.any(folds[train] == fold):
            raise InputError(f"neighbours: fold {fold} would be predicted from its own galaxies")
        try:
            pdf = fit_predict(
                catalogue.flux[train],
                catalogue.error[train],
                catalogue.redshift[train],
                catalogue.flux[test],
                catalogue.error[test],
                catalogue.reference_index,
                config,
            )
        except InputError as error:
            raise InputError(f"fold {fold}: {error}") from None
        for name in PARAMETERS:
            predicted[name][test] = getattr(pdf, name)
    return MixturePDF(predicted["weights"], predicted["means"], predicted["sigmas"])


def neighbour_scatter(
    flux: npt.ArrayLike,
    error: npt.ArrayLike,
    redshift: npt.ArrayLike,
    mag: npt.ArrayLike,
    reference_index: int,
    bins: npt.ArrayLike,
    k: int = 10,
    n_folds: int = 5,
    seed: int = 1,
) -> FloatArray:
    """Scatter of a plain k-nearest-neighbour regression in magnitude bins: how hard a survey is.

    The mean redshift of the k nearest galaxies in adjacent error-scaled colours (no magnitude),
    each galaxy predicted from the other folds. A mock survey as informative as a real one has
    the same numbers at the same number of galaxies.

    Parameters
    ----------
    flux, error : (n, band) array
        The bands to use, in the order of wavelength.
    redshift, mag : (n,) array
        Spectroscopic redshift and magnitude to bin by.
    reference_index : int
        Reference band of the fluxes.
    bins : (b + 1,) array
        Edges of the magnitude bins; -inf and inf are allowed.
    k, n_folds, seed : int
        Neighbours, folds and seed of the split into folds.

    Returns
    -------
    (b,) array
        sigma68 of (z_p - z_s) / (1 + z_s); NaN for an empty bin.
    """
    values, errors = _checked(flux, error, "")
    z, magnitude = np.asarray(redshift, dtype=np.float64), np.asarray(mag, dtype=np.float64)
    complete = np.isfinite(values).all(1) & np.isfinite(errors).all(1) & np.isfinite(z)
    values, errors, z, magnitude = (x[complete] for x in (values, errors, z, magnitude))
    config = NeighbourConfig(n_neighbours=k, fit="mean", magnitude_scale=None)
    fold = np.random.default_rng(seed).permutation(len(z)) % n_folds
    predicted = np.full(len(z), np.nan)
    for f in range(n_folds):
        test, train = fold == f, fold != f
        known = (values[train], errors[train], z[train])
        pdf = fit_predict(*known, values[test], errors[test], reference_index, config)
        predicted[test] = pdf.means[:, 0]
    dz = (predicted - z) / (1 + z)
    scatter = []
    for low, high in pairwise(np.asarray(bins, dtype=np.float64)):
        inside = dz[(magnitude >= low) & (magnitude < high) & np.isfinite(dz)]
        ends = np.percentile(inside, [15.9, 84.1]) if inside.size else np.array([np.nan, np.nan])
        scatter.append(0.5 * (ends[1] - ends[0]))  # equation 4
    return np.array(scatter)


def _checked(flux: npt.ArrayLike, error: npt.ArrayLike, what: str) -> tuple[FloatArray, FloatArray]:
    values, errors = np.asarray(flux, dtype=np.float64), np.asarray(error, dtype=np.float64)
    if values.ndim != 2 or values.shape != errors.shape:
        raise InputError(f"neighbours: {what} flux {values.shape}, error {errors.shape} differ")
    return values, errors


def _local_fit(
    offset: FloatArray, distance: FloatArray, redshift: FloatArray, config: NeighbourConfig
) -> tuple[FloatArray, FloatArray]:
    """Prediction (m,) and scatter (m,) from neighbours at offset (m, k, f), distance (m, k)."""
    if config.fit == "linear":
        weight = np.clip(1 - (distance / (distance[:, -1:] + 1e-30)) ** 3, 1e-6, None)
        design = np.concatenate([np.ones((*distance.shape, 1)), offset], axis=2)
        weighted = design * weight[:, :, None]
        normal = weighted.transpose(0, 2, 1) @ design
        slopes = np.arange(1, design.shape[2])
        diagonal = normal[:, slopes, slopes].mean(axis=1, keepdims=True)
        normal[:, slopes, slopes] += config.ridge * diagonal + 1e-12
        right = (weighted * redshift[:, :, None]).sum(axis=1)[:, :, None]
        solution = np.linalg.solve(normal, right)
        centre = solution[:, 0, 0]
        residual = redshift - (design @ solution)[:, :, 0]
        freedom = max(1.0, redshift.shape[1] - design.shape[2])
    else:
        weight = np.ones_like(distance)
        centre = redshift.mean(axis=1) if config.fit == "mean" else np.median(redshift, axis=1)
        residual = redshift - centre[:, None]
        freedom = redshift.shape[1] - 1.0
    low, high = np.quantile(residual, [0.159, 0.841], axis=1)
    return centre, 0.5 * (high - low) * np.sqrt(redshift.shape[1] / freedom)


def _density(centre: FloatArray, sigma: FloatArray, config: NeighbourConfig) -> MixturePDF:
    floor = config.sigma_floor * (1 + np.maximum(centre, 0))
    core = np.where(np.isfinite(sigma), np.maximum(sigma, floor), np.nan)
    weight = np.where(np.isfinite(core), config.wide_weight, np.nan)
    return MixturePDF(
        np.column_stack([1 - weight, weight]),
        np.column_stack([centre, centre]),
        np.column_stack([core, config.wide_factor * core]),
    )
