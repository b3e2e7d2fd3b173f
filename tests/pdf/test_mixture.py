import numpy as np
import pytest
import qp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from photoz.files import InputError
from photoz.pdf import MixturePDF, average, mixture


def random_mixture(n, k, seed=0, spread=0.05):
    rng = np.random.default_rng(seed)
    means = rng.uniform(0.3, 1.0, (n, 1)) + rng.normal(0, spread, (n, k))
    return MixturePDF(
        rng.dirichlet(np.full(k, 0.6), n), means, 10 ** rng.uniform(-2.7, -1.3, (n, k))
    )


def near_zero(n=40, k=3, seed=1):
    """Mixtures of which zmin = 0 cuts off a good part."""
    rng = np.random.default_rng(seed)
    return MixturePDF(
        rng.dirichlet(np.ones(k), n),
        rng.normal(0.01, 0.03, (n, k)),
        rng.uniform(0.01, 0.05, (n, k)),
    )


def test_one_gaussian_is_scipys_truncated_normal():
    mean, sigma = np.array([0.02, -0.1, 0.8]), np.array([0.03, 0.05, 0.01])
    pdf = MixturePDF(np.ones((3, 1)), mean[:, None], sigma[:, None])
    truth = stats.truncnorm(-mean / sigma, np.inf, loc=mean, scale=sigma)
    z = np.array([0.01, 0.05, 0.81])
    np.testing.assert_allclose(pdf.pdf_at(z), truth.pdf(z), rtol=1e-10)
    np.testing.assert_allclose(pdf.log_pdf_at(z), truth.logpdf(z), rtol=1e-10)
    np.testing.assert_allclose(pdf.pit(z), truth.cdf(z), rtol=1e-9)
    np.testing.assert_allclose(pdf.mean(), truth.mean(), rtol=1e-9)
    np.testing.assert_allclose(pdf.std(), truth.std(), rtol=1e-6)
    q = np.array([0.01, 0.5, 0.99])
    expected = np.stack([truth.ppf(x) for x in q], axis=1)
    np.testing.assert_allclose(pdf.quantile(q), expected, rtol=1e-8)
    np.testing.assert_allclose(pdf.mode(), [0.02, 0.0, 0.8], atol=1e-9)


def test_away_from_zmin_it_is_qps_mixture():
    pdf = random_mixture(20, 5)
    other = qp.mixmod.create_ensemble(means=pdf.means, stds=pdf.sigmas, weights=pdf.weights)
    z = np.linspace(0, 1.5, 300)
    np.testing.assert_allclose(pdf.pdf(z), other.pdf(z), atol=1e-6, rtol=1e-6)
    np.testing.assert_allclose(pdf.cdf(z), other.cdf(z), atol=1e-6)


@pytest.mark.parametrize("make", [near_zero, lambda: random_mixture(40, 4)])
def test_truncated_density_is_normalised_and_agrees_with_its_cdf_and_moments(make):
    pdf = make()
    z = np.linspace(0, 2.5, 40001)
    p = pdf.pdf(z)
    np.testing.assert_allclose(np.trapezoid(p, z, axis=1), 1, atol=1e-4)
    cumulative = integrate.cumulative_trapezoid(p, z, axis=1, initial=0)
    np.testing.assert_allclose(pdf.cdf(z), cumulative, atol=1e-4)
    mean = np.trapezoid(p * z, z, axis=1)
    np.testing.assert_allclose(pdf.mean(), mean, atol=1e-4)
    variance = np.trapezoid(p * (z - mean[:, None]) ** 2, z, axis=1)
    np.testing.assert_allclose(pdf.std(), np.sqrt(variance), rtol=1e-3)
    np.testing.assert_array_equal(pdf.pdf(np.array([-0.1])), 0)


