import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import fifty, precision, schedules
from benchmarks._trainings import SMALL, Run, train_all
from photoz.training.config import FinetuningConfig


def test_a_training_is_measured_on_galaxies_it_has_not_seen(capsys):
    config = FinetuningConfig(epochs=2, quiet_epochs=0)
    runs = [Run("short", name, 1, 0, config) for name in ("paus_mock", "cosmos_mock")]
    table = train_all(runs, SMALL)
    assert table["catalogue"].tolist() == ["paus_mock", "cosmos_mock"]
    assert (table["seconds"] > 0).all() and table["peak"].tolist() == [0.001, 0.001]
    # Two epochs of a tiny network know little more than the redshift distribution.
    assert table["sigma68"].between(0.01, 0.5).all() and np.isfinite(table["nll"]).all()
    assert capsys.readouterr().out.count("sigma68=") == 2


def test_the_peak_of_a_schedule_is_the_one_with_the_least_scatter():
    tried = pd.DataFrame(
        {
            "name": ["a", "a", "b", "b"],
            "peak": [1e-3, 2e-3, 1e-3, 2e-3],
            "sigma68": [0.02, 0.01, 0.01, 0.03],
        }
    )
    assert schedules.chosen_peaks(tried) == {"a": 2e-3, "b": 1e-3}


def test_schedules_are_summed_up_over_seeds():
    table = pd.DataFrame(
        {"catalogue": "m", "name": ["a", "a"], "seconds": [1.0, 3.0], "sigma68": [0.01, 0.03]}
    )
    result = schedules.summary(table)["m"]["a"]
    assert result["seconds"] == 2 and result["sigma68"]["mean"] == pytest.approx(0.02)
    assert result["sigma68"]["error"] == pytest.approx(0.01)  # |a - b| / 2


def test_precisions_are_compared_seed_by_seed():
    table = pd.DataFrame(
        {
            "name": ["float32", "bfloat16"] * 2,
            "seed": [0, 0, 1, 1],
            "seconds": [2.0, 1.0, 2.0, 1.0],
            "sigma68": [0.01, 0.011, 0.02, 0.018],
            "nll": [-3.0, -2.9, -3.1, -3.2],
        }
    )
    result = precision.summary(table)
    ratio = result["sigma68, bfloat16 / float32"]
    assert ratio["mean"] == pytest.approx((1.1 + 0.9) / 2) and ratio["error"] == pytest.approx(0.1)
    assert result["nll, bfloat16 - float32"]["mean"] == pytest.approx(0.0)
    assert result["float32"]["seconds"]["mean"] == 2


def test_ten_splits_share_the_cores():
    table = pd.DataFrame(
        {"name": ["float32"] * 2, "seconds": [100.0, 140.0], "sigma68": [0.01, 0.03]}
    )
    result = fifty.summary(table, cores=2)["float32"]
    assert result["seconds of a split"]["mean"] == 120
    assert result["minutes of fifty networks"] == pytest.approx(10)  # 5 rounds of two minutes


def test_fifty_networks_train_in_one_job():
    result = fifty.in_lockstep(SMALL, 10, torch.device("cpu"))["float32"]
    assert 0 < result["minutes of fifty networks"] < 5
    assert 0.01 < result["sigma68"]["mean"] < 0.5 and result["sigma68"]["error"] > 0
