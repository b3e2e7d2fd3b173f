import numpy as np
import pytest
from scipy import stats

from photoz.files import InputError
from photoz.pdf import GridPDF


def gaussians(mean=(0.3003, 0.6), sigma=(0.02, 0.05), step=0.002):
    z = np.arange(0, 1.2, step)
    return GridPDF(z, stats.norm.pdf(z, np.array(mean)[:, None], np.array(sigma)[:, None]))


def test_a_fine_grid_of_gaussians_behaves_like_gaussians():
    pdf, truth = gaussians(), stats.norm([0.3003, 0.6], [0.02, 0.05])
    np.testing.assert_allclose(pdf.mode(), [0.3003, 0.6], atol=1e-7)
    np.testing.assert_allclose(pdf.mean(), [0.3003, 0.6], atol=1e-6)
    np.testing.assert_allclose(pdf.std(), [0.02, 0.05], rtol=3e-3)
    z = np.array([0.31, 0.52])
    np.testing.assert_allclose(pdf.pit(z), truth.cdf(z), atol=1e-3)
    np.testing.assert_allclose(pdf.pdf_at(z), truth.pdf(z), rtol=3e-3)
    width = pdf.odds(0.04)
    np.testing.assert_allclose(width, [0.6827, 0.3108], atol=2e-3)


def test_triangle_in_closed_form():
    pdf = GridPDF([0.0, 1.0, 3.0], [[0.0, 2.0, 0.0]])  # scaled to a peak of 2/3
    assert pdf.pdf_at([0.5])[0] == pytest.approx(1 / 3)
    assert pdf.cdf([[1.0]])[0, 0] == pytest.approx(1 / 3)
    assert pdf.cdf([[0.5]])[0, 0] == pytest.approx(1 / 12)
    assert pdf.mean()[0] == pytest.approx(4 / 3)
    assert pdf.std()[0] == pytest.approx(np.sqrt(7 / 18))
    np.testing.assert_allclose(pdf.quantile([1 / 12, 1 / 3, 1.0])[0], [0.5, 1.0, 3.0])
    truth = stats.triang(c=1 / 3, scale=3)
    q = np.linspace(0.01, 0.99, 17)
    np.testing.assert_allclose(pdf.quantile(q)[0], truth.ppf(q), rtol=1e-10)


def test_quantile_inverts_the_cdf_on_an_uneven_grid():
    rng = np.random.default_rng(3)
    z = np.sort(rng.uniform(0, 1, 30))
    pdf = GridPDF(z, rng.uniform(0, 1, (5, 30)))
    q = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(pdf.cdf(pdf.quantile(q)), np.tile(q, (5, 1)), rtol=1e-10)


def test_a_grid_as_long_as_the_sample_is_still_a_grid():
    pdf, z = gaussians(), np.array([0.31, 0.52])
    assert pdf.cdf(z).shape == (2, 2)
    np.testing.assert_array_equal(np.diag(pdf.cdf(z)), pdf.pit(z))


def test_no_density_outside_the_grid():
    pdf = gaussians()
    np.testing.assert_array_equal(pdf.pdf([-0.1, 2.0]), 0)
    np.testing.assert_allclose(pdf.cdf([[-0.1, 2.0]]), [[0, 1], [0, 1]], atol=1e-12)
    assert pdf.log_pdf_at([2.0, 0.6])[0] == -np.inf


def test_rows_without_mass_are_no_pdf():
    pdf = GridPDF([0.0, 0.5, 1.0], [[1, 1, 1], [0, 0, 0], [np.nan, 1, 1]])
    assert pdf.valid.tolist() == [True, False, False]
    for values in (pdf.mode(), pdf.odds(), pdf.mean(), pdf.std(), pdf.quantile([0.5])[:, 0]):
        np.testing.assert_array_equal(np.isnan(values), [False, True, True])


def test_mode_at_the_end_of_the_grid():
    assert GridPDF([0.0, 0.5, 1.0], [[3, 1, 0.5]]).mode()[0] == 0.0
    assert GridPDF([0.0, 0.5, 1.0], [[0, 1, 5]]).mode()[0] == 1.0
    assert GridPDF([0.0, 1.0], [[1, 5]]).mode()[0] == 1.0


def test_bad_grids_are_told():
    with pytest.raises(InputError, match="ascend"):
        GridPDF([0.0, 0.0, 1.0], np.ones((1, 3)))
    with pytest.raises(InputError, match="do not match"):
        GridPDF([0.0, 1.0], np.ones((1, 3)))
    with pytest.raises(InputError, match="negative"):
        GridPDF([0.0, 1.0], [[1.0, -1.0]])
