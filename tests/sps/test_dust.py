import numpy as np
import pytest
from sedpy import attenuation

from photoz.sps.dust import DUST_LAWS, calzetti, calzetti_bump, smc

WAVELENGTH = np.array([1300.0, 1500, 2175, 2600, 3000, 4400, 5500, 6200, 7000, 9500, 16000, 21000])


def test_calzetti_values_of_the_paper():
    """Calzetti et al. (2000), equation 4, by hand."""
    assert calzetti(5500.0) == pytest.approx(4.0479, abs=1e-3)
    by_hand = 2.659 * (-2.156 + 1.509 / 0.15 - 0.198 / 0.15**2 + 0.011 / 0.15**3) + 4.05
    assert calzetti(1500.0) == pytest.approx(by_hand)
    assert calzetti(6299.999) == pytest.approx(float(calzetti(6300.001)), rel=0.01)
    assert calzetti(50000.0) == 0.0


@pytest.mark.parametrize("name", ["calzetti", "smc"])
def test_curves_agree_with_sedpy(name):
    expected = getattr(attenuation, name)(WAVELENGTH)
    tolerance = 1e-3 if name == "calzetti" else 1e-6  # sedpy scales Calzetti to 1 at 5500 A
    np.testing.assert_allclose(
        DUST_LAWS[name].optical_depth(WAVELENGTH), expected, rtol=tolerance, atol=1e-9
    )


def test_bump_adds_its_strength_at_its_centre_only():
    assert calzetti_bump(2175.0, 3.3) - calzetti(2175.0) == pytest.approx(3.3)
    assert calzetti_bump(5500.0, 3.3) - calzetti(5500.0) < 0.08
    assert calzetti_bump(5500.0, 0.0) == calzetti(5500.0)


def test_shapes_are_kept():
    for curve in (calzetti, smc):
        assert np.shape(curve(5500.0)) == ()
        assert curve(np.full((2, 3), 5500.0)).shape == (2, 3)
