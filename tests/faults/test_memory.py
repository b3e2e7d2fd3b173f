"""Too little memory: a smaller batch is tried, then it is said; the result is the same."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from photoz import memory
from photoz.files import InputError
from photoz.memory import Batches, is_out_of_memory

ROOT = Path(__file__).parents[2]


def failing_above(limit, error=MemoryError):
    """Work on rows that needs too much memory for more than `limit` of them."""

    def work(rows):
        if len(rows) > limit:
            raise error("Unable to allocate 3 GiB; not enough memory")
        return 2 * rows

    return work


def run(batches, work, rows):
    result = np.full(len(rows), -1)
    for batch in batches:
        with batches.attempt():
            result[batch] = work(rows[batch])
    return result


@pytest.mark.parametrize("n", [0, 1, 7, 100, 101])
@pytest.mark.parametrize("limit", [1, 3, 10, 1000])
@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
def test_every_row_is_done_whatever_fits(n, limit, error, caplog):
    batches = Batches(n, 10, "prediction")
    rows = np.arange(n)
    np.testing.assert_array_equal(run(batches, failing_above(limit, error), rows), 2 * rows)
    assert ("memory is short" in caplog.text) == (min(n, 10) > limit)


def test_too_little_for_one_galaxy_is_said():
    with pytest.raises(InputError, match=r"prediction: .* single galaxy .* more memory"):
        run(Batches(10, 4, "prediction"), failing_above(0), np.arange(10))


def test_a_batch_around_batches_is_halved_when_those_cannot_be():
    """The outer rows hold memory that the inner ones lack."""

    def outer(rows):
        return run(Batches(len(rows), 2, "inner"), failing_above(0 if len(rows) > 5 else 9), rows)

    np.testing.assert_array_equal(
        run(Batches(20, 20, "outer"), outer, np.arange(20)), 2 * np.arange(20)
    )


def test_other_errors_are_not_taken_for_it():
    with pytest.raises(RuntimeError, match="broken"):
        run(
            Batches(10, 4, "x"),
            lambda rows: (_ for _ in ()).throw(RuntimeError("broken")),
            np.arange(10),
        )


def test_what_torch_says_is_understood():
    with pytest.raises(RuntimeError) as told:
        torch.empty(1 << 55)
    assert is_out_of_memory(told.value)


def test_control_without_halving_it_fails(monkeypatch):
    monkeypatch.setattr(memory, "is_out_of_memory", lambda error: False)
    with pytest.raises(MemoryError):
        run(Batches(10, 4, "x"), failing_above(2), np.arange(10))


# --- with a limit of the system -------------------------------------------------------------------

START = """
import logging, resource, sys
import numpy as np
logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")

def limited(megabytes, work):
    whole = work()
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes << 20),) * 2)
    again = work()
    assert len(again) == len(whole)
    np.testing.assert_allclose(again, whole, rtol=2e-4, atol=1e-6)
    print("the same")
"""

SIMULATION = """
from photoz.sps import fluxes
from photoz.sps.grid import load_grid
from photoz.sps.projection import BandProjector
from photoz.simulations.priors import Prior, sample
from photoz.survey.survey import load_survey
fluxes._BATCH = 20_000
bands = load_survey("config/surveys/paus.yaml").bands
grid, prior = load_grid(), Prior()
projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, prior.redshift[1])
drawn = sample(prior, 20_000, np.random.default_rng(0))
limited(150, lambda: fluxes.simulate_fluxes(grid, projector, drawn))
"""

PREDICTION = """
import torch
torch.set_num_threads(1)
from photoz.networks import DeepZ, FluxRatio, NetworkConfig
from photoz.networks.deepz import seeded_generators
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.predict import predict_blocks
from tests.training.conftest import BANDS, make_catalogue
config = NetworkConfig(encoder_layers=1, decoder_layers=1, photoz_layers=1, width=8, features=2,
                       components=20, undropped_layers=1)
network = DeepZ(config, len(BANDS), seeded_generators([0]))
trained = [TrainedNetworks(network, FluxRatio(BANDS, "i"))] * 6
galaxies = make_catalogue(20_000)
limited(60, lambda: np.concatenate([p.mean() for _, p in predict_blocks(trained, [galaxies])]))
"""

TEMPLATES = """
from photoz.survey.survey import load_survey
from photoz.templates import ModelConfig, build_model, published_runs
from photoz.templates.config import TemplateFitConfig
from photoz.templates.fit import fit_catalogue
bands = load_survey("config/surveys/cosmos_broadband.yaml").bands
redshifts = ModelConfig(redshift_min=0.1, redshift_max=1, redshift_step=0.02)
model = build_model(bands, redshifts, published_runs()[:3])
rng = np.random.default_rng(0)
flux = model.flux[0][rng.integers(len(model.redshift), size=6000)]
flux = flux * rng.uniform(0.9, 1.1, flux.shape)
config = TemplateFitConfig(chunk_size=6000)
limited(25, lambda: fit_catalogue(model, flux, 0.05 * flux, config).columns["chi2"])
"""


@pytest.mark.parametrize(
    ("what", "code"),
    [("simulation", SIMULATION), ("prediction", PREDICTION), ("template fit", TEMPLATES)],
)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "control"])
def test_a_memory_limit(what, code, protected):
    remove = (
        ""
        if protected
        else "from photoz import memory\nmemory.is_out_of_memory = lambda e: False\n"
    )
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
    }  # fmt: skip
    result = subprocess.run(
        [sys.executable, "-c", START + remove + code],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if protected:
        assert result.returncode == 0, result.stdout + result.stderr
        assert f"{what}: memory is short for" in result.stdout
        assert "the same" in result.stdout
    else:
        assert result.returncode != 0
        assert "the same" not in result.stdout
