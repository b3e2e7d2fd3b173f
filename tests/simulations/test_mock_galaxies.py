from dataclasses import fields, replace

import numpy as np
import pytest
from astropy.cosmology import Planck15
from scipy.integrate import quad

from photoz.files import InputError
from photoz.simulations.deviations import (
    draw_dust_law,
    line_group,
    line_scatter,
    smooth_deviations,
)
from photoz.simulations.galaxies import (
    GALAXY_TYPES,
    Galaxies,
    PopulationConfig,
    absolute_magnitude,
    age_weights,
    draw_galaxies,
    star_formation_rate,
)
from photoz.simulations.sky import draw_redshift_magnitude

LOG_AGE = 5.0 + 0.05 * np.arange(107)


@pytest.fixture(scope="module")
def galaxies():
    rng = np.random.default_rng(1)
    redshift, magnitude = draw_redshift_magnitude(4000, rng)
    return draw_galaxies(redshift, magnitude, PopulationConfig(), rng)


def one(**values):
    zero = {f.name: np.zeros(1) for f in fields(Galaxies)}
    zero |= {"redshift": np.array([0.5]), "start": np.array([2.0]), "tau": np.array([1.5])}
    zero |= {"quench_time": np.array([0.1])}
    return Galaxies(**(zero | {k: np.array([v]) for k, v in values.items()}))


def rate_at(galaxy, lookback):
    return star_formation_rate(galaxy, np.array([lookback]))[0, 0]


def test_absolute_magnitude_agrees_with_astropy():
    # the flux density of a source seen at lambda and emitted at lambda / (1 + z)
    expected = 21.0 - Planck15.distmod(0.7).value + 2.5 * np.log10(1.7)
    assert absolute_magnitude(np.array([0.7]), np.array([21.0]))[0] == pytest.approx(
        expected, abs=1e-4
    )


def test_delayed_history_forms_one_solar_mass_and_ends_at_its_start():
    galaxy = one()
    since = Planck15.age(0.5).value - 2.0
    assert quad(lambda t: rate_at(galaxy, t), 0, since)[0] == pytest.approx(1.0, rel=1e-4)
    assert rate_at(galaxy, since + 0.01) == 0.0
    assert rate_at(galaxy, since - 1.5) > rate_at(galaxy, since - 1.0)  # peaks at tau


def test_burst_adds_its_mass_and_quenching_takes_recent_stars():
    burst = one(burst_age=0.1, burst_mass=0.3)
    added = quad(lambda t: rate_at(burst, t) - rate_at(one(), t), 0, 0.1, points=[0.05])[0]
    assert added == pytest.approx(0.3, rel=1e-4)
    quenched = one(quench_age=1.0)
    assert rate_at(quenched, 0.0) < 1e-3 * rate_at(one(), 0.0)
    assert rate_at(quenched, 1.5) == pytest.approx(rate_at(one(), 1.5))


@pytest.mark.parametrize("burst", [0.0, 0.2])
def test_age_weights_agree_with_a_fine_sum(burst):
    galaxy = one(burst_age=0.3, burst_mass=burst)
    lookback = np.concatenate([[0.0], np.geomspace(1e-5, Planck15.age(0.5).value, 20000)])
    position = np.log10(np.maximum(lookback, 1e-4) * 1e9)
    rate = star_formation_rate(galaxy, lookback)[0]
    hats = np.stack([np.interp(position, LOG_AGE, row) for row in np.eye(len(LOG_AGE))])
    expected = np.trapezoid(hats * rate, lookback, axis=1)
    expected /= expected.sum()
    weights = age_weights(galaxy, LOG_AGE)[0]
    assert weights.sum() == pytest.approx(1.0)
    # the start of the history and of the burst fall inside an interval: compare what is formed
    np.testing.assert_allclose(weights.cumsum(), expected.cumsum(), atol=0.01)
    assert weights[:40].sum() == pytest.approx(expected[:40].sum(), rel=0.02)


