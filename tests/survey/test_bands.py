import numpy as np
import pytest
from scipy.integrate import quad

from photoz.files import InputError
from photoz.survey import Band, BandSet


@pytest.fixture
def ragged():
    """Uneven nodes, a dip in the middle, no zero at the red end."""
    return Band(
        "x", "broad", np.array([4000.0, 4300, 4350, 5000, 5600]), np.array([0, 0.9, 0.4, 1, 0.2])
    )


def test_moments_agree_with_adaptive_quadrature(ragged):
    def integral(power):
        breaks = list(ragged.wavelength[1:-1])
        f = lambda w: float(ragged.response(w)) * w**power  # noqa: E731
        return quad(f, 4000, 5600, points=breaks, epsabs=0, epsrel=1e-12)[0]

    assert ragged.integral_per_wavelength == pytest.approx(integral(-1), rel=1e-11)
    assert ragged.mean_wavelength == pytest.approx(integral(1) / integral(0), rel=1e-11)


def test_a_box_in_closed_form():
    # edges 1e-6 A wide: a box, the integral of 1 / w is ln(b / a)
    box = Band("b", "narrow", [5000 - 1e-6, 5000, 6000, 6000 + 1e-6], [0.0, 1, 1, 0])
    assert box.integral_per_wavelength == pytest.approx(np.log(1.2), rel=1e-8)
    assert box.mean_wavelength == pytest.approx(5500, rel=1e-8)


@pytest.mark.parametrize(
    ("wavelength", "transmission", "message"),
    [
        ([1000.0, 900.0], [0.0, 1.0], "ascending"),
        ([1000.0, 1000.0], [0.0, 1.0], "ascending"),
        ([-1.0, 900.0], [0.0, 1.0], "positive"),
        ([1.0, 900.0], [0.0, 0.0], "not zero everywhere"),
        ([1.0, 900.0], [-0.1, 1.0], ">= 0"),
        ([1.0, np.nan], [0.1, 1.0], "not finite"),
        ([1.0, 2.0, 3.0], [0.1, 1.0], "equal columns"),
        ([1.0], [0.1], "at least two rows"),
    ],
)
def test_senseless_curves_are_refused(wavelength, transmission, message):
    with pytest.raises(InputError, match=message):
        Band("x", "broad", wavelength, transmission)


def test_kind_is_checked():
    with pytest.raises(InputError, match="'medium'"):
        Band("x", "medium", [1.0, 2.0], [1.0, 1.0])


def test_curves_cannot_be_changed_behind_the_cached_integrals(ragged):
    with pytest.raises(ValueError, match="read-only"):
        ragged.transmission[0] = 2.0


def test_band_set_order_index_and_subset(survey):
    bands = survey.bands
    assert bands.names == ("NB455", "u", "i")
    assert len(bands) == 3
    assert [band.name for band in bands] == list(bands.names)
    assert bands["u"] is bands[1]
    assert bands.is_narrow.tolist() == [True, False, False]
    assert bands.subset(["i", "NB455"]).names == ("i", "NB455")
    np.testing.assert_allclose(bands.mean_wavelengths, [4550, 3650, 7650])
    assert "u" in bands and "U" not in bands


def test_unknown_and_repeated_bands(survey):
    with pytest.raises(InputError, match="did you mean 'NB455'"):
        survey.bands.index("nb455")
    with pytest.raises(InputError, match="defined twice"):
        BandSet((survey.bands[0], survey.bands[0]))
    with pytest.raises(InputError, match="at least one"):
        BandSet(())
