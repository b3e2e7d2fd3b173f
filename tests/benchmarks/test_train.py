import numpy as np
import pytest
import torch

from benchmarks import train
from photoz.networks import NetworkConfig
from photoz.training.config import FinetuningConfig
from photoz.training.finetune import finetune

TINY = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=8, features=2, components=2
)
CPU = torch.device("cpu")


def test_every_rival_is_timed_and_compared():
    result = train.measure(CPU, TINY, batch=20, repeats=1)
    assert set(result) == {"fine-tuning", "pretraining"}
    for rows in result.values():
        assert {"public", "plain", "ours, float32, 1 network"} <= set(rows)
        assert "bare matrix products, float32" in rows
        for row in rows.values():
            assert row["galaxies_per_second"] == pytest.approx(20 / row["ms_per_step"] * 1e3)
            public = rows["public"]["ms_per_step"]
            assert row["times_public"] == pytest.approx(public / row["ms_per_step"])
    assert rows["plain"]["times_plain"] == 1


def test_lockstep_is_counted_per_network(monkeypatch):
    monkeypatch.setattr(train, "interleaved", lambda tasks, *a: dict.fromkeys(tasks, 0.1))
    tasks = dict.fromkeys(["public", "plain", "ours"])
    rows = train._compared(tasks, {"ours": 5}, 500, CPU, 3)
    assert rows["ours"] == {
        "ms_per_step": pytest.approx(20),
        "galaxies_per_second": pytest.approx(25_000),
        "times_public": pytest.approx(5),
        "times_plain": pytest.approx(5),
    }


def test_the_step_that_is_timed_is_the_step_that_trains():
    galaxies = train.catalogue(60, narrow=5, broad=2)
    step = train.finetuning_step(galaxies, 2, "float32", CPU, TINY, batch=30)
    config = FinetuningConfig(epochs=1, batch_size=30, quiet_epochs=0)
    _, history = finetune(galaxies, np.arange(60) % 2, None, TINY, config, train.SEED, CPU)
    np.testing.assert_allclose(step(), history["loss"], rtol=1e-6)


def test_steps_of_the_plain_network_read_the_same_catalogue():
    galaxies = train.catalogue(30, narrow=5, broad=2)
    plain = train._plain_galaxies(galaxies, CPU)
    np.testing.assert_array_equal(plain.flux, galaxies.flux)
    np.testing.assert_allclose(plain.inverse_variance, galaxies.exposures.error**-2.0, rtol=1e-6)


def test_growth_scans_sizes(monkeypatch):
    monkeypatch.setattr(train, "TRAINING_SIZES", (500, 800))
    monkeypatch.setattr(
        train, "timed", lambda tasks, *a: {k: t() is None or 1.0 for k, t in tasks.items()}
    )
    scans = train.growth(CPU, TINY, repeats=1, n=600)
    assert set(scans) == {"networks", "training galaxies", "bands", "batch", "width"}
    assert scans["networks"] == {"1": 1000.0, "2": 500.0, "5": 200.0, "10": 100.0}
    assert list(scans["bands"]) == ["46", "86", "166"]
    assert list(scans["training galaxies"]) == ["500", "800"]


def test_run_keeps_the_threads_and_says_when_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(train, "measure", lambda device: {"threads": torch.get_num_threads()})
    monkeypatch.setattr(train.torch.cuda, "is_available", lambda: False)
    before = torch.get_num_threads()
    result = train.run()
    assert result["processor"] == {"threads": 1}
    assert "no GPU" in result["GPU"]["not measured"]
    assert torch.get_num_threads() == before
