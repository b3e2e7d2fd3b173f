import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.dust import DUST_LAWS
from photoz.sps.fluxes import simulate_fluxes
from photoz.sps.history import age_weights
from photoz.sps.population import PopulationModel, attenuate
from photoz.sps.projection import BandProjector


@pytest.fixture(scope="module")
def projector(grid, bands):
    return BandProjector(grid.wavelength, grid.line_wavelength, bands, 1.2)


@pytest.fixture(scope="module")
def fluxes(grid, projector, parameters):
    return simulate_fluxes(grid, projector, parameters)


def test_same_as_the_steps_one_by_one(grid, projector, parameters, fluxes):
    rows = slice(0, 20)
    part = {name: value[rows] for name, value in parameters.items()}
    mass = age_weights(part["tage"], part["tau"], part["const"], part["sf_start"], grid.log_age)
    spectra = PopulationModel(grid).spectra(
        mass, part["logzsol"], part["gas_logu"], part["gas_logz"]
    )
    spectra = attenuate(spectra, part["dust2"])
    expected = projector.fluxes(spectra.continuum, spectra.lines, part["redshift"])
    np.testing.assert_allclose(fluxes[rows], expected, rtol=1e-5)


def test_galaxies_do_not_see_each_other(grid, projector, parameters, fluxes):
    order = np.random.default_rng(0).permutation(len(fluxes))
    shuffled = simulate_fluxes(grid, projector, {k: v[order] for k, v in parameters.items()})
    np.testing.assert_allclose(shuffled, fluxes[order], rtol=1e-5)


def test_every_flux_is_a_galaxy(fluxes, bands):
    assert np.isfinite(fluxes).all() and (fluxes > 0).all()
    colour = -2.5 * np.log10(fluxes / fluxes[:, [bands.index("i")]])
    assert colour.min() > -4 and np.percentile(colour, 99) < 5
    # Redder with dust, in the mean over everything else.
    assert np.median(colour[:, bands.index("u")]) > 0.5


def test_dust_law_can_be_chosen(grid, projector, parameters, fluxes, bands):
    smc = simulate_fluxes(grid, projector, parameters, law=DUST_LAWS["smc"])
    ratio = (smc / fluxes)[:, bands.index("u")]
    dusty = parameters["dust2"] > 0.3
    assert np.median(ratio[dusty]) < 0.97
    np.testing.assert_allclose(ratio[parameters["dust2"] < 1e-3], 1.0, rtol=1e-3)


def test_missing_parameters_are_named(grid, projector, parameters):
    with pytest.raises(InputError, match="tau, sf_start missing"):
        simulate_fluxes(
            grid,
            projector,
            {k: v for k, v in parameters.items() if k not in ("tau", "sf_start")},
        )
