from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from photoz.files import InputError
from photoz.sps.history import age_weights

LOG_AGE = 5.0 + 0.05 * np.arange(107)


def hat(k, lookback):
    """Weight of SSP k for stars of an age (Gyr): linear in log age between SSPs."""
    position = np.log10(max(lookback, 1e-4) * 1e9)
    values = np.zeros(LOG_AGE.size)
    values[k] = 1.0
    return np.interp(position, LOG_AGE, values)


@pytest.mark.parametrize(
    ("tage", "tau", "const", "sf_start"),
    [(13.5, 3.0, 0.1, 1.0), (6.0, 0.1, 0.25, 0.0), (8.0, 12.0, 0.0, 7.9), (9.0, 1.0, 1.0, 2.0)],
)
def test_weights_against_quad(tage, tau, const, sf_start):
    weights = age_weights(tage, tau, const, sf_start, LOG_AGE)[0]
    length = tage - sf_start
    norm = tau * -np.expm1(-length / tau)

    def rate(lookback):
        exponential = np.exp(-(length - lookback) / tau) / norm
        return (1 - const) * exponential + const / length

    nodes = 10 ** (LOG_AGE - 9)
    for k in [0, 10, 40, 70, 90, 95, 97, 99, 100, 101, 102]:
        pieces = np.clip([0.0 if k == 0 else nodes[k - 1], nodes[k], nodes[k + 1]], 0, length)
        expected = sum(
            quad(lambda a, k=k: rate(a) * hat(k, a), low, high, epsabs=1e-13, epsrel=1e-9)[0]
            for low, high in pairwise(pieces)
        )
        assert weights[k] == pytest.approx(expected, rel=2e-5, abs=1e-9)


def test_one_solar_mass_is_formed_and_none_before_the_start():
    rng = np.random.default_rng(0)
    tage = rng.uniform(4, 13.7, 500)
    start = rng.uniform(0, 0.9999999, 500) * tage
    tau = np.append(rng.uniform(0.1, 12, 499), 1e-3)
    weights = age_weights(tage, tau, rng.uniform(0, 1, 500), start, LOG_AGE)
    assert weights.dtype == np.float32 and np.isfinite(weights).all() and (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=2e-6)
    oldest = np.array([np.flatnonzero(row)[-1] for row in weights])
    one_beyond = np.searchsorted(LOG_AGE, np.log10((tage - start) * 1e9))
    assert (oldest <= np.maximum(one_beyond, 0)).all()


def test_slow_decay_is_constant_star_formation():
    slow = age_weights(10.0, 1e3, 0.0, 1.0, LOG_AGE)
    constant = age_weights(10.0, 1.0, 1.0, 1.0, LOG_AGE)
    np.testing.assert_allclose(slow, constant, rtol=0.01, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sf_start", (10.0, 1.0, 0.1, 10.0)),
        ("tau", (10.0, 0.0, 0.1, 1.0)),
        ("tau", (10.0, np.nan, 0.1, 1.0)),
        ("const", (10.0, 1.0, 1.1, 1.0)),
        ("tage", (np.nan, 1.0, 0.1, 1.0)),
        ("oldest SSP", (40.0, 1.0, 0.1, 1.0)),
    ],
)
def test_impossible_histories_name_the_row(name, values):
    good = (10.0, 1.0, 0.1, 1.0)
    columns = [np.array(pair) for pair in zip(good, values, strict=True)]
    with pytest.raises(InputError, match=name) as caught:
        age_weights(*columns, LOG_AGE)
    assert "row 1" in str(caught.value)
