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


def test_only_seen_pixels_are_computed(grid, projector, parameters, fluxes):
    """Every batch computes the pixels its redshifts need; all of them give the same."""
    model = PopulationModel(grid, projector.pixels)
    tage, tau, const, start = (parameters[n] for n in ("tage", "tau", "const", "sf_start"))
    mass = age_weights(tage, tau, const, start, grid.log_age)
    gas = parameters["gas_logu"], parameters["gas_logz"]
    spectra = attenuate(model.spectra(mass, parameters["logzsol"], *gas), parameters["dust2"])
    whole = projector.fluxes(spectra.continuum, spectra.lines, parameters["redshift"])
    np.testing.assert_allclose(fluxes, whole, rtol=1e-5)
    near = np.array([0.1, 0.12])
    window = projector.window(near)
    assert window.stop - window.start < 0.8 * (projector.pixels.stop - projector.pixels.start)
    with pytest.raises(InputError, match="window"):
        projector.fluxes(spectra.continuum[:2, window], None, [0.9, 1.0], window)


@pytest.mark.parametrize("law", ["calzetti", "smc"])
def test_a_torch_device_gives_the_same(grid, projector, parameters, fluxes, law):
    law = DUST_LAWS[law]
    expected = simulate_fluxes(grid, projector, parameters, law=law)
    tensors = simulate_fluxes(grid, projector, parameters, law=law, device="cpu")
    assert tensors.dtype == np.float32
    np.testing.assert_allclose(tensors, expected, rtol=5e-6)


def test_a_device_handles_histories_at_the_edges(grid, projector, parameters):
    """Stars just born, stars as old as a SSP, no constant part, nothing but it."""
    few = {name: value[:5].copy() for name, value in parameters.items()}
    ages = 10 ** (grid.log_age - 9)
    few["sf_start"] = few["tage"] - np.array([1e-7, ages[0], ages[40], ages[90], 3.0])
    few["const"] = np.array([0.0, 1.0, 0.0, 1.0, 0.5])
    few["tau"] = np.array([0.1, 1.0, 1e-2, 3.0, 1e3])
    few["gas_logu"] = np.array([-9.0, -4.0, -1.0, 0.0, -2.2])
    few["redshift"] = np.array([0.0, 0.3, 0.3, 1.1, 1.2])
    expected = simulate_fluxes(grid, projector, few)
    assert (expected > 0).all()
    tensors = simulate_fluxes(grid, projector, few, device="cpu")
    np.testing.assert_allclose(tensors, expected, rtol=2e-5)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_bad_galaxy_is_refused(grid, projector, parameters, device):
    for name, value, message in [
        ("redshift", 1.3, "redshifts must lie"),
        ("redshift", np.nan, "redshifts must lie"),
        ("sf_start", 20.0, "sf_start"),
        ("logzsol", np.nan, "NaN"),
    ]:
        values = {key: array[:3].copy() for key, array in parameters.items()}
        values[name][1] = value
        with pytest.raises(InputError, match=message):
            simulate_fluxes(grid, projector, values, device=device)


def test_no_galaxies_no_fluxes(grid, projector, parameters):
    none = {name: value[:0] for name, value in parameters.items()}
    assert simulate_fluxes(grid, projector, none).shape == (0, len(projector.bands))


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
