from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from photoz.files import InputError
from photoz.survey import (
    Band,
    ab_magnitude,
    band_flux,
    band_weights,
    flux_from_magnitude,
    line_flux,
)
from photoz.survey.photometry import AB_FLUX, SPEED_OF_LIGHT


@pytest.fixture
def uneven():
    return Band("x", "broad", [4000.0, 4310, 4357, 5000, 5600], [0.0, 0.9, 0.4, 1.0, 0.2])


def test_exact_on_unrelated_uneven_grids(uneven):
    rng = np.random.default_rng(1)
    w = np.concatenate([[3900.0], np.sort(rng.uniform(3950, 5650, 37)), [5700.0]])
    f = rng.uniform(0.5, 2, w.size)
    integrand = lambda x: np.interp(x, w, f) * float(uneven.response(x)) * x  # noqa: E731
    nodes = np.union1d(uneven.wavelength, w[(w > 4000) & (w < 5600)])
    pieces = pairwise(nodes)
    top = sum(quad(integrand, a, b, epsrel=1e-13)[0] for a, b in pieces)
    bottom = sum(
        quad(lambda x: float(uneven.response(x)) / x, a, b, epsrel=1e-13)[0]
        for a, b in pairwise(uneven.wavelength)
    )
    expected = top / (SPEED_OF_LIGHT * bottom)
    assert band_flux(w, f, uneven) == pytest.approx(expected, rel=1e-12)


def test_result_does_not_depend_on_how_the_same_line_is_sampled(uneven):
    coarse = np.array([3000.0, 9000.0])
    fine = np.linspace(3000, 9000, 1237)
    line = lambda w: 1 + 3e-4 * w  # noqa: E731
    assert band_flux(coarse, line(coarse), uneven) == pytest.approx(
        float(band_flux(fine, line(fine), uneven)), rel=1e-13
    )


def test_power_laws_have_their_closed_form():
    # f_lambda = (w / 5000)^p through a box a..b: integral w^(p+1) / integral 1/w
    a, b = 5000.0, 6000.0
    box = Band("b", "narrow", [a - 1e-7, a, b, b + 1e-7], [0.0, 1, 1, 0])
    w = np.arange(4900.0, 6100.5, 0.5)
    for p in (-3.5, -1.0, 2.0):
        top = (b ** (p + 2) - a ** (p + 2)) / ((p + 2) * 5000**p)
        expected = top / (SPEED_OF_LIGHT * np.log(b / a))
        assert band_flux(w, (w / 5000) ** p, box) == pytest.approx(expected, rel=1e-7)


def test_flat_f_nu_is_the_ab_magnitude(survey):
    w = np.arange(3000.0, 9000.0, 1.0)
    f_lambda = AB_FLUX * 10 ** (-0.4 * 20) * SPEED_OF_LIGHT / w**2
    for band in survey.bands:
        magnitude = -2.5 * np.log10(band_flux(w, f_lambda, band)) - 48.6
        assert magnitude == pytest.approx(20, abs=1e-7)


def test_sedpy_agrees_where_its_sampling_is_fine():
    observate = pytest.importorskip("sedpy.observate")
    from photoz.survey.curves import sedpy_band

    w = np.arange(3000.0, 12000.0, 0.5)
    f_lambda = 1e-17 * (w / 5000) ** -1.3 * (1 + 0.3 * np.sin(w / 70))
    for name in ("subaru_suprimecam_B", "subaru_suprimecam_zp", "sdss_r0"):
        ours = -2.5 * np.log10(band_flux(w, f_lambda, sedpy_band("x", "broad", name))) - 48.6
        assert ours == pytest.approx(observate.Filter(name).ab_mag(w, f_lambda), abs=5e-4)


def test_many_spectra_at_once(uneven):
    w = np.linspace(3000, 9000, 50)
    spectra = np.random.default_rng(0).random((2, 3, 50))
    together = band_flux(w, spectra, uneven)
    assert together.shape == (2, 3)
    assert together[1, 2] == pytest.approx(float(band_flux(w, spectra[1, 2], uneven)))
    np.testing.assert_allclose(together, spectra @ band_weights(w, uneven))


def test_a_line_is_the_limit_of_a_narrow_triangle(uneven):
    triangle = np.array([3000.0, 4899.999, 4900, 4900.001, 9000])
    flux = band_flux(triangle, [0, 0, 1e3, 0, 0], uneven)  # area 1
    assert line_flux(4900.0, 1.0, uneven) == pytest.approx(float(flux), rel=1e-6)
    np.testing.assert_array_equal(line_flux([3999.0, 5601.0], [1.0, 1.0], uneven), 0)


def test_spectrum_must_cover_the_band_and_ascend(uneven):
    with pytest.raises(InputError, match="covers 4000-5600 A, the spectrum only 4100-9000 A"):
        band_flux([4100.0, 9000.0], [1.0, 1.0], uneven)
    with pytest.raises(InputError, match="ascend"):
        band_flux([9000.0, 3000.0], [1.0, 1.0], uneven)


def test_magnitudes_and_back():
    assert flux_from_magnitude(23.5, 26) == pytest.approx(10.0)
    assert ab_magnitude(1.0, 23.9) == pytest.approx(23.9)
    flux = np.array([0.1, 3.0, 1e5])
    np.testing.assert_allclose(flux_from_magnitude(ab_magnitude(flux, 26), 26), flux, rtol=1e-12)
    assert np.isnan(ab_magnitude([-1.0, 0.0, np.nan], 26)).all()
