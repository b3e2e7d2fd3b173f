"""The template simulation: limits, luminosities, colours, lines, determinism."""

import dataclasses

import h5py
import numpy as np
import pytest
from scipy import stats

from photoz.checksums import read_attribute
from photoz.files import InputError
from photoz.simulations.nebular_lines import LINES
from photoz.simulations.realism import broad_colours, colour_percentiles
from photoz.simulations.simulation import read_simulation
from photoz.simulations.sky import load_reference
from photoz.simulations.template_model import (
    FIRST_BLUE,
    FIRST_CALZETTI,
    FIRST_DUSTY,
    FIRST_STAR_FORMING,
    LAST_RED,
    LAWS,
    LUMINOSITY_OF_ZERO,
    TemplateModel,
    Templates,
    rest_band,
)
from photoz.simulations.template_population import BLUE, RED, TemplatePopulation
from photoz.simulations.template_simulation import TemplateSimulator, simulate_template_chunk
from photoz.sps.cosmology import luminosity_distance
from photoz.sps.dust import DUST_LAWS
from photoz.survey.bands import BandSet
from photoz.survey.photometry import AB_FLUX, band_flux, line_flux

BROAD = ("u", "B", "V", "r", "i", "z")


@pytest.fixture(scope="module")
def bands(paus):
    return paus.bands.subset(["NB455", "NB655", "NB755", *BROAD])


@pytest.fixture(scope="module")
def drawn(bands):
    return TemplateSimulator(TemplatePopulation(), bands, "i").draw(6000, np.random.default_rng(0))


@pytest.fixture(scope="module")
def model():
    return TemplateModel(0.5)


def test_galaxies_are_within_the_limits_in_the_reference_band(drawn, bands):
    magnitude = -2.5 * np.log10(drawn.flux[:, bands.index("i")].astype(float))
    np.testing.assert_allclose(magnitude, drawn.params["magnitude"], atol=1e-5)
    assert magnitude.min() > 17.0 and magnitude.max() < 22.5
    assert drawn.redshift.min() >= 0.01 and drawn.redshift.max() <= 1.2
    assert np.isfinite(drawn.flux).all() and (drawn.flux > 0).all()
    assert len(drawn) == 6000 and drawn.flux.dtype == np.float32


def test_luminosities_follow_the_luminosity_function(bands):
    """A volume that the limit does not cut: every galaxy counts, so Schechter is recovered."""
    population = TemplatePopulation(redshift=(0.2, 0.25), magnitude=(10.0, 21.0))
    drawn = TemplateSimulator(population, bands, "i").draw(4000, np.random.default_rng(1))
    z = 0.228  # of the volume's middle; the knee moves by 0.05 mag
    for is_red, function, complete in ((1, RED, -20.0), (0, BLUE, -20.0)):
        rows = (drawn.params["is_red"] == is_red) & (drawn.params["absolute_magnitude"] < complete)
        assert rows.sum() > 200
        total = function.brighter_than(complete, z)
        test = stats.kstest(
            drawn.params["absolute_magnitude"][rows],
            lambda m, f=function, n=total, z=z: f.brighter_than(m, z) / n,
        )
        assert test.pvalue > 0.01, is_red
    bright = drawn.params["absolute_magnitude"] < -20.0
    share = drawn.params["is_red"][bright].mean()
    red, blue = RED.brighter_than(-20.0, 0.228), BLUE.brighter_than(-20.0, 0.228)
    assert share == pytest.approx(red / (red + blue), abs=0.04)


def test_colours_are_those_of_real_galaxies(drawn, bands):
    """Median colours in redshift bins lie well inside the middle 68 per cent of zCOSMOS."""
    magnitude = -2.5 * np.log10(drawn.flux[:, [bands.index(b) for b in BROAD]].astype(float))
    mine = colour_percentiles(drawn.redshift, magnitude[:, 4], broad_colours(magnitude))
    real = load_reference()["colours"]
    for ours, theirs in zip(mine["by_redshift"], real["by_redshift"], strict=True):
        low, lower, median, upper, high = np.array(theirs)
        assert (ours[2] > lower).all() and (ours[2] < upper).all()
        assert np.abs(ours[2] - median).max() < 0.18
        # the bulk is within what real galaxies reach
        assert (np.array(ours[1]) > low - 0.1).all() and (np.array(ours[3]) < high + 0.1).all()


