import numpy as np
import pytest
from scipy import optimize, stats

from photoz.metrics import calibration_table, central_bins, coverage, pit_histogram, pit_tests
from photoz.metrics.calibration import anderson_darling_uniform, expected_ks, ks_distance
from photoz.pdf import MixturePDF


def test_pit_tests_agree_with_scipy():
    u = np.random.default_rng(0).beta(1.2, 1, 300)
    result = pit_tests(np.append(u, np.nan))
    assert (result.n, result.n_invalid) == (300, 1)
    ks = stats.kstest(u, "uniform")
    assert (result.ks, result.ks_p) == (ks.statistic, ks.pvalue)
    assert result.cvm == stats.cramervonmises(u, "uniform").statistic


def test_anderson_darling_is_its_integral():
    u = np.random.default_rng(1).uniform(size=25)
    x = (np.arange(2_000_000) + 0.5) / 2_000_000
    empirical = np.searchsorted(np.sort(u), x, side="right") / 25
    integral = 25 * np.mean((empirical - x) ** 2 / (x * (1 - x)))
    assert anderson_darling_uniform(u)[0] == pytest.approx(integral, rel=1e-4)


@pytest.mark.parametrize(
    "statistic, p", [(1.933, 0.10), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)]
)
def test_anderson_darling_critical_values(statistic, p):
    # Stephens' table for a fully specified distribution; bend a sample until it has the value.
    base = (np.arange(2000) + 0.5) / 2000

    def miss(power):
        return anderson_darling_uniform(base**power)[0] - statistic

    power = optimize.brentq(miss, 1.0, 1.3)
    assert anderson_darling_uniform(base**power)[1] == pytest.approx(p, rel=0.03)


def test_calibrated_gaussians_pass_and_narrow_ones_fail():
    rng = np.random.default_rng(5)
    truth = rng.uniform(0.3, 1, 1500)
    sigma = rng.uniform(0.005, 0.02, 1500)
    mean = truth + rng.normal(0, sigma)
    one = np.ones((1500, 1))
    good = pit_tests(MixturePDF(one, mean[:, None], sigma[:, None]).pit(truth))
    bad = pit_tests(MixturePDF(one, mean[:, None], 0.7 * sigma[:, None]).pit(truth))
    assert min(good.ks_p, good.cvm_p, good.ad_p) > 0.01
    assert max(bad.ks_p, bad.cvm_p, bad.ad_p) < 1e-3


def test_pit_at_the_very_ends_stays_finite():
    result = pit_tests(np.array([0.0, 1.0, 0.5, 0.2]))
    assert np.isfinite(result.ad)
    assert np.isnan(pit_tests([np.nan]).ks)


def test_histogram_density_integrates_to_one():
    edges, density, error = pit_histogram(np.random.default_rng(0).uniform(size=1000), 10)
    assert np.sum(density * np.diff(edges)) == pytest.approx(1)
    np.testing.assert_allclose(error**2, density * 10 / 1000)  # variance of a count is the count


def test_central_bins_ignore_the_outliers_at_the_ends():
    even = 0.05 + 0.9 * (np.arange(2000) + 0.5) / 2000
    flat = central_bins(np.concatenate([even, np.zeros(500), np.ones(500), [np.nan]]))
    assert flat.deviation == pytest.approx(0, abs=1e-9)
    assert flat.n == 2000
    assert flat.poisson == pytest.approx(0.1)
    bump = central_bins(np.concatenate([even, np.full(20, 0.5 + 1e-6)]))
    assert bump.deviation == pytest.approx(120 / 101 - 1)


def test_expected_deviation_is_what_uniform_values_show():
    rng = np.random.default_rng(7)
    results = [central_bins(rng.uniform(size=4000)) for _ in range(200)]
    measured = np.mean([r.deviation for r in results])
    assert measured == pytest.approx(results[0].expected, rel=0.05)


def test_no_values_in_the_centre():
    assert np.isnan(central_bins([0.01, 0.99]).deviation)


def test_coverage_of_a_known_pit():
    pit = (np.arange(1000) + 0.5) / 1000
    fraction, error = coverage(np.append(pit, np.nan), [0.5, 0.683, 0.954])
    np.testing.assert_allclose(fraction, [0.5, 0.683, 0.954], atol=1e-3)
    assert error[0] == pytest.approx(0.5 / np.sqrt(1000))
    assert np.isnan(coverage([], [0.5])[0]).all()


def test_ks_distance_is_scipys_and_its_expectation_that_of_uniform_values():
    rng = np.random.default_rng(2)
    for n in (1, 2, 30, 1000):
        u = rng.uniform(size=n)
        assert ks_distance(np.append(u, np.nan)) == pytest.approx(stats.kstest(u, "uniform")[0])
    assert np.isnan(ks_distance([np.nan]))
    for n in (20, 400):
        measured = np.mean([ks_distance(rng.uniform(size=n)) for _ in range(2000)])
        assert expected_ks(n) == pytest.approx(measured, rel=0.03)


def test_splits_are_tested_by_themselves_and_not_pooled():
    rng = np.random.default_rng(9)
    first = rng.uniform(size=600)
    # A second split of the same galaxies says nearly the same; pooled they would look like more.
    second = np.clip(first + 0.001, 0, 1)
    ensemble = 0.5 * (first + second)
    table = calibration_table(ensemble, [first, second], n_boot=50).set_index("density")
    assert table.index.tolist() == ["ensemble", "split 0", "split 1"]
    assert table["n"].tolist() == [600] * 3
    for name, pit in (("ensemble", ensemble), ("split 0", first), ("split 1", second)):
        alone = pit_tests(pit)
        row = table.loc[name]
        assert (row["ks"], row["ks_p"], row["ad_p"]) == (alone.ks, alone.ks_p, alone.ad_p)
        centre = central_bins(pit)
        assert row["central_deviation"] == centre.deviation
        assert row["central_expected"] == centre.expected
        assert row["coverage_68"] == coverage(pit, 0.68)[0][0]
    assert table["ks_expected"].iloc[0] == expected_ks(600)
    assert (table["ks_error"] > 0).all() and (table["central_error"] > 0).all()


def test_one_split_is_the_ensemble_and_is_listed_once():
    pit = np.random.default_rng(1).uniform(size=50)
    table = calibration_table(pit, [pit], n_boot=5)
    assert table["density"].tolist() == ["split 0"]
    nothing = calibration_table(np.full(3, np.nan), [np.full(3, np.nan)], n_boot=5)
    assert nothing["n"].tolist() == [0] and np.isnan(nothing["ks"]).all()
