import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from photoz.files import InputError
from photoz.simulations.priors import Prior
from photoz.simulations.simulation import (
    Simulation,
    chunk_generator,
    read_simulation,
    simulate,
    simulate_chunk,
)
from photoz.simulations.stream import GalaxyStream, make_draw
from photoz.simulations.template_population import TemplatePopulation
from photoz.simulations.template_simulation import simulate_template_chunk
from photoz.survey.survey import load_survey

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bands():
    survey = load_survey(ROOT / "config" / "surveys" / "paus.yaml")
    return survey.bands.subset(["NB455", "NB755", "u", "i", "z"])


@pytest.fixture(scope="module")
def draw(bands):
    return make_draw("populations", {}, bands, "i")


def numbered(n, rng):
    """Cheap galaxies of a talkative library; fluxes count the rows, redshifts are random."""
    os.write(1, b"not a galaxy\n")
    flux = np.arange(n, dtype=np.float32)[:, None]
    return Simulation(flux, rng.uniform(0, 1, n), ("i",), {})


def failing(n, rng):
    if rng.bit_generator.seed_seq.spawn_key == (2,):
        raise InputError("the third block is bad")
    return numbered(n, rng)


def suicidal(n, rng):
    os.kill(os.getpid(), signal.SIGKILL)


def children():
    """Process ids of this process's children that still run."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=,args=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return [line for line in listed.splitlines() if "stream" in line]


def test_blocks_are_the_chunks_of_a_stored_simulation(draw, bands, tmp_path):
    paths = [tmp_path / f"chunk-{k}.h5" for k in range(2)]
    for k, path in enumerate(paths):
        simulate_chunk(path, Prior(), bands, 30, 7, k, "")
    stored = read_simulation(paths)
    with GalaxyStream(draw, 30, 7) as galaxies:
        flux, redshift = galaxies.take(60)
        assert len(children()) == 1
    assert not children()
    assert flux.tobytes() == stored.flux.tobytes()
    assert redshift.tobytes() == stored.redshift.tobytes()
    again = simulate(Prior(), bands, 30, chunk_generator(7, 1))
    np.testing.assert_array_equal(flux[30:], again.flux)


def test_templates_stream_as_well(bands, tmp_path):
    path = tmp_path / "chunk.h5"
    simulate_template_chunk(path, TemplatePopulation(), bands, 25, 7, 1, "")
    draw = make_draw("templates", {}, bands, "i")
    draw = pickle.loads(pickle.dumps(draw))  # as on its way to the second process
    with GalaxyStream(draw, 25, 7, False) as galaxies:
        flux = galaxies.take(50)[0]
    np.testing.assert_array_equal(flux[25:], read_simulation(path).flux)


@pytest.mark.parametrize(
    ("sizes", "background"),
    [([100], False), ([1, 9, 10, 11, 30, 39], False), ([25] * 4, False), ([25] * 4, True)],
)
def test_order_depends_on_neither_batches_nor_timing(sizes, background):
    taken = []
    with GalaxyStream(numbered, 10, 3, background) as galaxies:
        for n in sizes:
            time.sleep(0.05)
            taken.append(galaxies.take(n))
    assert [len(flux) for flux, _ in taken] == sizes
    flux = np.concatenate([flux for flux, _ in taken])[:, 0]
    redshift = np.concatenate([redshift for _, redshift in taken])
    np.testing.assert_array_equal(flux, np.tile(np.arange(10), 10))
    expected = np.concatenate([chunk_generator(3, k).uniform(0, 1, 10) for k in range(10)])
    np.testing.assert_array_equal(redshift, expected)


def test_no_galaxy_comes_twice_and_seeds_differ():
    with GalaxyStream(numbered, 500, 3, False) as one, GalaxyStream(numbered, 500, 4, False) as two:
        redshift = np.concatenate([one.take(5000)[1], two.take(5000)[1]])
    assert np.unique(redshift).size == redshift.size


def test_an_exception_leaves_no_process_behind():
    with pytest.raises(KeyError), GalaxyStream(numbered, 10, 0) as galaxies:
        galaxies.take(1)
        assert len(children()) == 1
        raise KeyError("training failed")
    assert not children()


def test_the_second_process_ends_when_the_first_is_killed(tmp_path):
    script = (
        "import os\n"
        "from photoz.simulations.stream import GalaxyStream\n"
        "from tests.simulations.test_stream import numbered\n"
        "galaxies = GalaxyStream(numbered, 100_000, 0)\n"
        "galaxies.take(1)\n"
        "print(galaxies._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == -signal.SIGKILL
    pid = int(result.stdout)
    for _ in range(100):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not state or state.startswith("Z"):
            break
        time.sleep(0.1)
    assert not state or state.startswith("Z")


@pytest.mark.parametrize("background", [False, True])
def test_errors_of_the_simulation_arrive(background):
    with GalaxyStream(failing, 10, 0, background) as galaxies:
        galaxies.take(20)
        with pytest.raises(InputError, match="third block"):
            galaxies.take(1)
    assert not children()


def test_a_killed_process_is_an_error():
    galaxies = GalaxyStream(suicidal, 10, 0)
    with galaxies, pytest.raises(RuntimeError, match="status -9"):
        galaxies.take(1)


def test_blocks_of_nothing_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        GalaxyStream(numbered, 0, 0)