def test_the_redshift_distribution_is_that_of_a_survey_to_22_5(drawn):
    assert 0.45 < np.median(drawn.redshift) < 0.65  # zCOSMOS: 0.53
    assert 0.05 < np.mean(drawn.redshift > 0.9) < 0.2


def test_types_have_their_templates_and_their_dust(drawn):
    p = drawn.params
    assert p["template"][p["is_red"] == 1].max() <= LAST_RED
    assert p["template"][p["is_red"] == 0].min() >= FIRST_BLUE
    assert (p["dust"][p["template"] < FIRST_DUSTY] == 0).all()
    dusty = p["dust"] > 0
    smc = p["law"] == LAWS.index("smc")
    middle = (p["template"] > FIRST_DUSTY) & (p["template"] < FIRST_CALZETTI)
    late = p["template"] > FIRST_CALZETTI
    assert smc[dusty & middle].all() and not smc[dusty & late].any()
    bump = p["law"][late] == LAWS.index("calzetti_weak_bump")
    assert bump.mean() == pytest.approx(0.3, abs=0.04)
    assert 0.12 < p["dust"][late].mean() < 0.2 and p["dust"].max() <= 0.5


def test_halpha_is_kennicutts_with_scatter(drawn):
    p = drawn.params
    rate = p["star_formation_rate"]
    assert (rate[p["template"] < FIRST_STAR_FORMING - 1] == 0).all()
    ratio = p["log_Ha"][rate > 0] - np.log10(rate[rate > 0] / 7.9e-42)
    assert np.median(ratio) == pytest.approx(0, abs=0.01)
    assert np.std(ratio) == pytest.approx(0.15, rel=0.05)


def test_rates_follow_from_the_template_and_the_luminosity(drawn, model):
    """By hand for one galaxy: L_nu from M_B and the template's own ultraviolet-to-B ratio."""
    p = drawn.params
    row = int(np.flatnonzero((p["dust"] > 0.1) & (p["template"] > 25))[0])
    low, part = int(p["template"][row]), p["template"][row] % 1
    library, wave = model.library, model.library.wavelength
    attenuation = 10 ** (-0.4 * p["dust"][row] * DUST_LAWS[LAWS[int(p["law"][row])]].curve(wave))
    mixed = (1 - part) * library.f_lambda[low] + part * library.f_lambda[low + 1]
    inside = np.linspace(1500, 2800, 500)
    uv = np.interp(inside, wave, mixed * wave**2 / 2.99792458e18).mean()
    b = band_flux(wave, mixed * attenuation, rest_band("B"))
    luminosity = LUMINOSITY_OF_ZERO * 10 ** (-0.4 * p["absolute_magnitude"][row]) * uv / b
    assert p["star_formation_rate"][row] == pytest.approx(1.4e-28 * luminosity, rel=2e-3)


def test_fluxes_are_the_spectrum_through_the_curves(drawn, bands, model):
    """Template, dust, lines and distance by hand, integrated exactly on the library's own grid."""
    p = drawn.params
    wave, worst = model.library.wavelength, []
    for row in np.flatnonzero(p["star_formation_rate"] > 0)[:20]:
        z, low, part = drawn.redshift[row], int(p["template"][row]), p["template"][row] % 1
        curve = DUST_LAWS[LAWS[int(p["law"][row])]].curve
        f = model.library.f_lambda
        spectrum = ((1 - part) * f[low] + part * f[low + 1]) * 10 ** (
            -0.4 * p["dust"][row] * curve(wave)
        )
        ten = AB_FLUX * 10 ** (-0.4 * p["absolute_magnitude"][row])
        spectrum *= ten / band_flux(wave, spectrum, rest_band("B"))
        distance = luminosity_distance(z)
        spectrum *= (1e-5 / distance) ** 2 / (1 + z)
        area = 4 * np.pi * (distance * 3.0856775814913673e24) ** 2
        for b, band in enumerate(bands):
            flux = band_flux(wave * (1 + z), spectrum, band)
            for name, centre in LINES.items():
                gas = 10 ** (-0.4 * p["dust"][row] / 0.44 * curve(centre))
                luminosity = 10 ** p[f"log_{name}"][row] * gas
                flux += line_flux(centre * (1 + z), luminosity / area, band)
            worst.append(-2.5 * np.log10(drawn.flux[row, b] / (flux / AB_FLUX)))
    assert np.abs(np.median(worst)) < 1e-3
    assert np.abs(worst).max() < 0.02  # resampling of the templates' spectra


