import numpy as np
import pytest
from astropy.cosmology import Planck15

from photoz.files import InputError
from photoz.sps.grid import SOLAR_LUMINOSITY
from photoz.sps.population import PopulationModel
from photoz.sps.projection import BandProjector
from photoz.survey.bands import Band, BandSet
from photoz.survey.photometry import AB_FLUX, band_flux, line_flux

CM_PER_MPC = 3.0856775814913673e24


@pytest.fixture(scope="module")
def projector(grid, bands):
    return BandProjector(grid.wavelength, grid.line_wavelength, bands, 1.5)


@pytest.fixture(scope="module")
def spectra(grid):
    rng = np.random.default_rng(8)
    weights = rng.dirichlet(np.full(grid.log_age.size, 0.1), 8)
    # Stars old enough to exist, some of them with a young component.
    weights[:4, :60] *= 0.01
    return PopulationModel(grid).spectra(weights, np.zeros(8), np.full(8, -2.5), np.zeros(8))


def area(redshift):
    return 4 * np.pi * (Planck15.luminosity_distance(redshift).value * CM_PER_MPC) ** 2


def straight_pieces(edges, values):
    """The projector's spectrum: straight within pixels, keeping their means; as a broken line."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    slope = np.zeros_like(values)
    slope[1:-1] = (values[2:] - values[:-2]) / (middle[2:] - middle[:-2])
    half = 0.5 * np.diff(edges) * slope
    ends = np.stack([edges[:-1] * (1 + 1e-10), edges[1:] * (1 - 1e-10)], axis=1).ravel()
    return ends, np.stack([values - half, values + half], axis=1).ravel()


def test_against_direct_integration(grid, bands, projector, spectra):
    redshift = np.array([0.0123, 0.2, 0.4567, 0.6, 0.83, 1.0, 1.2, 1.5])
    continuum = projector.fluxes(spectra.continuum, None, redshift)
    both = projector.fluxes(spectra.continuum, spectra.lines, redshift)
    for i, z in enumerate(redshift):
        scale = SOLAR_LUMINOSITY / area(z) / AB_FLUX
        ends, values = straight_pieces(grid.edges, spectra.continuum[i].astype(float))
        lines = spectra.lines[i].astype(float)
        for b, band in enumerate(bands):
            expected = band_flux(ends * (1 + z), values / (1 + z), band) * scale
            assert abs(2.5 * np.log10(continuum[i, b] / expected)) < 1e-4
            expected += line_flux(grid.line_wavelength * (1 + z), lines, band).sum() * scale
            assert abs(2.5 * np.log10(both[i, b] / expected)) < 2e-4


def test_power_law_has_its_closed_form(grid, bands, projector):
    """f_lambda ~ lambda^-2 is flat in f_nu: every band the same, L_nu (1 + z) / (4 pi D^2)."""
    redshift = np.array([0.1, 0.77, 1.3])
    continuum = np.tile((5000.0 / grid.wavelength) ** 2, (3, 1))
    # A pixel holds the mean of f_lambda, which for this slope is the product of its edges.
    flux = projector.fluxes(continuum, None, redshift)
    l_nu = SOLAR_LUMINOSITY * 5000.0**2 / 2.99792458e18
    expected = l_nu * (1 + redshift) / area(redshift) / AB_FLUX
    np.testing.assert_allclose(flux, np.tile(expected[:, None], len(bands)), rtol=2e-5)


def test_a_line_enters_and_leaves_a_band(grid, bands, projector):
    redshift = np.linspace(0.0, 1.5, 700)
    lines = np.zeros((redshift.size, grid.line_wavelength.size), dtype=np.float32)
    chosen = int(np.argmin(np.abs(grid.line_wavelength - 5008.24)))
    lines[:, chosen] = 1.0
    flux = projector.fluxes(np.zeros((redshift.size, grid.wavelength.size)), lines, redshift)
    observed = grid.line_wavelength[chosen] * (1 + redshift[1:])
    for b in (10, 30, 42):
        exact = line_flux(observed, SOLAR_LUMINOSITY / area(redshift[1:]), bands[b]) / AB_FLUX
        np.testing.assert_allclose(flux[1:, b], exact, rtol=1e-3, atol=1e-3 * exact.max())
        assert (flux[1:, b][bands[b].response(observed) == 0] == 0).mean() > 0.99


def test_fluxes_are_smooth_in_redshift(projector, spectra):
    """No step where the shift gains a pixel or the phase changes."""
    redshift = np.linspace(0.5, 0.5 + 4e-3, 400)
    one = np.repeat(spectra.continuum[:1], redshift.size, axis=0)
    magnitude = -2.5 * np.log10(projector.fluxes(one, None, redshift).astype(float))
    assert np.abs(np.diff(magnitude, 2, axis=0)).max() < 5e-5


def test_cut_pixels_give_the_same(projector, spectra):
    redshift = np.linspace(0, 1.5, 8)
    full = projector.fluxes(spectra.continuum, spectra.lines, redshift)
    cut = projector.fluxes(spectra.continuum[:, projector.pixels], spectra.lines, redshift)
    np.testing.assert_array_equal(full, cut)
    assert np.isfinite(full).all() and full.dtype == np.float32


def test_near_infrared_bands_fit_the_grid(grid):
    ks = BandSet((Band("Ks", "broad", [19800.0, 20000.0, 23000.0, 23300.0], [0.0, 1.0, 1.0, 0.0]),))
    projector = BandProjector(grid.wavelength, grid.line_wavelength, ks, 1.2)
    spectrum = np.ones((1, grid.wavelength.size))
    assert projector.fluxes(spectrum, None, [0.0])[0, 0] > 0


def test_bands_beyond_the_spectra_are_refused_by_name(grid, bands):
    with pytest.raises(InputError, match="band u"):
        BandProjector(grid.wavelength, grid.line_wavelength, bands, 2.0)
    far = BandSet((Band("L", "broad", [30000.0, 31000.0], [1.0, 1.0]),))
    with pytest.raises(InputError, match="band L"):
        BandProjector(grid.wavelength, grid.line_wavelength, far, 1.0)
    with pytest.raises(InputError, match="uniform"):
        BandProjector(np.linspace(1300, 9000, 100), grid.line_wavelength, bands, 1.0)


def test_wrong_input_is_refused(projector, spectra):
    with pytest.raises(InputError, match="redshifts must lie"):
        projector.fluxes(spectra.continuum[:1], None, [1.6])
    with pytest.raises(InputError, match="redshifts must lie"):
        projector.fluxes(spectra.continuum[:1], None, [np.nan])
    with pytest.raises(InputError, match="continuum has shape"):
        projector.fluxes(spectra.continuum[:2], None, [0.5])
    with pytest.raises(InputError, match="lines have shape"):
        projector.fluxes(spectra.continuum[:1], spectra.lines[:1, :-1], [0.5])
