"""Learn a survey's noise from its catalogue, without the galaxies of the test fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from photoz.files import InputError
from photoz.survey.catalogue import Catalogue
from photoz.survey.empirical_noise import SHAPES, EmpiricalNoise

_Array = NDArray[np.float64]

N_NODES = 32
N_PATTERNS = 256
N_QUANTILES = 129
LEAST_GALAXIES = 50
#: An exposure further than this from the median of its band and galaxy, in standard deviations,
#: is disturbed.
OUTLIER_LIMIT = 4.0
_GALAXIES_PER_BIN, _MOST_BINS = 40, 32
#: Variance of the median of c standard normal variables, c = 3 ... 10; then pi / 2c.
_MEDIAN_VARIANCE = (0.4487, 0.2982, 0.2868, 0.2147, 0.2104, 0.1682, 0.1661, 0.1383)


def learn_noise(catalogue: Catalogue, folds: NDArray[np.integer] | None = None) -> EmpiricalNoise:
    """Learn the noise of a catalogue, for each fold from the galaxies outside it.

    Parameters
    ----------
    catalogue : Catalogue
    folds : (n,) integer array, optional
        Fold of each galaxy. The model of network f sees no galaxy of fold f. Without folds one
        model is learned from all.

    Returns
    -------
    EmpiricalNoise

    Raises
    ------
    InputError
        If a fold leaves too few galaxies with a flux in some band.
    """
    if folds is None:
        parts = [catalogue]
    else:
        parts = [catalogue.take(folds != fold) for fold in range(int(folds.max()) + 1)]
    learned = [_learn(part) for part in parts]
    return EmpiricalNoise(**{name: np.stack([one[name] for one in learned]) for name in SHAPES})


def _learn(catalogue: Catalogue) -> dict[str, _Array]:
    """Every field of the model but for its network axis, from all galaxies given."""
    flux = catalogue.flux.astype(np.float64)
    error = catalogue.error.astype(np.float64)
    n_bands = len(catalogue.bands)
    exposed = [-1] * n_bands
    count = np.ones(flux.shape)
    single = np.full(flux.shape, np.nan)
    if catalogue.exposures is not None:
        for k, name in enumerate(catalogue.exposures.bands):
            exposed[catalogue.bands.index(name)] = k
        columns = [catalogue.bands.index(name) for name in catalogue.exposures.bands]
        errors = catalogue.exposures.error.astype(np.float64)
        taken = np.isfinite(errors) & np.isfinite(catalogue.exposures.flux)
        count[:, columns] = taken.sum(axis=-1)
        single[:, columns] = _median(np.where(taken, errors, np.nan))
    by_band = []
    for b, name in enumerate(catalogue.bands):
        counts = count[:, b] if exposed[b] >= 0 else None
        by_band.append(_learn_band(name, flux[:, b], error[:, b], single[:, b], counts))
    fields = {key: np.stack([values[key] for values in by_band]) for key in by_band[0]}
    whole = np.flatnonzero(np.isfinite(flux).all(axis=1))
    if len(whole) == 0:
        raise InputError("empirical noise: no galaxy is measured in every band; nothing to learn")
    rows = whole[np.linspace(0, len(whole) - 1, min(N_PATTERNS, len(whole))).round().astype(int)]
    patterns = np.maximum(count[rows], 1.0)
    # The folds' models are stacked: repeat patterns where there are few.
    fields["counts"] = patterns[np.arange(N_PATTERNS) % len(patterns)]
    rate, fields["outlier_amplitude"] = _outliers(catalogue)
    fields["outlier_rate"] = np.array([rate[k] if k >= 0 else 0.0 for k in exposed])
    reference = flux[:, catalogue.reference_index]
    bright = np.log(reference[np.isfinite(reference) & (reference > 0)])
    fields["log_brightness"] = np.quantile(bright, np.linspace(0, 1, N_QUANTILES))
    return fields


def _learn_band(
    name: str, flux: _Array, error: _Array, single: _Array, counts: _Array | None
) -> dict[str, _Array]:
    """Error law of one band.

    Running medians of ln error in bins of flux, made monotone: a brighter galaxy has no smaller
    error. Beyond the brightest bin the law goes on with its last slope.
    """
    good = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    if good.sum() < LEAST_GALAXIES:
        raise InputError(
            f"empirical noise: only {int(good.sum())} galaxies with a flux in band {name}; at "
            f"least {LEAST_GALAXIES} are needed"
        )
    log_error = np.log(error[good])
    scale = float(np.exp(np.median(log_error)))
    x = np.arcsinh(flux[good] / scale)
    bins = _bins(x)
    centre, law = _law(x, log_error, bins)
    residual = log_error - np.interp(x, centre, law)
    slope, mean_log_count = 0.0, 0.0
    if counts is not None:
        log_count = np.log(np.maximum(counts[good], 1.0))
        mean_log_count = float(log_count.mean())
        spread = log_count - mean_log_count
        if spread.std() > 1e-3:
            slope = float(np.clip((spread * residual).mean() / (spread**2).mean(), -1.5, 0.0))
        residual = residual - slope * spread
    low, middle, high = np.quantile(residual[bins], [0.1587, 0.5, 0.8413], axis=1)
    law = law + middle
    nodes = np.linspace(centre[0], max(float(x.max()), centre[-1] + 1e-3), N_NODES)
    exposure = np.zeros(N_NODES)
    measured = np.isfinite(single[good])
    if measured.sum() >= LEAST_GALAXIES:
        own = x[measured]
        exposure = _extended(nodes, *_law(own, np.log(single[good][measured]), _bins(own)))
    return {
        "scale": np.array(scale),
        "first_node": nodes[0],
        "node_step": nodes[1] - nodes[0],
        "log_error": _extended(nodes, centre, _monotone(law)),
        "error_scatter": np.interp(nodes, centre, 0.5 * (high - low)),
        "log_exposure_error": exposure,
        "count_slope": np.array(slope),
        "mean_log_count": np.array(mean_log_count),
    }


def _bins(x: _Array) -> NDArray[np.intp]:
    """Rows of equally full bins in x, (bin, galaxy), from faint to bright."""
    n_bins = int(np.clip(x.size // _GALAXIES_PER_BIN, 2, _MOST_BINS))
    size = -(-x.size // n_bins)
    start = np.linspace(0, x.size - size, n_bins).astype(int)
    return np.argsort(x, kind="stable")[start[:, None] + np.arange(size)]


def _law(x: _Array, values: _Array, bins: NDArray[np.intp]) -> tuple[_Array, _Array]:
    """Median x and monotone median value of the bins."""
    return np.median(x[bins], axis=1), _monotone(np.median(values[bins], axis=1))


def _monotone(values: _Array) -> NDArray[np.float64]:
    """Ascending values: half way between the running maximum and the running minimum behind."""
    up = np.maximum.accumulate(values)
    down = np.minimum.accumulate(values[::-1])[::-1]
    return 0.5 * (up + down)


def _extended(nodes: _Array, centre: _Array, law: _Array) -> NDArray[np.float64]:
    """The law at nodes; above the last bin with its slope, at most error ~ flux."""
    inside = np.interp(nodes, centre, law)
    far = max(len(centre) - 4, 0)
    slope = np.clip((law[-1] - law[far]) / max(centre[-1] - centre[far], 1e-9), 0.0, 1.0)
    return inside + slope * np.maximum(nodes - centre[-1], 0.0)


def _outliers(catalogue: Catalogue) -> tuple[_Array, _Array]:
    """Rate of disturbed exposures per exposed band, and quantiles of their amplitudes.

    An exposure's distance from the median of its c exposures has the variance
    1 + v - 2/c in units of its error, v that of the median of c standard normal variables. Beyond
    `OUTLIER_LIMIT` standard deviations it is disturbed; the share that chance puts there is taken
    off.
    """
    if catalogue.exposures is None:
        return np.zeros(0), np.zeros(N_QUANTILES)
    flux = catalogue.exposures.flux.astype(np.float64)
    error = catalogue.exposures.error.astype(np.float64)
    taken = np.isfinite(flux) & np.isfinite(error)
    count = taken.sum(axis=-1, keepdims=True)
    taken &= count >= 3  # two exposures do not tell which of them is wrong
    amplitude = (flux - _median(np.where(taken, flux, np.nan))[..., None]) / error
    variance = 1.0 + _median_variance(count) - 2.0 / np.maximum(count, 3)
    disturbed = taken & (np.abs(amplitude) > OUTLIER_LIMIT * np.sqrt(variance))
    total = np.maximum(taken.sum(axis=(0, 2)), 1)
    chance = 2.0 * float(ndtr(-OUTLIER_LIMIT))
    rate = np.maximum(disturbed.sum(axis=(0, 2)) / total - chance, 0.0)
    galaxy, band, _ = np.nonzero(disturbed)
    if galaxy.size == 0:
        return np.zeros(len(rate)), np.zeros(N_QUANTILES)
    # A disturbed exposure draws the median towards itself: amplitudes are to that of the others.
    calm = _median(np.where(taken & ~disturbed, flux, np.nan))
    found = (flux[disturbed] - calm[galaxy, band]) / error[disturbed]
    found = found[np.isfinite(found)]
    # The nearest quantile is drawn, so none falls between the negative and the positive ones.
    middle = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    return rate, np.quantile(found, middle, method="nearest")


def _median_variance(count: NDArray[np.integer]) -> _Array:
    table = np.array(_MEDIAN_VARIANCE)
    inside = table[np.clip(count - 3, 0, table.size - 1)]
    return np.where(count < 3 + table.size, inside, np.pi / (2.0 * np.maximum(count, 1)))


def _median(values: _Array) -> NDArray[np.float64]:
    """Median over the last axis without NaN; NaN where nothing is left."""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = np.isfinite(values).sum(axis=-1)
    low, high = np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2
    ends = [np.take_along_axis(ordered, index[..., None], axis=-1)[..., 0] for index in (low, high)]
    return np.where(count > 0, 0.5 * (ends[0] + ends[1]), np.nan)
