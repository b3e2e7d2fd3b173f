"""Simulations that need FSPS: planned, refused before any job, and made with a stand-in for it."""

import json

import h5py
import pytest
import yaml

from photoz.checksums import read_attribute
from photoz.simulations.simulation import read_simulation
from photoz.sps import load_grid
from tests.sps.fsps_stub import write_home, write_package
from tests.workflow.conftest import ROOT, TINY

CHUNK = "results/tiny/simulations/fsps/chunk-{}.h5"


@pytest.fixture
def config(tmp_path):
    """Write the tiny configuration with another simulation; return its path."""

    def write(**changes):
        content = yaml.safe_load((ROOT / TINY).read_text())
        content["simulations"]["fsps"] = {"n_galaxies": 10, "chunk_size": 6} | changes
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def stub(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(write_package(tmp_path / "packages")))
    home = write_home(tmp_path / "home")
    monkeypatch.setenv("SPS_HOME", str(home))
    return home


@pytest.mark.parametrize("changes", [{"grid": "fsps"}, {"engine": "fsps"}])
def test_data_that_are_not_there_are_missed_before_any_job(workflow, config, stub, changes):
    (stub / "nebular/ZAU_ND_mist.cont").unlink()
    result = workflow.run("--dry-run", config=config(**changes))
    assert result.returncode != 0
    assert "ZAU_ND_mist.cont: missing; fsps 0.5.0 (mist, miles) reads it" in result.stdout
    assert "Job stats" not in result.stdout


def test_two_ways_at_once_are_refused(workflow, config, stub):
    result = workflow.run("--dry-run", config=config(engine="fsps", grid="fsps"))
    assert result.returncode != 0
    assert "simulations.fsps.grid: `engine: fsps` computes each galaxy without a grid" in (
        result.stdout
    )


def test_the_grid_is_made_once_and_used(workflow, config, stub):
    result = workflow.run(CHUNK.format(0), CHUNK.format(1), config=config(grid="fsps"))
    assert result.returncode == 0, result.stdout[-3000:]
    grid = load_grid(workflow.folder / "results/tiny/sps/fsps.npz")
    assert grid.provenance["source"] == "FSPS, python-fsps 0.5.0"
    paths = [workflow.folder / CHUNK.format(k) for k in range(2)]
    assert len(read_simulation(paths)) == 10
    with h5py.File(paths[0]) as file:
        assert json.loads(read_attribute(file, "populations")) == dict(grid.provenance)
    # With the grid there, nobody asks for FSPS any more.
    (stub / "nebular/ZAU_ND_mist.cont").unlink()
    again = workflow.run("--dry-run", CHUNK.format(0), config=config(grid="fsps"))
    assert again.returncode == 0, again.stdout[-3000:]


def test_fsps_computes_each_galaxy_in_as_many_processes_as_threads(workflow, config, stub):
    arguments = (CHUNK.format(1), "--set-threads", "simulate=2")
    result = workflow.run(*arguments, config=config(engine="fsps"))
    assert result.returncode == 0, result.stdout[-3000:]
    path = workflow.folder / CHUNK.format(1)
    assert len(read_simulation(path)) == 4
    with h5py.File(path) as file:
        assert json.loads(read_attribute(file, "populations"))["library"] == "miles"
