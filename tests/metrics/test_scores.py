import numpy as np
import pytest
from scipy import integrate, stats

from photoz.files import InputError
from photoz.metrics import crps, negative_log_likelihood
from photoz.pdf import GridPDF, MixturePDF


def gaussian_crps(z, mean, sigma):
    """Gneiting & Raftery (2007), equation 21."""
    t = (z - mean) / sigma
    return sigma * (t * (2 * stats.norm.cdf(t) - 1) + 2 * stats.norm.pdf(t) - 1 / np.sqrt(np.pi))


def test_one_gaussian_is_the_published_closed_form():
    mean, sigma, z = np.array([0.5, 0.8]), np.array([0.01, 0.05]), np.array([0.52, 0.5])
    pdf = MixturePDF(np.ones((2, 1)), mean[:, None], sigma[:, None])
    np.testing.assert_allclose(crps(pdf, z), gaussian_crps(z, mean, sigma), rtol=1e-10)


def test_mixture_is_its_defining_integral():
    rng = np.random.default_rng(0)
    pdf = MixturePDF(
        rng.dirichlet(np.ones(4), 5), rng.uniform(0.4, 0.8, (5, 4)), rng.uniform(0.01, 0.05, (5, 4))
    )
    z = rng.uniform(0.4, 0.8, 5)
    for i, score in enumerate(crps(pdf, z)):
        one = pdf.take([i])
        low = integrate.quad(lambda x, one=one: one.cdf([[x]])[0, 0] ** 2, 0, z[i], limit=200)[0]
        high = integrate.quad(
            lambda x, one=one: (1 - one.cdf([[x]])[0, 0]) ** 2, z[i], 1.5, limit=200
        )[0]
        assert score == pytest.approx(low + high, rel=1e-6)


def test_truncated_gaussian_agrees_with_its_integral():
    pdf = MixturePDF([[1.0]], [[0.01]], [[0.03]])
    truth = stats.truncnorm(-1 / 3, np.inf, loc=0.01, scale=0.03)
    low = integrate.quad(lambda x: truth.cdf(x) ** 2, 0, 0.05)[0]
    high = integrate.quad(lambda x: truth.sf(x) ** 2, 0.05, 0.5)[0]
    assert crps(pdf, [0.05])[0] == pytest.approx(low + high, rel=1e-6)


def test_grid_agrees_with_the_gaussian_it_samples():
    z = np.linspace(0, 1, 2001)
    pdf = GridPDF(z, stats.norm.pdf(z, [[0.5], [0.5]], 0.02))
    expected = gaussian_crps(np.array([0.51, 0.7]), 0.5, 0.02)
    np.testing.assert_allclose(crps(pdf, [0.51, 0.7]), expected, rtol=2e-4)
    # Outside the grid the step adds its distance.
    at_edge, beyond = crps(pdf.take([0]), [1.0])[0], crps(pdf.take([0]), [1.2])[0]
    assert beyond - at_edge == pytest.approx(0.2)


def test_score_is_proper():
    """The truth scores better than any wrong density, on average."""
    z = np.random.default_rng(2).normal(0.6, 0.02, 4000)
    one = np.ones((4000, 1))

    def score(mean, sigma):
        return crps(MixturePDF(one, mean * one, sigma * one), z).mean()

    best = score(0.6, 0.02)
    assert best < min(score(0.61, 0.02), score(0.6, 0.03), score(0.6, 0.013))


def test_negative_log_likelihood_of_a_gaussian():
    pdf = MixturePDF(np.ones((2, 1)), [[0.5], [0.5]], [[0.01], [0.02]])
    expected = -stats.norm.logpdf([0.51, 0.3], 0.5, [0.01, 0.02])
    np.testing.assert_allclose(negative_log_likelihood(pdf, [0.51, 0.3]), expected, rtol=1e-9)


def test_lost_galaxies_are_nan():
    pdf = MixturePDF([[1.0], [np.nan], [1.0]], np.full((3, 1), 0.5), np.full((3, 1), 0.1))
    z = [0.4, 0.4, np.nan]
    for score in (crps(pdf, z), negative_log_likelihood(pdf, z)):
        np.testing.assert_array_equal(np.isnan(score), [False, True, True])
    with pytest.raises(InputError, match="crps"):
        crps(pdf, [0.1])
