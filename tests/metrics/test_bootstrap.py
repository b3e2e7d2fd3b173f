import numpy as np
import pytest

from photoz.files import InputError
from photoz.metrics import (
    bootstrap_error,
    bootstrap_errors,
    nmad,
    paired_difference,
    ratio_contrast,
    sigma68,
    strict_outlier_fraction,
)


def test_error_of_the_mean_is_sigma_over_root_n():
    x = np.random.default_rng(1).normal(0, 2, 400)
    error = bootstrap_error(np.mean, x, n_boot=1000, rng=3)
    assert error == pytest.approx(x.std() / 20, rel=0.1)


def test_values_are_resampled_together():
    x = np.random.default_rng(1).normal(size=200)
    error = bootstrap_error(lambda a, b: float(np.max(np.abs(a - b))), x, x, n_boot=20)
    assert error == 0


def test_seed_decides_and_nan_do_not_matter():
    x = np.random.default_rng(1).normal(size=100)
    one = bootstrap_error(sigma68, x, rng=5)
    assert one == bootstrap_error(sigma68, x, rng=5)
    assert one != bootstrap_error(sigma68, x, rng=6)
    assert one == bootstrap_error(sigma68, np.append(x, np.nan), rng=5)
    both = bootstrap_errors({"sigma68": sigma68, "nmad": nmad}, x, rng=5)
    assert both["sigma68"] == one


def test_too_few_galaxies():
    assert np.isnan(bootstrap_error(sigma68, [0.1]))
    assert np.isnan(paired_difference(sigma68, [np.nan, 1], [1, 1]).error)


def test_pairing_beats_independent_errors():
    rng = np.random.default_rng(2)
    a = rng.normal(0, 0.01, 2000)
    b = 1.05 * a
    paired = paired_difference(sigma68, b, a, rng=1, n_boot=200)
    assert paired.ratio == pytest.approx(1.05)
    assert paired.ratio_error < 1e-10
    assert paired.p_value == pytest.approx(2 / 201)
    assert paired.difference == pytest.approx(0.05 * sigma68(a))
    assert paired.error < 0.2 * bootstrap_error(sigma68, a, rng=1)


def test_p_values_of_equal_methods_are_uniform():
    rng = np.random.default_rng(4)
    p = [
        paired_difference(np.mean, *rng.normal(size=(2, 100)), rng=i, n_boot=100).p_value
        for i in range(100)
    ]
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) < 0.1) < 0.25


def test_identical_methods_do_not_differ():
    x = np.random.default_rng(0).normal(size=50)
    same = paired_difference(sigma68, x, x)
    assert same.difference == 0
    assert same.p_value == 1


def test_galaxies_missing_in_either_are_left_out_of_both():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 60))
    with_lost = a.copy()
    with_lost[:5] = np.nan
    result = paired_difference(sigma68, with_lost, b, rng=1, n_boot=50)
    assert (result.n, result.n_invalid) == (55, 5)
    assert result.value_b == sigma68(b[5:])
    with pytest.raises(InputError, match="same galaxies"):
        paired_difference(sigma68, a, b[1:])


def test_several_columns_count_as_the_mean_of_their_statistic():
    rng = np.random.default_rng(6)
    members = rng.normal(size=(500, 3))
    members[7, 1] = np.nan
    ensemble = members.mean(axis=1)
    result = paired_difference(np.std, ensemble, members, rng=1, n_boot=50)
    assert (result.n, result.n_invalid) == (499, 1)
    kept = np.delete(members, 7, axis=0)
    assert result.value_b == pytest.approx(kept.std(axis=0).mean())
    assert result.ratio == pytest.approx(1 / np.sqrt(3), rel=0.1)
    one = paired_difference(np.std, kept[:, 0], kept[:, 1], rng=1, n_boot=50)
    assert one == paired_difference(np.std, kept[:, 0], kept[:, 1:2], rng=1, n_boot=50)


def test_contrast_of_two_ratios_cancels_what_the_four_share():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 3000))
    same = ratio_contrast(sigma68, (2 * a, b), (2 * a, b), rng=1, n_boot=50)
    assert same.ratio == 1 and same.error == 0 and same.p_value == 1
    doubled = ratio_contrast(sigma68, (3 * a, b), (2 * a, b), rng=1, n_boot=100)
    assert doubled.ratio == pytest.approx(1.5) and doubled.ratio_error < 1e-10
    assert doubled.p_value == pytest.approx(2 / 101)
    assert doubled.value_a == pytest.approx(3 * sigma68(a) / sigma68(b))


def test_error_of_a_contrast_is_that_of_independent_ratios():
    # ln of a standard deviation of n normal numbers has the error 1 / sqrt(2 n).
    four = np.random.default_rng(5).normal(size=(4, 2000))
    result = ratio_contrast(np.std, tuple(four[:2]), tuple(four[2:]), rng=1, n_boot=500)
    expected = np.sqrt(4 / (2 * 2000))
    assert result.ratio_error == pytest.approx(expected, rel=0.15)
    assert result.p_value > 0.01


def test_a_ratio_to_nothing_has_no_contrast():
    a = np.full(50, 0.5)
    result = ratio_contrast(strict_outlier_fraction, (a, 0 * a), (a, a), n_boot=20)
    assert np.isnan(result.p_value) and np.isnan(result.ratio)
    assert result.n == 50
