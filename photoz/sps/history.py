"""Star-formation histories as masses formed per SSP.

Ages are lookback times. Between two SSPs the spectrum is linear in log age, as in FSPS, so a
history becomes one weight per SSP; stars younger than the youngest SSP count as that SSP.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1), 0.5 * _WEIGHTS  # on [0, 1]
_YEARS = 1e9  # per Gyr


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
    tage, tau, const, sf_start = (
        np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (tage, tau, const, sf_start)
    )
    _require(np.isfinite(tage) & (tage > 0), tage, "tage", "above 0 Gyr")
    _require(np.isfinite(tau) & (tau >= 1e-3), tau, "tau", "at least 0.001 Gyr")
    _require((const >= 0) & (const <= 1), const, "const", "between 0 and 1")
    _require((sf_start >= 0) & (sf_start < tage), sf_start, "sf_start", "in [0, tage)")
    length = tage - sf_start
    log_age = np.asarray(log_age, dtype=np.float64)
    age = 10**log_age / _YEARS
    _require(
        length <= age[-1], length, "tage - sf_start", f"at most {age[-1]:.1f} Gyr (oldest SSP)"
    )
    # Intervals: [0, age_0], [age_0, age_1], ...; those beyond the oldest star have no width.
    used = int(np.searchsorted(age, length.max())) + 1
    low = np.append(0.0, age[: used - 1])
    high = np.minimum(age[:used], length[:, None])
    width = np.maximum(high - low, 0.0)
    exponential = np.zeros((length.size, used))  # mass formed in the interval
    exponential_old = np.zeros_like(exponential)  # part that goes to the older SSP
    constant_old = np.zeros_like(exponential)
    step = np.diff(np.log(age[:used]))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        lookback = low + node * width
        mass = weight * width
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.log(lookback[:, 1:] / low[1:]) / step
        constant_old[:, 1:] += mass[:, 1:] * part
        # Relative to the first stars, so that nothing overflows; empty intervals lie beyond them.
        mass = mass * np.exp(np.minimum(lookback - length[:, None], 0.0) / tau[:, None])
        exponential += mass
        exponential_old[:, 1:] += mass[:, 1:] * part
    total = np.zeros((length.size, log_age.size))
    for fraction, mass, old in (
        (1 - const, exponential, exponential_old),
        (const, width, constant_old),
    ):
        scale = (fraction / mass.sum(axis=1))[:, None]
        total[:, :used] += scale * old
        young = scale * (mass - old)
        total[:, 0] += young[:, 0]
        total[:, : used - 1] += young[:, 1:]
    return total.astype(np.float32)


def _require(good: NDArray[np.bool_], values: NDArray[np.float64], name: str, domain: str) -> None:
    if not np.all(good):
        row = int(np.argmin(good))
        raise InputError(f"{name} = {values[row]:g} in row {row}: must be {domain}")
