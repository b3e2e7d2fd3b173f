import numpy as np
import pytest
from astropy.cosmology import Planck15

from photoz.sps.cosmology import age_at_redshift, luminosity_distance


def test_tables_agree_with_astropy():
    redshift = np.array([0.00312, 0.1234, 0.7, 1.19, 3.21])
    expected = Planck15.luminosity_distance(redshift).value
    np.testing.assert_allclose(luminosity_distance(redshift), expected, rtol=5e-6)
    np.testing.assert_allclose(age_at_redshift(redshift), Planck15.age(redshift).value, rtol=2e-6)


def test_redshift_zero_has_a_finite_distance():
    assert luminosity_distance(0.0) == 1e-5


@pytest.mark.parametrize("redshift", [-0.01, 9.0, np.nan])
def test_redshifts_outside_the_table_are_refused(redshift):
    with pytest.raises(ValueError, match="redshifts must lie in"):
        luminosity_distance([0.1, redshift])
    with pytest.raises(ValueError, match="redshifts must lie in"):
        age_at_redshift([redshift])