@pytest.mark.parametrize("k, spread", [(1, 0.1), (2, 0.02), (10, 0.02), (10, 0.2), (50, 0.05)])
def test_mode_is_the_highest_point_of_a_fine_grid(k, spread):
    pdf = random_mixture(30, k, seed=k, spread=spread)
    mode = pdf.mode()
    z = np.arange(0, 1.6, 5e-5)
    p = pdf.pdf(z)
    assert np.all(pdf.pdf_at(mode) >= p.max(axis=1) * (1 - 1e-12))
    # The slope changes sign there, to better than 1e-6.
    step = 1e-6
    at = pdf.pdf_at(mode)
    assert np.all(pdf.pdf_at(mode - step) < at)
    assert np.all(pdf.pdf_at(mode + step) < at)


def test_mode_between_two_merged_components_and_at_the_edge():
    merged = MixturePDF([[0.5, 0.5]], [[0.5, 0.55]], [[0.04, 0.04]])
    np.testing.assert_allclose(merged.mode(), 0.525, atol=1e-9)
    falling = MixturePDF([[1.0, 0.0]], [[-0.05, 0.7]], [[0.1, 0.01]])
    assert falling.mode() == pytest.approx(0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.01, 1), st.floats(-0.1, 1.5), st.floats(-3.0, -0.5)),
        min_size=1,
        max_size=6,
    )
)
def test_mode_and_quantiles_of_any_mixture(components):
    weights, means, log_sigma = np.array(components).T
    pdf = MixturePDF(weights[None], means[None], 10 ** log_sigma[None])
    if not pdf.valid[0]:
        assert np.isnan(pdf.mode()[0])
        return
    z = np.linspace(0, 2.5, 20001)
    assert pdf.pdf_at(pdf.mode())[0] >= pdf.pdf(z).max() * (1 - 1e-9)
    q = np.array([1e-4, 0.01, 0.3, 0.5, 0.9, 0.9999])
    # A distribution function near a truncation is a difference of nearly equal numbers.
    np.testing.assert_allclose(pdf.cdf(pdf.quantile(q))[0], q, rtol=1e-7, atol=1e-9)


def test_odds_is_the_integral_about_the_mode():
    pdf = random_mixture(10, 5)
    mode = pdf.mode()
    for i in range(3):
        one = pdf.take([i])
        area, _ = integrate.quad(
            lambda z, one=one: one.pdf([z])[0, 0], mode[i] - 0.0015, mode[i] + 0.0015
        )
        assert pdf.odds()[i] == pytest.approx(area, rel=1e-8)
    gaussian = MixturePDF(np.ones((1, 1)), [[0.5]], [[0.0015]])
    assert gaussian.odds(0.003)[0] == pytest.approx(0.6826894921)


def test_quantiles_at_the_ends():
    pdf = near_zero(4)
    ends = pdf.quantile([0.0, 1.0])
    np.testing.assert_array_equal(ends[:, 0], 0.0)
    assert np.all(np.isposinf(ends[:, 1]))
    with pytest.raises(InputError, match="probabilities"):
        pdf.quantile([1.2])


def test_galaxies_without_pdf_stay_nan_and_harm_no_other():
    whole = random_mixture(6, 3)
    weights = whole.weights.copy()
    weights[2] = np.nan
    broken = MixturePDF(weights, whole.means, whole.sigmas)
    assert broken.valid.tolist() == [True, True, False, True, True, True]
    keep = [0, 1, 3, 4, 5]
    z = np.full(6, 0.6)
    for name in ("mode", "mean", "std", "odds"):
        mine, theirs = getattr(broken, name)(), getattr(whole, name)()
        assert np.isnan(mine[2])
        np.testing.assert_allclose(mine[keep], theirs[keep])
    for values in (broken.pit(z), broken.log_pdf_at(z), broken.quantile([0.5])[:, 0]):
        np.testing.assert_array_equal(np.isnan(values), ~broken.valid)
    assert np.isnan(whole.pit(np.where(np.arange(6) == 1, np.nan, 0.6))).sum() == 1


