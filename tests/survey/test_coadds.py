import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey import coadd

NAN = np.nan


def test_by_hand():
    # weights 1 and 1/4: (10 + 20/4) / (5/4) = 12, error sqrt(4/5)
    flux, error = coadd([10.0, 20.0, NAN], [1.0, 2.0, NAN])
    assert flux == pytest.approx(12)
    assert error == pytest.approx(np.sqrt(0.8))


def test_equal_errors_are_the_plain_mean_and_root_n():
    flux, error = coadd(np.arange(6.0).reshape(2, 3), np.full((2, 3), 0.3))
    np.testing.assert_allclose(flux, [1, 4])
    np.testing.assert_allclose(error, 0.3 / np.sqrt(3))


def test_nothing_taken_is_nan_and_negative_flux_is_data():
    flux, error = coadd([[NAN, NAN], [-3.0, NAN], [1.0, NAN]], [[1.0, NAN], [2.0, NAN], [NAN, 1]])
    np.testing.assert_array_equal(flux, [NAN, -3, NAN])
    np.testing.assert_array_equal(error, [NAN, 2, NAN])


def test_scatter_of_coadds_is_their_error():
    rng = np.random.default_rng(4)
    sigma = np.broadcast_to([0.5, 1.0, 3.0], (20000, 3))
    flux, error = coadd(7 + sigma * rng.standard_normal(sigma.shape), sigma)
    assert flux.std() == pytest.approx(error[0], rel=0.03)
    assert flux.mean() == pytest.approx(7, abs=0.02)


def test_single_precision_survives_tiny_fluxes():
    flux, error = coadd(np.full((1, 2), 1e-30, np.float32), np.full((1, 2), 1e-31, np.float32))
    assert flux.dtype == error.dtype == np.float32
    np.testing.assert_allclose(flux, 1e-30, rtol=1e-6)
    np.testing.assert_allclose(error, 1e-31 / np.sqrt(2), rtol=1e-6)


def test_bad_errors_and_shapes():
    with pytest.raises(InputError, match="zero or negative"):
        coadd([1.0, 2.0], [0.0, 1.0])
    with pytest.raises(InputError, match="unequal shapes"):
        coadd([1.0, 2.0], [1.0])
