"""Galaxies and grids from a stand-in for FSPS whose spectra have closed forms; how it may fail."""

import importlib
import json
import logging

import h5py
import numpy as np
import pytest

from photoz.checksums import read_attribute
from photoz.files import InputError
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import read_simulation, simulate_chunk
from photoz.sps import luminosity_distance
from photoz.sps.fsps import build_fsps_grid, fsps_fluxes
from photoz.sps.grid import SOLAR_LUMINOSITY
from photoz.survey.bands import Band, BandSet
from photoz.survey.photometry import AB_FLUX, SPEED_OF_LIGHT
from tests.sps.fsps_stub import write_home, write_package

FSPS_LSUN = 3.839e33
NARROW = BandSet(
    (
        Band("N650", "narrow", np.array([6430.0, 6570.0]), np.array([1.0, 1.0])),
        Band("N720", "narrow", np.array([7130.0, 7270.0]), np.array([0.5, 0.5])),
    )
)


@pytest.fixture(autouse=True)
def stub(tmp_path, monkeypatch):
    folder = write_package(tmp_path / "packages")
    importlib.invalidate_caches()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("SPS_HOME", str(write_home(tmp_path / "home")))


def galaxies(n, **changes):
    table = {
        "redshift": np.linspace(0.05, 0.2, n),
        "tage": np.full(n, 8.0),
        "tau": np.linspace(1.0, 2.0, n),
        "const": np.zeros(n),
        "sf_start": np.ones(n),
        "logzsol": np.zeros(n),
        "dust2": np.zeros(n),
        "gas_logu": np.full(n, -2.0),
        "gas_logz": np.zeros(n),
    }
    return table | {name: np.full(n, value) for name, value in changes.items()}


def test_a_flat_spectrum_has_the_same_flux_in_every_band(caplog):
    """f_nu = tau: (1 + z) tau / (4 pi D^2), whatever the band; in the order of the galaxies."""
    caplog.set_level(logging.INFO)
    table = galaxies(40)
    flux = fsps_fluxes(table, NARROW, processes=2)
    assert flux.dtype == np.float32
    z = table["redshift"]
    area = 4 * np.pi * (luminosity_distance(z) * 3.0856775814913673e24) ** 2
    expected = (1 + z) * table["tau"] * FSPS_LSUN / area / AB_FLUX
    # Flat in f_nu is slightly curved between the wavelengths in f_lambda.
    np.testing.assert_allclose(flux, expected[:, None] * [1, 1], rtol=1e-4)
    assert "galaxies" in caplog.text


def test_a_line_is_a_delta_function():
    """H alpha at z = 0.09 is in the second band only: L lambda T / (4 pi D^2 c int T / lambda)."""
    table = galaxies(1, redshift=0.09, dust2=5e13, tau=1.0)
    without = fsps_fluxes(table | {"dust2": np.zeros(1)}, NARROW, processes=1)
    (first, second) = (fsps_fluxes(table, NARROW, processes=1) - without)[0]
    area = 4 * np.pi * (luminosity_distance(0.09) * 3.0856775814913673e24) ** 2
    observed = 6564.6 * 1.09
    norm = SPEED_OF_LIGHT * np.log(7270.0 / 7130.0)
    assert second == pytest.approx(5e13 * FSPS_LSUN / area * observed / norm / AB_FLUX, rel=1e-3)
    assert abs(first) < 1e-4 * second


def test_the_silent_death_at_the_start_is_told_with_its_last_words(monkeypatch):
    monkeypatch.setenv("FSPS_STUB", "stop")
    message = r"ended its process \(exit code 0\) saying: SPS_SETUP ERROR: wavelength grid"
    with pytest.raises(InputError, match=message):
        fsps_fluxes(galaxies(3), NARROW, processes=1)


