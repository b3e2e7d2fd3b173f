import numpy as np
import pytest

from photoz.files import InputError
from photoz.metrics import bootstrap_error, bootstrap_errors, nmad, paired_difference, sigma68


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