def test_mass_entirely_below_zmin_is_no_pdf():
    pdf = MixturePDF([[1.0], [1.0]], [[-0.5], [0.5]], [[0.01], [0.01]])
    assert pdf.valid.tolist() == [False, True]


def test_log_density_is_exact_far_in_the_tail():
    pdf = MixturePDF([[1.0]], [[0.5]], [[0.001]])
    assert pdf.log_pdf_at([1.5])[0] == pytest.approx(stats.norm(0.5, 0.001).logpdf(1.5))
    assert pdf.log_pdf_at([-0.1])[0] == -np.inf


def test_average_is_the_mean_of_the_truncated_densities():
    a, b = near_zero(10, 3, 1), near_zero(10, 2, 2)
    z = np.linspace(0, 0.3, 50)
    np.testing.assert_allclose(average([a, b]).pdf(z), 0.5 * (a.pdf(z) + b.pdf(z)), rtol=1e-10)


def test_average_takes_the_members_that_have_a_pdf():
    a, b = random_mixture(3, 2, 1), random_mixture(3, 2, 2)
    lost = MixturePDF(np.where([[True], [False], [False]], np.nan, b.weights), b.means, b.sigmas)
    mean = average([a, lost])
    z = np.linspace(0, 1.5, 40)
    np.testing.assert_allclose(mean.pdf(z)[0], a.pdf(z)[0])
    np.testing.assert_allclose(mean.pdf(z)[1:], 0.5 * (a.pdf(z) + b.pdf(z))[1:])
    nowhere = average([lost, lost])
    assert nowhere.valid.tolist() == [False, True, True]


def test_bad_input_is_told():
    good = np.ones((2, 2))
    with pytest.raises(InputError, match="share one shape"):
        MixturePDF(good, good, np.ones((2, 3)))
    with pytest.raises(InputError, match="sigmas row 0, component 1"):
        MixturePDF(good, good, np.array([[1.0, 0.0], [1, 1]]))
    with pytest.raises(InputError, match="one redshift for each"):
        MixturePDF(good, good, good).pit([0.5])
    with pytest.raises(InputError, match="members differ"):
        average([random_mixture(2, 1), random_mixture(3, 1)])
    with pytest.raises(InputError, match="at least one"):
        average([])


def test_cdf_takes_a_grid_even_one_as_long_as_the_sample_and_pit_own_redshifts():
    pdf = random_mixture(5, 2)
    z = np.linspace(0.2, 1, 5)
    assert pdf.cdf(z).shape == (5, 5)
    np.testing.assert_array_equal(np.diag(pdf.cdf(z)), pdf.pit(z))
    np.testing.assert_array_equal(pdf.cdf(np.tile(z, (5, 1))), pdf.cdf(z))


def test_quantiles_and_densities_do_not_depend_on_the_chunks(monkeypatch):
    pdf = near_zero(40, 3)
    z = np.linspace(-0.05, 0.3, 50)
    whole = [pdf.pdf(z), pdf.cdf(z), pdf.quantile([0.01, 0.99]), pdf.mode()]
    monkeypatch.setattr(mixture, "_CHUNK", 7)
    monkeypatch.setattr(mixture, "_MODE_CHUNK", 7)
    parts = [pdf.pdf(z), pdf.cdf(z), pdf.quantile([0.01, 0.99]), pdf.mode()]
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_quantiles_of_many_narrow_components_are_those_of_a_root_finder():
    pdf = random_mixture(20, 50, seed=3, spread=0.02)
    q = [1e-4, 0.01, 0.5, 0.99]
    found = pdf.quantile(q)
    for row in range(len(pdf)):
        one = pdf.take([row])
        for column, target in enumerate(q):
            root = optimize.brentq(
                lambda z, t=target, p=one: p.cdf([z])[0, 0] - t, 0, 3, xtol=1e-13
            )
            assert abs(found[row, column] - root) < 1e-9