def test_the_silent_death_of_one_of_several_is_noticed(monkeypatch):
    monkeypatch.setenv("FSPS_STUB", "stop later")
    table = galaxies(60)
    table["tau"][45] = 6.0
    with pytest.raises(InputError, match=r"exit code 0\).*FSPS talks on standard output"):
        fsps_fluxes(table, NARROW, processes=2)


def test_what_fsps_refuses_is_told(monkeypatch):
    monkeypatch.setenv("FSPS_STUB", "raise")
    with pytest.raises(InputError, match="AssertionError: sf_start is greater than tage"):
        fsps_fluxes(galaxies(3), NARROW, processes=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sf_start": 9.0}, "row 0: .*sf_start = 9; needs"),
        ({"const": 1.5}, "row 0: .*const = 1.5"),
        ({"tau": np.nan}, "row 0: .*tau = nan"),
    ],
)
def test_galaxies_outside_the_domain_are_named_before_fsps_runs(monkeypatch, changes, message):
    monkeypatch.delenv("SPS_HOME")
    with pytest.raises(InputError, match=message):
        fsps_fluxes(galaxies(2, **changes), NARROW)


def test_a_missing_parameter_is_named():
    table = galaxies(2)
    del table["gas_logz"]
    with pytest.raises(InputError, match="gas_logz missing"):
        fsps_fluxes(table, NARROW)


def test_a_coarse_library_is_refused_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("SPS_HOME", str(write_home(tmp_path / "coarse", resolving=100.0)))
    monkeypatch.setenv("FSPS_STUB", "stop")  # had it run, it would have died
    with pytest.raises(InputError, match="too coarse"):
        fsps_fluxes(galaxies(2), NARROW)


def test_a_chunk_says_which_populations_it_has(tmp_path, monkeypatch):
    path = tmp_path / "chunk-0.h5"
    prior = Prior(redshift=(0.05, 0.2))
    simulate_chunk(path, prior, NARROW, 3, 1, 0, "hash", reference="N650", engine="fsps")
    assert len(read_simulation(path)) == 3
    with h5py.File(path) as file:
        told = json.loads(read_attribute(file, "populations"))
    assert told["source"] == "FSPS, python-fsps 0.5.0"
    assert told["library"] == "miles"


def test_the_grid_has_closed_forms():
    """Stars of f_nu = Z (3, 2, 1) Lsun / Hz; gas 10^(z + 2 u + 3 log age - 40)."""
    grid = build_fsps_grid()
    np.testing.assert_allclose(grid.log_z, [-1.0, -0.5, 0.0, np.log10(2)], atol=1e-12)
    unit = FSPS_LSUN / SOLAR_LUMINOSITY * SPEED_OF_LIGHT
    edges = grid.edges
    flat = (1 / edges[:-1] - 1 / edges[1:]) / np.diff(edges)  # mean of 1 / lambda^2
    # The added node of the gas is linear in flux and log Z: half way from 0.002 to 0.02.
    for m, metallicity in enumerate((0.002, 0.011, 0.02, 0.04)):
        for a, height in enumerate((3, 2, 1)):
            expected = metallicity * height * unit * flat
            np.testing.assert_allclose(grid.spectrum[m, a], expected, rtol=1e-4)
    photons = 0.02 * 3 * FSPS_LSUN / 6.6261e-27 * np.log(912 / 91.0) / 1e46
    assert grid.ionizing_rate[2, 0] == pytest.approx(photons, rel=3e-3)  # to the last below 912 A
    np.testing.assert_allclose(grid.living_mass[1], [0.9, 0.8, 0.7])
    np.testing.assert_allclose(grid.nebular_log_u, [-3, -2])
    lines = grid.line_luminosity[1, 1, 0] * SOLAR_LUMINOSITY / FSPS_LSUN
    np.testing.assert_allclose(lines, np.array([1, 2]) * 1e46 * 10 ** (-0.5 - 4 + 18 - 40.0))
    assert grid.line_name == ("H-beta", "H-alpha")
    assert grid.provenance["zsun"] == 0.02
    assert grid.provenance["isochrones"] == "mist"
