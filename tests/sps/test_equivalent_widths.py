"""Equivalent widths against closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps import PopulationModel, Spectra, age_weights, attenuate
from photoz.sps.equivalent_widths import (
    LINES,
    LineDefinition,
    continuum_at,
    equivalent_widths,
    line_luminosity,
)
from photoz.sps.examples import broadened

HA = next(line for line in LINES if line.name == "Ha")
OII = next(line for line in LINES if line.name == "[OII]")


def flat(level=3.0, slope=0.0, luminosity=60.0):
    """A spectrum with a linear continuum and one line, H alpha."""
    wavelength = np.geomspace(3000.0, 8000.0, 8000)
    continuum = level + slope * (wavelength - 6564.6)
    return Spectra(
        wavelength=wavelength,
        continuum=continuum[None].astype(np.float32),
        line_wavelength=np.array([6564.6]),
        lines=np.array([[luminosity]], dtype=np.float32),
    )


def test_a_delta_line_over_a_flat_continuum_is_luminosity_over_continuum():
    assert equivalent_widths(flat(3.0, luminosity=60.0), [HA])["Ha"] == pytest.approx([20.0])


def test_a_slope_changes_nothing():
    widths = equivalent_widths(flat(3.0, slope=0.004, luminosity=60.0), [HA])["Ha"]
    assert widths == pytest.approx([20.0], rel=1e-4)


def test_a_gaussian_line_integrates_to_the_same_width():
    spectra = flat(3.0, luminosity=60.0)
    drawn = broadened(spectra, fwhm=600.0)[0]
    near = np.abs(spectra.wavelength - 6564.6) < 60
    integral = np.trapezoid(drawn[near] / 3.0 - 1, spectra.wavelength[near])
    assert integral == pytest.approx(20.0, rel=1e-3)
    # A sigma sqrt(2 pi) / C of the Gaussian itself
    sigma = 6564.6 * 600.0 / 299792.458 / (2 * np.sqrt(2 * np.log(2)))
    amplitude = drawn.max() - 3.0
    assert amplitude * sigma * np.sqrt(2 * np.pi) / 3.0 == pytest.approx(20.0, rel=2e-3)


def test_absorption_under_the_line_does_not_count():
    spectra = flat(3.0)
    dip = np.abs(spectra.wavelength - 6564.6) < 20
    hollow = replace(spectra, continuum=np.where(dip, 1.0, spectra.continuum))
    assert equivalent_widths(hollow, [HA])["Ha"] == pytest.approx([20.0])


def test_a_blend_counts_all_its_lines_once():
    spectra = replace(
        flat(2.0),
        line_wavelength=np.array([3727.1, 3729.9]),
        lines=np.array([[10.0, 14.0]], dtype=np.float32),
    )
    assert equivalent_widths(spectra, [OII])["[OII]"] == pytest.approx([12.0])
    blended = replace(
        spectra, line_wavelength=np.array([3728.5]), lines=np.array([[24.0]], dtype=np.float32)
    )
    assert equivalent_widths(blended, [OII])["[OII]"] == pytest.approx([12.0])


def test_no_continuum_gives_an_infinite_width():
    assert np.isinf(equivalent_widths(flat(0.0), [HA])["Ha"]).all()


def test_a_screen_of_dust_takes_from_lines_and_continuum_alike(grid, parameters):
    p = {name: values[:20] for name, values in parameters.items()}
    weights = age_weights(p["tage"], p["tau"], p["const"], p["sf_start"], grid.log_age)
    model = PopulationModel(grid)
    clear = model.spectra(weights, p["logzsol"], p["gas_logu"], p["gas_logz"])
    dusty = attenuate(clear, np.full(20, 2.0))
    for name, width in equivalent_widths(clear).items():
        # the windows lie a little beside the line, where the optical depth is another
        np.testing.assert_allclose(equivalent_widths(dusty)[name], width, rtol=5e-3)
    luminosities = (line_luminosity(s, HA) for s in (dusty, clear))
    assert (np.divide(*luminosities) < 0.3).all()


def test_the_grid_has_every_line_of_the_table(grid, parameters):
    p = {name: values[:200] for name, values in parameters.items()}
    weights = age_weights(p["tage"], p["tau"], p["const"], p["sf_start"], grid.log_age)
    spectra = PopulationModel(grid).spectra(weights, p["logzsol"], p["gas_logu"], p["gas_logz"])
    widths = equivalent_widths(spectra)
    assert list(widths) == ["[OII]", "Hb", "[OIII]5007", "Ha", "[NII]6583"]
    assert all(np.isfinite(values).all() and (values > 0).all() for values in widths.values())
    # all that ionises young stars ends in Balmer lines: case B
    beta = next(line for line in LINES if line.name == "Hb")
    decrement = line_luminosity(spectra, HA) / line_luminosity(spectra, beta)
    assert decrement.min() > 2.7 and decrement.max() < 3.1


def test_windows_hold_no_strong_line():
    strong = [w for line in LINES for w in line.wavelengths] + [4960.3, 6549.9, 6718.3, 6732.7]
    for line in LINES:
        for low, high in (line.blue, line.red):
            assert not [w for w in strong if low - 4 < w < high + 4], line.name
            assert high < line.centre - 5 or low > line.centre + 5


def test_unusable_spectra():
    with pytest.raises(InputError, match=r"\[OII\]: the spectra have no line at 3727.1 A"):
        equivalent_widths(flat(), [OII])
    beyond = LineDefinition("far", (9000.0,), (8900.0, 8950.0), (9050.0, 9100.0))
    spectra = flat()
    with pytest.raises(InputError, match="far: the spectrum has no pixel between 8900 and 8950 A"):
        continuum_at(spectra.wavelength, spectra.continuum, beyond)
