import numpy as np
import pytest

from photoz.sps.examples import EXAMPLES, example_spectra
from photoz.survey.photometry import AB_FLUX, band_flux


@pytest.fixture(scope="module")
def examples(grid, bands):
    return example_spectra(grid, bands, 0.25)


def test_band_fluxes_are_those_of_the_drawn_spectra(examples, bands):
    for example in examples:
        f_lambda = example.f_nu / example.wavelength**2 * 2.99792458e18 * AB_FLUX
        chosen = [0, 12, 25, 30, 42, 44]  # no line on an edge, where its drawn width would count
        direct = [
            float(band_flux(example.wavelength, f_lambda, bands[k])) / AB_FLUX for k in chosen
        ]
        np.testing.assert_allclose(example.flux[chosen], direct, rtol=1e-3)


def test_histories_and_dust_make_galaxies_redder(examples, bands):
    colour = {
        (e.name, e.dust2): e.flux[bands.index("i")] / e.flux[bands.index("B")] for e in examples
    }
    for name in EXAMPLES:
        assert colour[name, 0.6] > 1.3 * colour[name, 0.0]
    assert colour["Old", 0.0] > 2 * colour["Intermediate", 0.0] > 3 * colour["Young", 0.0]


def test_lines_stand_on_the_continuum_and_only_young_stars_have_many(examples):
    excess = {e.name: np.max(e.f_nu / e.continuum) for e in examples if e.dust2 == 0}
    assert excess["Young"] > 10 > excess["Old"]
    for example in examples:
        assert (example.f_nu >= example.continuum * (1 - 1e-6)).all()


def test_examples_lie_within_table_1(examples):
    for duration, tau, const, metal, log_u in EXAMPLES.values():
        assert 0 < duration < 10.5  # the age of the universe at z = 0.25
        assert 0.1 <= tau <= 12 and 0 <= const <= 0.25
        assert -0.5 <= metal <= 0.2 and -4 <= log_u <= 1
