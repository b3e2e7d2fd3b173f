"""Star-formation histories as masses formed per SSP.

Ages are lookback times. Between two SSPs the spectrum is linear in log age, as in FSPS, so a
history becomes one weight per SSP; stars younger than the youngest SSP count as that SSP.

Every age interval but the one that the oldest stars fall in is the same for all galaxies: its
integrals are sums over fixed lookback times, hence one matrix product for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1), 0.5 * _WEIGHTS  # on [0, 1]
_YEARS = 1e9  # per Gyr


@dataclass(frozen=True)
class AgeQuadrature:
    """Gauss-Legendre integration over the intervals between SSP ages.

    Interval k ends at the age of SSP k; the first one begins at 0.

    Attributes
    ----------
    age : (a,) float64
        SSP ages, Gyr.
    low : (a,) float64
        Where the intervals begin, Gyr.
    lookback : (a * 8,) float64
        Lookback times of the nodes, Gyr.
    share : (a * 8, a) float32
        What a star formation rate of 1 at a node gives to each SSP.
    constant : (a + 1, a) float64
        What a constant rate of 1 in the first k intervals gives to each SSP.
    """

    age: NDArray[np.float64]
    low: NDArray[np.float64]
    lookback: NDArray[np.float64]
    share: NDArray[np.float32]
    constant: NDArray[np.float64]


def age_quadrature(log_age: NDArray[np.floating]) -> AgeQuadrature:
    """Return the nodes for SSPs at log10(age / yr); computed once per grid."""
    return _quadrature(np.asarray(log_age, dtype=np.float64).tobytes())


@lru_cache(maxsize=4)
def _quadrature(log_age: bytes) -> AgeQuadrature:
    age = 10 ** np.frombuffer(log_age) / _YEARS
    low = np.append(0.0, age[:-1])
    lookback = low[:, None] + _NODES * (age - low)[:, None]
    mass = _WEIGHTS * (age - low)[:, None]
    older = np.zeros_like(mass)  # part that goes to the older SSP; all of it to the youngest
    older[0] = 1.0
    older[1:] = np.log(lookback[1:] / low[1:, None]) / np.log(age[1:] / low[1:])[:, None]
    share = np.zeros((*mass.shape, age.size))
    k = np.arange(age.size)
    share[k, :, k] = mass * older
    share[k[1:], :, k[:-1]] = (mass * (1 - older))[1:]
    constant = np.zeros((age.size + 1, age.size))
    constant[1:] = np.cumsum(share.sum(axis=1), axis=0)
    flat = share.reshape(-1, age.size).astype(np.float32)
    return AgeQuadrature(age, low, lookback.ravel(), flat, constant)


def age_weights(
    tage: ArrayLike,
    tau: ArrayLike,
    const: ArrayLike,
    sf_start: ArrayLike,
    log_age: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Mass formed per SSP for an exponential plus a constant star formation (equation 3).

    SFR(t) is ``(1 - const)`` times an exponential ``exp(-(t - sf_start) / tau)`` plus ``const``
    times a constant, each normalised to 1 Msun formed between `sf_start` and `tage`: ``const`` is
    the fraction of the mass in the constant part (FSPS, ``sfh=1``).

    Parameters
    ----------
    tage : (n,) array
        Age of the universe at the galaxy, Gyr.
    tau : (n,) array
        e-folding time, Gyr, at least 0.001.
    const : (n,) array
        Mass fraction of the constant component, 0 to 1.
    sf_start : (n,) array
        Start of star formation, Gyr after the big bang, below `tage`.
    log_age : (a,) array
        SSP nodes, log10(yr), ascending.

    Returns
    -------
    (n, a) float32
        Weights, each row summing to 1.

    Raises
    ------
    InputError
        If a parameter is outside its domain; the message names the row.
    """
    length, tau, const = star_formation(tage, tau, const, sf_start, log_age)
    ages = age_quadrature(log_age)
    full = np.searchsorted(ages.age, length, side="right")  # intervals that are all stars
    whole = int(full.max(initial=0)) * _NODES.size
    # Relative to the first stars, so that nothing overflows; later nodes have no stars yet.
    since = (ages.lookback[:whole] - length[:, None]).astype(np.float32)
    since[np.arange(whole) >= _NODES.size * full[:, None]] = -np.inf
    since /= tau[:, None].astype(np.float32)
    exponential = (np.exp(since, out=since) @ ages.share[:whole]).astype(np.float64)
    constant = ages.constant[full]
    row, (ssp, *oldest) = np.arange(length.size), oldest_interval(length, tau, ages)
    for total, added in zip((exponential, constant), oldest, strict=True):
        total[row, ssp] += added[:, 1]
        total[row, np.maximum(ssp - 1, 0)] += added[:, 0]
    exponential *= ((1 - const) / exponential.sum(axis=1))[:, None]
    constant *= (const / constant.sum(axis=1))[:, None]
    return (exponential + constant).astype(np.float32)


def star_formation(
    tage: ArrayLike,
    tau: ArrayLike,
    const: ArrayLike,
    sf_start: ArrayLike,
    log_age: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Check histories and return for how long stars formed (Gyr), tau and const, (n,) each.

    Raises
    ------
    InputError
        As `age_weights`.
    """
    tage, tau, const, sf_start = (
        np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (tage, tau, const, sf_start)
    )
    _require(np.isfinite(tage) & (tage > 0), tage, "tage", "above 0 Gyr")
    _require(np.isfinite(tau) & (tau >= 1e-3), tau, "tau", "at least 0.001 Gyr")
    _require((const >= 0) & (const <= 1), const, "const", "between 0 and 1")
    _require((sf_start >= 0) & (sf_start < tage), sf_start, "sf_start", "in [0, tage)")
    length, oldest = tage - sf_start, float(10 ** np.max(log_age)) / _YEARS
    _require(length <= oldest, length, "tage - sf_start", f"at most {oldest:.1f} Gyr (oldest SSP)")
    return length, tau, const


def oldest_interval(
    length: NDArray[np.float64], tau: NDArray[np.float64], ages: AgeQuadrature
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Integrate over the interval in which the first stars formed, unlike for every galaxy.

    Parameters
    ----------
    length, tau : (n,) arrays
        How long stars formed and the e-folding time, Gyr.
    ages : AgeQuadrature

    Returns
    -------
    ssp : (n,) int
        The older SSP of the interval.
    exponential, constant : (n, 2) float64
        What the younger and the older SSP get, for rates of ``exp(-t / tau)`` (1 at the first
        stars) and of 1.
    """
    full = np.searchsorted(ages.age, length, side="right")
    k = np.minimum(full, ages.age.size - 1)
    low = ages.low[k][:, None]
    width = np.where(full > k, 0.0, length - ages.low[k])[:, None]
    lookback = low + _NODES * width
    with np.errstate(divide="ignore", invalid="ignore"):
        older = np.log(lookback / low) / np.log(ages.age[k] / ages.low[k])[:, None]
    older[k == 0] = 1.0
    mass = _WEIGHTS * width
    decayed = mass * np.exp((lookback - length[:, None]) / tau[:, None])
    exponential, constant = (
        np.stack([(part * (1 - older)).sum(axis=1), (part * older).sum(axis=1)], axis=1)
        for part in (decayed, mass)
    )
    return k, exponential, constant


def _require(good: NDArray[np.bool_], values: NDArray[np.float64], name: str, domain: str) -> None:
    if not np.all(good):
        row = int(np.argmin(good))
        raise InputError(f"{name} = {values[row]:g} in row {row}: must be {domain}")
