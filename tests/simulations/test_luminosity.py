"""Evolving Schechter functions, against scipy and astropy."""

import numpy as np
import pytest
from astropy.cosmology import Planck15
from scipy import integrate, stats
from scipy.special import gamma, gammaincc

from photoz.files import InputError
from photoz.simulations.luminosity import LuminosityFunction, draw_redshifts, redshift_counts
from photoz.simulations.template_population import BLUE, RED


@pytest.mark.parametrize("function", [RED, BLUE], ids=["red", "blue"])
@pytest.mark.parametrize("redshift", [0.0, 0.7])
def test_counts_are_the_integral_of_the_function(function, redshift):
    limit = function.knee(redshift) + 3.0
    expected, _ = integrate.quad(
        lambda m: function(m, redshift), float(limit) - 12, float(limit), points=[float(limit) - 3]
    )
    assert function.brighter_than(limit, redshift) == pytest.approx(expected, rel=1e-5)


def test_counts_are_the_incomplete_gamma_function():
    faint = RED.knee(0.4) + 2.0
    phi = RED.density * np.exp(0.4 * RED.density_evolution)
    expected = phi * gammaincc(RED.slope + 1, 10 ** (-0.4 * 2.0)) * gamma(RED.slope + 1)
    assert RED.brighter_than(faint, 0.4) == pytest.approx(expected, rel=1e-5)


def test_the_function_at_its_knee_evolves_as_stated():
    knee = BLUE.knee(1.0)
    assert knee == BLUE.magnitude + BLUE.magnitude_evolution
    phi = BLUE.density * np.exp(BLUE.density_evolution)
    assert BLUE(knee, 1.0) == pytest.approx(0.4 * np.log(10) * phi * np.exp(-1))


@pytest.mark.parametrize("function", [RED, BLUE], ids=["red", "blue"])
def test_drawn_magnitudes_follow_the_function(function):
    redshift = np.full(20_000, 0.5)
    limit = function.knee(0.5) + 2.5
    drawn = function.draw(redshift, limit, np.random.default_rng(0))
    assert drawn.max() <= limit
    total = function.brighter_than(limit, 0.5)
    test = stats.kstest(drawn, lambda m: function.brighter_than(m, 0.5) / total)
    assert test.pvalue > 0.01


def test_redshift_counts_are_density_times_astropys_volume():
    nodes = np.linspace(0.1, 1.0, 500)
    counts = redshift_counts(RED, nodes, np.full(500, -20.0))
    volume = Planck15.differential_comoving_volume(nodes[100:400:50]).value
    expected = volume * RED.brighter_than(-20.0, nodes[100:400:50])
    np.testing.assert_allclose(counts[100:400:50], expected, rtol=1e-4)


def test_drawn_redshifts_follow_their_counts():
    nodes = np.linspace(0.0, 1.0, 300)
    drawn = draw_redshifts(nodes, nodes**2, 20_000, np.random.default_rng(1))
    assert stats.kstest(drawn, lambda z: z**3).pvalue > 0.01


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"slope": -2.5}, "slope -2.5 must lie"),
        ({"density": 0.0}, "density 0 must be above 0"),
        ({"magnitude": "bright"}, "magnitude: a finite number"),
        ({"knee": -20}, "unknown key 'knee'"),
    ],
)
def test_impossible_functions_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        LuminosityFunction.from_mapping(wrong, RED)
