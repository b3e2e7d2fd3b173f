import numpy as np
import pytest

from photoz.metrics.exposure_orders import order_scatter


def test_scatter_is_that_of_each_galaxy_over_its_orders():
    rng = np.random.default_rng(0)
    spec = np.array([0.2, 0.6, 1.0])
    width = np.array([0.001, 0.01, 0.0])
    modes = spec[:, None] + 0.05 + width[:, None] * rng.standard_normal((3, 20000))
    columns = order_scatter(modes, spec)
    assert columns["order_scatter"] == pytest.approx(width / (1 + spec), rel=0.03)
    np.testing.assert_allclose(columns["dz"], (modes[:, 0] - spec) / (1 + spec))


def test_galaxies_without_density_have_none():
    columns = order_scatter(np.full((2, 5), np.nan), [0.1, np.nan])
    assert np.isnan(columns["order_scatter"]).all() and np.isnan(columns["dz"]).all()
