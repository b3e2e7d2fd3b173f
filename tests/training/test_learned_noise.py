"""Pretraining one network per fold under noise that was learned without the fold."""

import dataclasses

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks import FluxRatio, NetworkConfig
from photoz.survey import learn_noise
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.finetune import finetune
from photoz.training.pretrain import pretrain
from tests.training.conftest import BANDS, break_fluxes, make_catalogue

CPU = torch.device("cpu")
NETWORK = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=16, features=3, components=3,
    undropped_layers=1,
)  # fmt: skip
FEW = FinetuningConfig(epochs=2, batch_size=60, quiet_epochs=1)


@pytest.fixture(scope="module")
def sky():
    """300 galaxies of different brightness: the toy survey has them all at one."""
    catalogue = make_catalogue()
    bright = np.random.default_rng(7).uniform(0.5, 2, (len(catalogue), 1)).astype(np.float32)
    return dataclasses.replace(catalogue, flux=catalogue.flux * bright)


@pytest.fixture(scope="module")
def folds(sky):
    return np.arange(len(sky)) % 3


def run(noise, steps=60):
    redshift = np.random.default_rng(1).uniform(0, 1, 1000)
    config = PretrainingConfig(steps=steps, batch_size=100)
    return pretrain(
        break_fluxes(redshift), redshift, FluxRatio(BANDS, "i"), noise, NETWORK, config, 0, CPU
    )


@pytest.fixture(scope="module")
def start(sky, folds):
    return run(learn_noise(sky, folds))


def test_there_is_a_network_per_fold_and_each_learns(start):
    trained, history = start
    assert trained.network.n_networks == 3
    assert set(history.fold) == {0, 1, 2}
    for _, rows in history.groupby("fold"):
        assert rows.loss.iloc[-1] < rows.loss.iloc[0] - 0.5
    weights = trained.network.photoz.output.weight
    assert not torch.equal(weights[0], weights[1])


def test_the_first_network_is_as_if_it_were_alone(sky, folds, start):
    """Its noise, batches, seed and dropout do not depend on the others."""
    alone, history = run(learn_noise(sky, folds).member(0), steps=20)
    assert alone.network.n_networks == 1 and "fold" not in history
    together = start[1]
    first = together[(together.fold == 0) & (together.step == 0)].loss.item()
    assert history.loss.iloc[0] == pytest.approx(first, rel=1e-5)


def test_a_folds_network_does_not_know_its_galaxies(sky, folds):
    """Corrupting the test fold changes the other folds' starts, not its own."""
    test = (folds == 1)[:, None]
    wrong = dataclasses.replace(
        sky, error=np.where(test, 5 * sky.error, sky.error).astype(np.float32)
    )
    first, second = (run(learn_noise(c, folds), 3)[0].network.state_dict() for c in (sky, wrong))
    same = [all(torch.equal(first[name][k], second[name][k]) for name in first) for k in range(3)]
    assert same == [False, True, False]


def test_every_fold_is_fine_tuned_from_its_own_network(sky, folds, start):
    """With steps too small to move, the weights are still those the fold came with."""
    before = {name: value.clone() for name, value in start[0].network.state_dict().items()}
    still = dataclasses.replace(FEW, learning_rate=1e-12, weight_decay=0.0)
    trained, _ = finetune(sky, folds, start[0], NETWORK, still, [0, 0], CPU)
    for k in range(3):
        own = trained.network.photoz.output.weight[k]
        torch.testing.assert_close(own, before["photoz.output.weight"][k], atol=1e-6, rtol=0)
    for name, value in start[0].network.state_dict().items():
        assert torch.equal(value, before[name]), f"{name} of the start was changed"


def test_networks_of_other_splits_are_refused(sky, start):
    with pytest.raises(InputError, match="3 pretrained networks for 2 folds"):
        finetune(sky, np.arange(len(sky)) % 2, start[0], NETWORK, FEW, [0, 0], CPU)
