import numpy as np
import pytest
from scipy.stats import norm

from photoz.metrics import (
    bias,
    catastrophic_outlier_fraction,
    n_invalid,
    nmad,
    outlier_fraction,
    redshift_error,
    sigma68,
    strict_outlier_fraction,
)


def test_gaussian_errors_give_their_standard_deviation():
    # Quantiles of a Gaussian, not a sample: no noise in the comparison.
    dz = norm.ppf((np.arange(200000) + 0.5) / 200000, loc=0.002, scale=0.01)
    assert sigma68(dz) == pytest.approx(0.01, rel=2e-3)
    assert nmad(dz) == pytest.approx(0.01, rel=1e-3)
    assert bias(dz) == pytest.approx(0.002, rel=1e-3)
    expected = norm.sf(0.02, 0.002, 0.01) + norm.cdf(-0.02, 0.002, 0.01)
    assert strict_outlier_fraction(dz) == pytest.approx(expected, rel=1e-3)


def test_sigma68_is_equation_4():
    dz = np.arange(1001) / 1000
    assert sigma68(dz) == pytest.approx(0.5 * (0.841 - 0.159))


def test_error_is_relative_to_one_plus_z():
    np.testing.assert_allclose(redshift_error([0.55, 1.0], [0.5, 1.0]), [0.05 / 1.5, 0])


def test_outlier_limits_are_exclusive_and_two_sided():
    dz = np.array([0.02, -0.021, 0.021, 0.16, -0.16, 0.0])
    assert strict_outlier_fraction(dz) == pytest.approx(4 / 6)
    assert catastrophic_outlier_fraction(dz) == pytest.approx(2 / 6)
    assert outlier_fraction(dz, 0.5) == 0


@pytest.mark.parametrize("statistic", [sigma68, nmad, bias, strict_outlier_fraction])
def test_what_is_not_finite_is_left_out_and_counted(statistic):
    dz = np.random.default_rng(0).normal(0, 0.02, 100)
    with_lost = np.concatenate([dz, [np.nan, np.inf]])
    assert statistic(with_lost) == statistic(dz)
    assert n_invalid(with_lost) == 2
    assert np.isnan(statistic([np.nan]))
    assert np.isnan(statistic([]))