def test_a_chosen_point_of_the_sequence_has_the_colour_that_was_asked_for(model):
    rng = np.random.default_rng(3)
    n = 500
    is_red = rng.random(n) < 0.3
    colour = np.where(is_red, rng.uniform(1.1, 1.3, n), rng.uniform(0.5, 1.0, n))
    chosen = model.choose(is_red, colour, rng.uniform(0, 0.3, n), rng.random(n) < 0.3, rng)
    wave = model.library.wavelength
    curves = np.stack([DUST_LAWS[name].curve(wave) for name in LAWS])
    spectrum = chosen.mix(model.library.f_lambda)
    spectrum *= 10 ** (-0.4 * chosen.excess[:, None] * curves[chosen.law])
    u, b = (band_flux(wave, spectrum, rest_band(name)) for name in ("U", "B"))
    np.testing.assert_allclose(-2.5 * np.log10(u / b), colour, atol=2e-3)


def test_a_colour_out_of_reach_gets_the_nearest_template(model):
    no_dust, off = np.zeros(2), np.zeros(2, bool)
    chosen = model.choose(off, np.array([-1.0, 3.0]), no_dust, off, np.random.default_rng(0))
    points = chosen.first + chosen.part
    assert points[0] == 30 and points[1] == pytest.approx(FIRST_BLUE)


def test_mixing_is_linear_in_flux():
    points = Templates(np.array([0, 1]), np.array([0.25, 1.0]), np.zeros(2), np.zeros(2, int))
    np.testing.assert_allclose(points.mix(np.array([0.0, 4.0, 10.0])), [1.0, 10.0])


def test_any_chunk_can_be_made_alone_with_the_same_bytes(bands, tmp_path):
    population = TemplatePopulation()
    for name, chunk in (("first", 0), ("second", 1), ("again", 1)):
        simulate_template_chunk(tmp_path / name, population, bands, 60, 11, chunk, "abc")
    assert (tmp_path / "second").read_bytes() == (tmp_path / "again").read_bytes()
    first, second = (read_simulation(tmp_path / name) for name in ("first", "second"))
    assert not np.isin(first.redshift, second.redshift).any()
    assert len(read_simulation([tmp_path / "first", tmp_path / "second"])) == 120
    with h5py.File(tmp_path / "second") as file:
        assert read_attribute(file, "units") == "maggies" and file.attrs["seed"] == 11
        assert list(read_attribute(file, "bands")) == list(bands.names)


def test_other_limits_are_kept(bands):
    population = TemplatePopulation(redshift=(0.3, 0.4), magnitude=(20.0, 21.0))
    drawn = TemplateSimulator(population, bands, "r").draw(300, np.random.default_rng(2))
    magnitude = -2.5 * np.log10(drawn.flux[:, bands.index("r")].astype(float))
    assert magnitude.min() > 20 and magnitude.max() < 21
    assert drawn.redshift.min() >= 0.3 and drawn.redshift.max() <= 0.4


def test_limits_that_no_galaxy_meets_are_an_error(bands):
    population = TemplatePopulation(redshift=(1.1, 1.2), magnitude=(9.0, 10.0))
    with pytest.raises(InputError, match="hardly any galaxy"):
        TemplateSimulator(population, bands, "i").draw(3, np.random.default_rng(0))


def test_a_band_beyond_the_templates_is_named(bands):
    far = dataclasses.replace(bands["z"], name="L", wavelength=bands["z"].wavelength * 3.5)
    with pytest.raises(InputError, match="band L sees beyond"):
        TemplateSimulator(TemplatePopulation(), BandSet((*bands.bands, far)), "i")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"redshift": [0.5, 0.2]}, "redshift = .* must ascend"),
        ({"redshift": 0.5}, r"give \[low, high\]"),
        ({"magnitude": [22, 20]}, "magnitude = .* must ascend"),
        ({"colour_excess": 0}, "colour_excess = 0 must be above 0"),
        ({"line_scatter": -1}, "line_scatter = -1 must not be negative"),
        ({"bump_fraction": 2}, "bump_fraction = 2 is a fraction"),
        ({"red": {"slope": -3}}, "slope -3 must lie"),
        ({"color_excess": 0.1}, "unknown key 'color_excess'; did you mean 'colour_excess'"),
    ],
)
def test_impossible_populations_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        TemplatePopulation.from_mapping(wrong)


def test_a_population_is_made_again_from_its_description():
    population = TemplatePopulation(redshift=(0.1, 0.9), blue=RED, line_scatter=0.2)
    assert TemplatePopulation.from_mapping(population.to_dict()) == population
