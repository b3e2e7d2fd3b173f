"""Splits that are trained side by side, and files that hold the networks of several."""

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks import NetworkConfig
from photoz.survey.splits import make_splits
from photoz.training.checkpoints import joined, load_networks, save_networks
from photoz.training.config import FinetuningConfig
from photoz.training.finetune import finetune, finetune_splits
from photoz.training.predict import predict_folds

CPU = torch.device("cpu")
NETWORK = NetworkConfig(
    encoder_layers=1, decoder_layers=1, photoz_layers=2, width=16, features=2, components=2
)
CONFIG = FinetuningConfig(epochs=3, batch_size=50, quiet_epochs=1, unlabelled="outside_fold")
SEEDS = [[3, 0], [3, 1], [3, 2]]


@pytest.fixture(scope="module")
def folds(catalogue):
    return make_splits(catalogue.id, 3, 3, seed=5)


@pytest.fixture(scope="module")
def together(catalogue, folds):
    return finetune_splits(catalogue, folds, None, NETWORK, CONFIG, SEEDS, CPU)


def test_splits_train_together_as_they_do_one_by_one(catalogue, folds, together):
    for split, (trained, losses) in enumerate(together):
        alone, own = finetune(catalogue, folds[:, split], None, NETWORK, CONFIG, SEEDS[split], CPU)
        assert own["fold"].tolist() == losses["fold"].tolist()
        np.testing.assert_allclose(losses["loss"], own["loss"], rtol=1e-4, atol=1e-4)
        a, b = (predict_folds(t, catalogue, folds[:, split]).means for t in (trained, alone))
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_a_file_of_several_splits_gives_each_its_own(together, tmp_path):
    path = tmp_path / "split-4-6.safetensors"
    networks = [trained for trained, _ in together]
    save_networks(path, joined(networks), {"splits": [4, 5, 6]})
    assert load_networks(path).network.n_networks == 9
    for split, expected in zip([4, 5, 6], networks, strict=True):
        found = load_networks(path, split=split).network.state_dict()
        for name, value in expected.network.state_dict().items():
            assert torch.equal(found[name], value), name
    with pytest.raises(InputError, match=r"split-4-6.safetensors: networks of .*\[4, 5, 6\], not"):
        load_networks(path, split=0)
