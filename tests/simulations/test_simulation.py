from pathlib import Path

import h5py
import numpy as np
import pytest

from photoz.checksums import read_attribute
from photoz.files import InputError
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import read_simulation, simulate, simulate_chunk
from photoz.sps import PARAMETERS, BandProjector, load_grid, simulate_fluxes
from photoz.survey.survey import load_survey


@pytest.fixture(scope="module")
def bands():
    survey = load_survey(Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml")
    return survey.bands.subset(["NB455", "NB755", "u", "i", "z"])


@pytest.fixture(scope="module")
def chunks(bands, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulation")
    paths = [folder / f"chunk-{i}.h5" for i in range(2)]
    for i, path in enumerate(paths):
        simulate_chunk(path, Prior(), bands, 40, 11, i, "abc")
    return paths


def test_chunks_read_back(chunks, bands):
    simulation = read_simulation(chunks)
    assert len(simulation) == 80 and simulation.flux.shape == (80, 5)
    assert simulation.bands == bands.names and simulation.flux.dtype == np.float32
    assert set(simulation.params) == set(PARAMETERS)
    np.testing.assert_array_equal(simulation.params["redshift"], simulation.redshift)
    with h5py.File(chunks[1]) as file:
        assert file.attrs["seed"] == 11 and file.attrs["chunk"] == 1
        assert read_attribute(file, "config_hash") == "abc" and "maggies" in read_attribute(
            file, "units"
        )
        assert list(read_attribute(file, "bands")) == list(bands.names)


def test_stored_parameters_give_the_stored_fluxes(chunks, bands):
    simulation = read_simulation(chunks[0])
    grid = load_grid()
    projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, 1.2)
    again = simulate_fluxes(grid, projector, simulation.params)
    np.testing.assert_allclose(again, simulation.flux, rtol=1e-3)


def test_any_chunk_can_be_made_alone_with_the_same_bytes(chunks, bands, tmp_path):
    alone = tmp_path / "again.h5"
    simulate_chunk(alone, Prior(), bands, 40, 11, 1, "abc")
    assert alone.read_bytes() == chunks[1].read_bytes()
    first, second = read_simulation(chunks[0]), read_simulation(chunks[1])
    assert not np.isin(first.redshift, second.redshift).any()


def test_colour_cut_keeps_the_number(bands):
    free = simulate(Prior(), bands, 200, np.random.default_rng(2))
    colour = np.abs(2.5 * np.log10(free.flux / free.flux[:, [3]])).max(axis=1)
    limit = float(np.median(colour))
    cut = simulate(Prior(colour_cut=limit), bands, 200, np.random.default_rng(2))
    colour = np.abs(2.5 * np.log10(cut.flux / cut.flux[:, [3]])).max(axis=1)
    assert len(cut) == 200 == len(cut.params["tau"]) and colour.max() < limit


def test_a_cut_that_drops_everything_is_an_error(bands):
    with pytest.raises(InputError, match="colour_cut"):
        simulate(Prior(colour_cut=1e-4), bands, 2, np.random.default_rng(2))


def test_damage_is_noticed(chunks, tmp_path):
    content = chunks[0].read_bytes()
    path = tmp_path / "bad.h5"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"bad\.h5"):
        read_simulation(path)
    flux = read_simulation(chunks[0]).flux
    at = content.index(flux[3].tobytes())
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(InputError, match=r"bad\.h5.*damaged"):
        read_simulation([chunks[0], path])
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        read_simulation(path)
    with pytest.raises(InputError, match="not found"):
        read_simulation(tmp_path / "absent.h5")
    with pytest.raises(InputError, match="no chunk"):
        read_simulation([])


def test_chunks_of_different_bands_do_not_mix(chunks, bands, tmp_path):
    other = tmp_path / "other.h5"
    simulate_chunk(other, Prior(), bands.subset(["u", "i"]), 3, 11, 2, "abc")
    with pytest.raises(InputError, match=r"other\.h5: bands"):
        read_simulation([chunks[0], other])
