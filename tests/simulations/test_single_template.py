from pathlib import Path

import numpy as np
import pytest

from photoz.files import InputError
from photoz.simulations.single_template import template_fluxes
from photoz.sps.template_library import load_template_library
from photoz.survey.bands import Band, BandSet
from photoz.survey.photometry import band_flux
from photoz.survey.survey import load_survey

BANDS = load_survey(Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml").bands


def test_fluxes_are_those_of_the_template_through_the_curves():
    library = load_template_library()
    spectrum = library.f_lambda[library.names.index("Ell1_A_0")]
    chosen = BANDS.subset(["NB455", "NB645", "u", "i", "z"])
    redshift = np.array([0.0, 0.31, 1.2])
    fluxes = template_fluxes(chosen, redshift)
    for z, row in zip(redshift, fluxes, strict=True):
        observed = library.wavelength * (1 + z)
        direct = np.array([float(band_flux(observed, spectrum, band)) for band in chosen])
        np.testing.assert_allclose(row / row[3], direct / direct[3], rtol=4e-3)


def test_the_order_of_the_galaxies_is_kept():
    redshift = np.random.default_rng(0).uniform(0, 1.2, 1500)
    fluxes = template_fluxes(BANDS.subset(["NB645", "i"]), redshift)
    assert np.isfinite(fluxes).all() and (fluxes > 0).all()
    one = template_fluxes(BANDS.subset(["NB645", "i"]), redshift[[1200]])
    np.testing.assert_allclose(fluxes[1200] / fluxes[1200, 1], one[0] / one[0, 1], rtol=1e-5)


def test_unusable_input():
    with pytest.raises(InputError, match="no template 'Ell1'; did you mean 'Ell1_A_0'"):
        template_fluxes(BANDS, np.array([0.5]), "Ell1")
    far = Band("far", "broad", np.array([30000.0, 31000.0, 32000.0]), np.array([0.0, 1.0, 0.0]))
    with pytest.raises(InputError, match="band far sees beyond the spectra"):
        template_fluxes(BandSet((far,)), np.array([0.5]))
