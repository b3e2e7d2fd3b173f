from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

from photoz.files import InputError
from photoz.simulations.galaxies import PopulationConfig
from photoz.simulations.mock import MockConfig, make_mock, make_template_mock, mock_limits
from photoz.simulations.observing import ObservingConfig
from photoz.simulations.template_mock import (
    draw_templates,
    line_strength,
    mock_wavelengths,
    template_grid_fluxes,
)
from photoz.sps.template_library import EMISSION_LINES, line_luminosities, load_template_library
from photoz.survey.bands import BandSet
from photoz.survey.catalogue import read_catalogue, write_catalogue
from photoz.survey.coadds import coadd
from photoz.survey.photometry import band_flux
from photoz.survey.selection import Selection

N = 400
MAKERS = {"populations": make_mock, "templates": make_template_mock}


@pytest.fixture(scope="module", params=MAKERS)
def mock(request, paus):
    return MAKERS[request.param](paus, MockConfig(n_galaxies=N), 7)


@pytest.fixture(scope="module")
def populations(paus):
    return make_mock(paus, MockConfig(n_galaxies=N), 7)


def test_shape_limits_and_identity(mock):
    assert mock.flux.shape == mock.error.shape == (N, 46)
    assert mock.exposures.flux.shape == (N, 40, 10)
    np.testing.assert_array_equal(mock.id, np.arange(N))
    assert np.isfinite(mock.flux).all()
    assert (mock.error > 0).all()
    assert mock.mag_i.max() < 22.5
    assert 0.01 <= mock.redshift.min() <= mock.redshift.max() < 1.2
    assert mock.flux.dtype == mock.exposures.flux.dtype == np.float32


def test_magnitude_is_the_reference_flux(mock):
    flux = mock.flux[:, mock.bands.index("i")]
    np.testing.assert_allclose(mock.mag_i, 26 - 2.5 * np.log10(flux), atol=1e-5)
    # measured and true magnitudes differ by noise and the zero-point of the band only
    assert np.std(mock.mag_i - mock.truth["mag_i"]) < 0.05


def selecting(survey, **limits):
    return replace(survey, selection=replace(survey.selection, **limits))


@pytest.mark.parametrize("name", MAKERS)
def test_the_selection_of_the_survey_holds(name, broad_only):
    limits = {"magnitude_min": 20.0, "magnitude_max": 21.5}
    limits |= {"redshift_min": 0.3, "redshift_max": 0.9}
    mock = MAKERS[name](selecting(broad_only, **limits), MockConfig(n_galaxies=N), 5)
    assert len(mock) == N
    assert mock.mag_i.min() >= 20.0 and mock.mag_i.max() < 21.5
    assert mock.redshift.min() > 0.3 and mock.redshift.max() < 0.9
    np.testing.assert_array_equal(mock.id, np.arange(N))


def test_a_brighter_limit_cuts_the_same_distribution(broad_only):
    """The mock to i < 21.5 is the bright part of the mock to 22.5."""
    noisy = ObservingConfig(zero_point_error=0.0, broad_error_floor=0.05)
    config = MockConfig(n_galaxies=3000, observing=noisy)
    deep = make_template_mock(broad_only, config, 6)
    shallow = make_template_mock(selecting(broad_only, magnitude_max=21.5), config, 6)
    bright = deep.mag_i < 21.5
    assert shallow.truth["mag_i"].max() > 21.5  # noise brings galaxies in as it takes others out
    assert ks_2samp(deep.redshift[bright], shallow.redshift).pvalue > 1e-3
    assert ks_2samp(deep.mag_i[bright], shallow.mag_i).pvalue > 1e-3


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"magnitude_max": 23.0}, "ends at magnitude 22.5.*magnitude_max of 23"),
        ({"redshift_max": 1.5}, "ends at redshift 1.2.*redshift_max of 1.5"),
        ({"redshift_min": 1.3}, "redshift_min of 1.3"),
        ({"redshift_min": 1.199999, "redshift_max": 1.2}, "hardly any galaxy"),
        ({"magnitude_min": 5.0, "magnitude_max": 10.0}, "hardly any galaxy"),
    ],
)
def test_limits_beyond_the_sky_model_are_refused(broad_only, limits, message):
    with pytest.raises(InputError, match=message) as caught:
        make_mock(selecting(broad_only, **limits), MockConfig(n_galaxies=20), 1)
    assert "\n" not in str(caught.value) and broad_only.name in str(caught.value)


def test_no_limits_are_those_of_the_sky_model(broad_only):
    free = replace(broad_only, selection=Selection())
    assert mock_limits(free) == ((-np.inf, 22.5), (-np.inf, 1.2))


@pytest.mark.parametrize("band", ["r", "z"])
def test_i_magnitudes_go_on_no_other_band(broad_only, band):
    with pytest.raises(InputError, match=f"reference_band must lie at 7000-8500 A, but {band} "):
        make_template_mock(replace(broad_only, reference_band=band), MockConfig(n_galaxies=5), 1)


def test_coadds_are_those_of_the_exposures(mock):
    flux, error = coadd(mock.exposures.flux, mock.exposures.error)
    np.testing.assert_allclose(mock.flux[:, :40], flux, rtol=2e-4, atol=2e-3)
    np.testing.assert_allclose(mock.error[:, :40], np.hypot(error, 0.015 * flux), rtol=1e-3)
    taken = np.isfinite(mock.exposures.flux).sum(axis=-1)
    assert taken.min() >= 3


