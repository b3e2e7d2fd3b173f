import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.dust import CALZETTI, calzetti
from photoz.sps.history import age_weights
from photoz.sps.population import PopulationModel, attenuate


@pytest.fixture(scope="module")
def weights(grid, parameters):
    names = ("tage", "tau", "const", "sf_start")
    return age_weights(*(parameters[name] for name in names), grid.log_age)


@pytest.fixture(scope="module")
def spectra(grid, parameters, weights):
    names = ("logzsol", "gas_logu", "gas_logz")
    return PopulationModel(grid).spectra(weights, *(parameters[name] for name in names))


def bracket(nodes, value):
    value = np.clip(value, nodes[0], nodes[-1])
    left = min(int(np.searchsorted(nodes, value, side="right")) - 1, len(nodes) - 2)
    return left, (value - nodes[left]) / (nodes[left + 1] - nodes[left])


def by_hand(grid, weights, logzsol, log_u, gas_logz):
    """One galaxy by loops, as FSPS does it: everything nebular in logarithms."""
    m, dz = bracket(grid.log_z, logzsol)
    stars = (1 - dz) * weights @ grid.spectrum[m] + dz * weights @ grid.spectrum[m + 1]
    rate = (1 - dz) * grid.ionizing_rate[m] + dz * grid.ionizing_rate[m + 1]
    z, pz = bracket(grid.log_z, gas_logz)
    u, pu = bracket(grid.nebular_log_u, min(log_u, -1.0))
    lines = np.zeros(grid.line_wavelength.size)
    nebular = np.zeros(grid.wavelength.size)
    for a in np.flatnonzero(grid.log_age < 7.0 + 1e-6):
        k, pk = bracket(grid.nebular_log_age, grid.log_age[a])
        share = np.einsum("i,j,k->ijk", [1 - pz, pz], [1 - pu, pu], [1 - pk, pk])
        box = np.s_[z : z + 2, u : u + 2, k : k + 2]
        photons = weights[a] * rate[a]
        for table, total in ((grid.line_luminosity, lines), (grid.nebular_continuum, nebular)):
            logs = np.log(table[box].astype(float) + 1e-30)
            total += photons * np.exp(np.tensordot(share, logs, 3))
    return stars, nebular, lines


@pytest.mark.parametrize("row", [0, 5, 17, 100, 333])
def test_against_loops_with_logarithmic_nebular_tables(grid, parameters, weights, spectra, row):
    w = weights[row].astype(float)
    names = ("logzsol", "gas_logu", "gas_logz")
    stars, nebular, lines = by_hand(grid, w, *(parameters[name][row] for name in names))
    np.testing.assert_allclose(spectra.lines[row], lines, rtol=1e-3, atol=1e-6 * lines.max())
    # The nebular continuum is linear in log U and log Z here: a percent or two of a small part.
    error = np.abs(spectra.continuum[row] - stars - nebular)
    assert (error < 2e-4 * stars + 0.03 * nebular).all()


def test_equivalent_widths_and_balmer_decrement(grid, spectra):
    """Medians near those known for Table 1: 27 A (H beta) and 117 A (H alpha)."""

    def width(centre, reach=3.0):
        chosen = np.abs(grid.line_wavelength - centre) < reach
        level = spectra.continuum[:, np.abs(grid.wavelength - centre) < 50].mean(axis=1)
        return spectra.lines[:, chosen].sum(axis=1) / level

    beta, alpha = width(4862.7), width(6564.6)
    assert 20 < np.median(beta) < 34 and 85 < np.median(alpha) < 140
    assert 25 < np.median(width(3728.5)) < 60 and 45 < np.median(width(5008.2)) < 105
    index = [int(np.argmin(np.abs(grid.line_wavelength - x))) for x in (6564.6, 4862.7)]
    decrement = spectra.lines[:, index[0]] / spectra.lines[:, index[1]]
    assert decrement.min() > 2.7 and decrement.max() < 3.4


def test_old_populations_have_no_lines(grid):
    old = (grid.log_age == grid.log_age[98])[None].astype(float)
    spectra = PopulationModel(grid).spectra(old, [0.0], [-2.0], [0.0])
    assert spectra.lines.max() == 0.0
    solar = int(np.argmin(np.abs(grid.log_z)))
    np.testing.assert_allclose(spectra.continuum[0], grid.spectrum[solar, 98], rtol=1e-5)


def test_metallicity_is_linear_in_flux_and_log_z(grid):
    one = np.zeros((1, grid.log_age.size))
    one[0, 90] = 1.0
    middle = 0.5 * (grid.log_z[1] + grid.log_z[2])
    spectrum = PopulationModel(grid).spectra(one, [middle], [-2.0], [0.0]).continuum[0]
    expected = 0.5 * (grid.spectrum[1, 90] + grid.spectrum[2, 90])
    np.testing.assert_allclose(spectrum, expected, rtol=1e-5)


def test_ionisation_parameter_is_clamped_where_fsps_ends(grid, weights):
    w = np.repeat(weights[:1], 4, axis=0)
    zero = np.zeros(4)
    lines = PopulationModel(grid).spectra(w, zero, np.array([-1.0, 0.5, -4.0, -9.0]), zero).lines
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-6)
    np.testing.assert_allclose(lines[2], lines[3], rtol=1e-6)
    beyond = PopulationModel(grid, log_u_max=0.0).spectra(w, zero, np.zeros(4), zero).lines
    assert np.abs(beyond[0] / lines[0] - 1).max() > 0.1


def test_pixels_can_be_cut(grid, weights, spectra, parameters):
    names = ("logzsol", "gas_logu", "gas_logz")
    pixels = slice(700, 900)
    cut = PopulationModel(grid, pixels).spectra(weights, *(parameters[name] for name in names))
    np.testing.assert_allclose(cut.continuum, spectra.continuum[:, pixels], rtol=1e-5)
    np.testing.assert_array_equal(cut.wavelength, spectra.wavelength[pixels])


def test_attenuation_dims_continuum_and_lines_alike(spectra, parameters):
    dimmed = attenuate(spectra, parameters["dust2"])
    depth = parameters["dust2"][:, None] * calzetti(spectra.wavelength) / 4.05
    np.testing.assert_allclose(dimmed.continuum, spectra.continuum * np.exp(-depth), rtol=1e-5)
    depth = parameters["dust2"][:, None] * CALZETTI.optical_depth(spectra.line_wavelength)
    np.testing.assert_allclose(dimmed.lines, spectra.lines * np.exp(-depth), rtol=1e-5)


def test_wrong_input_is_refused(grid, weights):
    with pytest.raises(InputError, match="age weights"):
        PopulationModel(grid).spectra(weights[:1, :-1], [0.0], [-2.0], [0.0])
    with pytest.raises(InputError, match="shape"):
        PopulationModel(grid).spectra(weights[:2], [0.0], [-2.0, -2.0], [0.0, 0.0])
    with pytest.raises(InputError, match="NaN"):
        PopulationModel(grid).spectra(weights[:1], [np.nan], [-2.0], [0.0])
