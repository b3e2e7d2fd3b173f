"""Learning rates against the paper and against torch's one-cycle scheduler."""

import pytest
import torch

from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.schedule import learning_rate, make_optimiser


def test_stepwise_schedule_is_the_papers():
    config = FinetuningConfig(schedule="stepwise")
    assert config.total_epochs == 700
    rates = [learning_rate(epoch, 700, config) for epoch in range(700)]
    assert rates == [1e-3] * 100 + [1e-4] * 200 + [1e-5] * 200 + [1e-6] * 200


def test_one_cycle_follows_torchs():
    config = PretrainingConfig(learning_rate=2e-3)
    n = 1001
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight])
    # torch reaches the end at its last step and counts n - 1 intervals.
    torchs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 2e-3, total_steps=n, pct_start=0.3, final_div_factor=1e4 / 25
    )
    for step in range(n - 1):
        ours = learning_rate(step, n - 1, config)
        assert ours == pytest.approx(torchs.get_last_lr()[0], rel=0.02, abs=2e-8)
        optimiser.step()
        torchs.step()


def test_frozen_parameters_are_left_out_of_the_optimiser():
    network = torch.nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    optimiser = make_optimiser(network, PretrainingConfig())
    assert [p.shape for p in optimiser.param_groups[0]["params"]] == [network.weight.shape]


@pytest.mark.parametrize(
    "wrong",
    [{"schedule": "spiral"}, {"precision": "float8"}, {"batch_size": 1}, {"learning_rate": 0.0}],
)
def test_impossible_training_is_refused(wrong):
    for kind in (PretrainingConfig, FinetuningConfig):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            kind(**wrong)


def test_alpha_must_be_a_probability():
    with pytest.raises(ValueError, match="alpha"):
        FinetuningConfig(alpha=0.0)


def test_quiet_epochs_fit_into_the_schedule():
    with pytest.raises(ValueError, match="quiet_epochs"):
        FinetuningConfig(epochs=10, quiet_epochs=11)