@pytest.mark.parametrize("name", MAKERS)
def test_same_seed_same_catalogue(name, paus):
    config = MockConfig(n_galaxies=30)
    a, b, other = (MAKERS[name](paus, config, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.exposures.flux, b.exposures.flux)
    np.testing.assert_array_equal(a.redshift, b.redshift)
    assert not np.array_equal(a.redshift, other.redshift)


def test_catalogue_survives_its_file(populations, tmp_path):
    write_catalogue(tmp_path / "mock.h5", populations)
    again = read_catalogue(tmp_path / "mock.h5")
    np.testing.assert_array_equal(again.flux, populations.flux)
    assert set(again.truth) == set(populations.truth)
    assert set(again.truth["type"]) <= {"quiescent", "star_forming", "burst", "recently_quenched"}


def test_narrow_and_broad_bands_see_the_same_galaxy(populations):
    # NB bands inside B-z average to nearly the broad flux, galaxy by galaxy
    inside = [populations.bands.index(f"NB{nm}") for nm in range(555, 690, 10)]
    narrow = np.median(populations.flux[:, inside], axis=1)
    r = populations.flux[:, populations.bands.index("r")]
    ratio = narrow / r / populations.truth["narrow_scale"]
    bright = populations.mag_i < 21
    assert np.median(ratio[bright]) == pytest.approx(1.0, abs=0.08)
    assert np.std(np.log(ratio[bright])) < 0.2


def test_emission_lines_stand_out_in_narrow_bands(populations):
    """A strong line lifts the band that holds it above its neighbours: what gives precision."""
    truth = populations.truth
    centres = 10.0 * np.array([int(b[2:]) for b in populations.bands[:40]])
    redshift = populations.redshift
    observed = 6564.0 * (1 + redshift)
    strong = (truth["ew_ha"] > 40) & (observed < 8350) & (populations.mag_i < 22)
    assert strong.sum() > 5
    excess = []
    for row in np.flatnonzero(strong):
        k = int(np.argmin(np.abs(centres - observed[row])))
        around = [k - 3, k - 2, k + 2, k + 3] if k < 37 else [k - 4, k - 3, k - 2]
        excess.append(populations.flux[row, k] / np.median(populations.flux[row, around]))
    assert np.median(excess) > 1.15


def test_equivalent_widths_are_those_of_galaxies(populations):
    truth = populations.truth
    blue = truth["type"] == "star_forming"
    # rest frame, A; zCOSMOS and SDSS star-forming galaxies have about 10-60 in each of these
    assert 10 < np.median(truth["ew_oii"][blue]) < 80
    assert 15 < np.median(truth["ew_ha"][blue]) < 90
    assert 3 < np.median(truth["ew_hb"][blue]) < 25
    quiescent = truth["type"] == "quiescent"
    assert np.median(truth["ew_ha"][quiescent]) < 5


def test_formed_mass_agrees_with_the_mass_guessed_from_luminosity(populations):
    offset = populations.truth["log_mass_formed"] - populations.truth["mass"]
    assert abs(np.median(offset)) < 0.5
    assert np.std(offset) < 0.4


def test_configuration_reaches_the_catalogue(broad_only):
    quiet = ObservingConfig(zero_point_error=0.0, broad_error_floor=0.0, extended_scatter=0.0)
    population = PopulationConfig(continuum_rms=0.0)
    config = MockConfig(n_galaxies=200, observing=quiet, population=population)
    rough = replace(config, population=replace(population, continuum_rms=0.05))
    faint = replace(config, population=replace(population, ionising_efficiency=0.3))
    a, b, c = (make_mock(broad_only, setting, 3) for setting in (config, rough, faint))
    same = np.intersect1d(a.truth["mag_i"], b.truth["mag_i"], return_indices=True)[1:]
    change = [np.log(m.flux[k, 1] / m.flux[k, 3]) for m, k in zip((a, b), same, strict=True)]
    # B and r are 1900 A apart, less than the correlation length in the rest frame
    assert 0.01 < np.std(change[1] - change[0]) < 0.08
    ratio = np.median(c.truth["ew_ha"]) / np.median(a.truth["ew_ha"])
    assert ratio == pytest.approx(0.3 / 0.65, rel=0.05)
    with pytest.raises(InputError, match="n_galaxies"):
        MockConfig(n_galaxies=0)


def test_template_photometry_agrees_with_a_fine_integral(broad_only):
    """Lines as narrow Gaussians on a fine grid give the flux of delta functions."""
    bands = BandSet((broad_only.bands["V"], broad_only.bands["i"]))
    redshift, template = 0.37, 22
    library = load_template_library()
    fine = np.unique(np.concatenate([np.arange(1300, 11900, 0.5), mock_wavelengths()[1:-1]]))
    spectrum = np.interp(fine, mock_wavelengths(), library.resample(mock_wavelengths())[template])
    for line, luminosity in zip(EMISSION_LINES, line_luminosities(library)[template], strict=True):
        gauss = np.exp(-0.5 * ((fine - line.wavelength) / 2.0) ** 2) / (2.0 * np.sqrt(2 * np.pi))
        spectrum = spectrum + luminosity * gauss
    expected = [band_flux(fine * (1 + redshift), spectrum, band) for band in bands]
    result = template_grid_fluxes([redshift], bands)[0, template, 0]
    np.testing.assert_allclose(result, expected, rtol=2e-3)


def test_no_lines_in_ellipticals():
    np.testing.assert_allclose(
        line_strength(np.array([0.0, 6.9, 7.0, 12.0, 30.0])), [0, 0, 0, 1, 1]
    )


def test_template_draws_follow_redshift_and_magnitude():
    rng = np.random.default_rng(4)
    bright, _ = draw_templates(np.full(2000, 0.7), np.full(2000, 20.5), rng)
    faint, dust = draw_templates(np.full(2000, 0.7), np.full(2000, 22.3), rng)
    assert (bright < 8).mean() > (faint < 8).mean() + 0.1
    assert 0 <= faint.min() <= faint.max() <= 30
    assert dust.min() >= 0
