import numpy as np
import pytest

from photoz.files import InputError
from photoz.metrics import bootstrap_error, completeness_curve, quality_curves, sigma68


def test_cut_keeps_the_best():
    dz = np.array([0.001, -0.002, 0.05, -0.04, np.nan])
    odds = np.array([0.9, 0.8, 0.3, 0.2, 0.99])  # high, but there is no redshift to keep
    curve = completeness_curve(dz, odds, [0.4, 0.8, 1.0])
    assert curve.n.tolist() == [2, 4, 4]
    assert curve.n_invalid.tolist() == [0, 0, 1]
    assert curve.threshold.tolist() == [0.8, 0.2, 0.99]
    assert curve.strict_outliers.tolist() == [0, 0.5, 0.5]
    assert curve.sigma68[0] == sigma68(dz[:2])


def test_width_cuts_the_other_way():
    dz = np.array([0.001, 0.05])
    curve = completeness_curve(dz, [0.01, 0.1], [0.5], higher_is_better=False)
    assert curve.strict_outliers[0] == 0


def test_optimal_cut_is_the_lower_limit_and_odds_that_know_nothing_give_no_gain():
    rng = np.random.default_rng(3)
    n = 4000
    z = rng.uniform(0.2, 0.9, n)
    sigma = 10 ** rng.uniform(-3, -1.5, n)
    phot = z + sigma * rng.normal(size=n)
    curves = quality_curves(phot, z, -sigma, rng.uniform(size=n))
    at = {name: c.set_index("completeness") for name, c in curves.groupby("sort_by")}
    assert set(at) == {"odds", "width", "optimal"}
    assert at["optimal"].sigma68[0.5] < at["odds"].sigma68[0.5] < at["width"].sigma68[0.5]
    assert at["width"].sigma68[0.5] == pytest.approx(at["width"].sigma68[1.0], rel=0.1)
    whole = [c.sigma68[1.0] for c in at.values()]
    assert len(set(whole)) == 1


def test_galaxies_without_spectroscopic_redshift_do_not_count():
    z = np.array([0.5, np.nan, 0.6, 0.7])
    curves = quality_curves([0.5, 0.5, 0.6, 0.7], z, np.ones(4), np.ones(4), [1.0])
    assert curves.n.tolist() == [3, 3, 3]


def test_the_best_half_in_closed_form():
    dz = np.concatenate([np.linspace(-0.01, 0.01, 501), np.linspace(-0.1, 0.1, 501)])
    half = completeness_curve(dz, np.repeat([1.0, 0.0], 501), [0.5, 1.0])
    assert half.sigma68[0] == pytest.approx(0.682 * 0.01)
    assert half.sigma68[1] == sigma68(dz)


def test_errors_are_those_of_a_bootstrap_that_cuts_anew():
    rng = np.random.default_rng(8)
    odds = rng.uniform(size=2000)
    dz = 0.01 * (1.5 - odds) * rng.normal(size=2000)
    curve = completeness_curve(dz, odds, [0.5, 1.0], n_boot=400, rng=1)

    def cut_anew(errors, quality):
        return sigma68(errors[np.argsort(-quality)[:1000]])

    half = bootstrap_error(cut_anew, dz, odds, n_boot=400, rng=2)
    assert curve.sigma68_error[0] == pytest.approx(half, rel=0.15)
    whole = bootstrap_error(sigma68, dz, n_boot=400, rng=2)
    assert curve.sigma68_error[1] == pytest.approx(whole, rel=0.15)
    share = curve.strict_outliers[1]
    assert curve.strict_outliers_error[1] == pytest.approx(
        np.sqrt(share * (1 - share) / 2000), rel=0.15
    )
    again = completeness_curve(dz, odds, [0.5, 1.0], n_boot=400, rng=1)
    assert again.equals(curve)


def test_bad_input_is_told():
    with pytest.raises(InputError, match="quality parameters"):
        completeness_curve([0.1, 0.2], [1.0])
    with pytest.raises(InputError, match="fractions"):
        completeness_curve([0.1], [1.0], [0.0])