def test_specific_rate_is_the_one_asked_for(galaxies):
    quiet = galaxies.take(np.flatnonzero((galaxies.type == 1) & (galaxies.log_ssfr < -9.7)))
    rate = star_formation_rate(quiet, np.array([0.0]))[:, 0]
    np.testing.assert_allclose(np.log10(rate) - 9.0, quiet.log_ssfr, atol=0.02)


def test_relations_between_properties(galaxies):
    red = galaxies.type == 0
    assert 0.1 < red.mean() < 0.3
    luminous = galaxies.mass > np.median(galaxies.mass)
    assert red[luminous].mean() > red[~luminous].mean() + 0.1
    blue = ~red
    mass = galaxies.mass[blue]
    assert np.corrcoef(mass, galaxies.gas_logz[blue])[0, 1] > 0.5
    assert np.corrcoef(mass, galaxies.dust[blue])[0, 1] > 0.3
    epoch = blue & (np.abs(galaxies.redshift - 0.6) < 0.1)  # the sequence evolves
    slope, _ = np.polyfit(galaxies.mass[epoch], galaxies.log_ssfr[epoch], 1)
    assert -0.4 < slope < -0.05
    assert np.corrcoef(galaxies.gas_logz[blue], galaxies.gas_logu[blue])[0, 1] < -0.2
    assert (galaxies.start < Planck15.age(galaxies.redshift).value).all()
    assert set(np.unique(galaxies.type)) == set(range(len(GALAXY_TYPES)))


def test_shares_follow_the_configuration():
    rng = np.random.default_rng(2)
    redshift, magnitude = draw_redshift_magnitude(4000, rng)
    config = PopulationConfig(burst_fraction=0.5, quenched_fraction=0.0, other_dust_fraction=0.0)
    galaxies = draw_galaxies(redshift, magnitude, config, rng)
    assert (galaxies.type == 3).sum() == 0
    assert (galaxies.type == 2).sum() / (galaxies.type > 0).sum() == pytest.approx(0.5, abs=0.03)
    assert (galaxies.law == 0).all()
    with pytest.raises(InputError, match="burst_fraction"):
        replace(config, burst_fraction=2.0)
    with pytest.raises(InputError, match="continuum_rms"):
        replace(config, continuum_rms=-0.1)


def test_deviations_have_their_rms_and_length():
    wavelength = np.exp(np.arange(np.log(1300), np.log(11000), 0.01))
    deviation = np.log(smooth_deviations(wavelength, 3000, 0.05, 0.35, np.random.default_rng(3)))
    np.testing.assert_allclose(deviation.std(axis=0), 0.05, rtol=0.1)
    a, b = deviation[:, 60], deviation[:, 60 + 35]
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(np.exp(-0.5), abs=0.05)


def test_line_scatter_changes_ratios_between_groups_only():
    groups = [line_group(*x) for x in (("Ha", 6564.6), ("Hb", 4862.7), ("[OIII]", 5008.2))]
    assert groups == ["Balmer", "Balmer", "[OIII]"]
    factor = np.log10(line_scatter(groups, 4000, 0.1, np.random.default_rng(4)))
    np.testing.assert_allclose(factor[:, 0], factor[:, 1])
    assert (factor[:, 2] - factor[:, 0]).std() == pytest.approx(np.hypot(0.1, 0.05), rel=0.05)


@pytest.mark.parametrize(
    ("name", "wavelength", "group"),
    [
        ("O 2 3726.03", 3727.09, "[OII]"),
        ("N 2 6583.45", 6585.27, "[NII]"),
        ("S 2 6716.44", 6718.29, "[SII]"),
        ("He 1 5875.64", 5877.2, "other"),
    ],
)
def test_vacuum_lines_find_their_group(name, wavelength, group):
    assert line_group(name, wavelength) == group


def test_dust_laws_are_shared_out():
    law = draw_dust_law(20000, 0.3, np.random.default_rng(5))
    np.testing.assert_allclose(np.bincount(law) / 20000, [0.7, 0.15, 0.15], atol=0.01)
