"""Prediction in blocks, for catalogues larger than memory."""

import dataclasses
import logging

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks import DeepZ, FluxRatio, NetworkConfig, seeded_generators
from photoz.training import predict
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.predict import predict_blocks, predict_ensemble, predict_folds

CONFIG = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=8, features=2, components=3
)


@pytest.fixture
def networks(catalogue):
    network = DeepZ(CONFIG, len(catalogue.bands), seeded_generators([1, 2]))
    transform = FluxRatio(catalogue.bands, catalogue.reference_band)
    network.settle(transform(torch.as_tensor(catalogue.flux)).expand(2, -1, -1))
    return TrainedNetworks(network, transform)


def test_blocks_together_are_the_whole_catalogue(catalogue, networks):
    flux = catalogue.flux.copy()
    flux[130] = np.nan
    damaged = dataclasses.replace(catalogue, flux=flux)
    whole = predict_ensemble([networks], damaged)
    parts = list(predict_blocks([networks], damaged.blocks(64)))
    assert [len(block) for block, _ in parts] == [64, 64, 64, 64, 44]
    ids = np.concatenate([block.id for block, _ in parts])
    np.testing.assert_array_equal(ids, catalogue.id)
    for name in ("weights", "means", "sigmas"):
        joined = np.concatenate([getattr(pdf, name) for _, pdf in parts])
        np.testing.assert_allclose(joined, getattr(whole, name), rtol=1e-5)
    assert np.flatnonzero(~whole.valid).tolist() == [130]


def test_only_one_block_is_read_ahead(catalogue, networks):
    read = []

    def blocks():
        for block in catalogue.blocks(100):
            read.append(len(block))
            yield block

    results = predict_blocks([networks], blocks())
    assert not read
    next(results)
    assert read == [100]


def test_batches_do_not_change_a_prediction(catalogue, networks, monkeypatch):
    whole = predict_ensemble([networks], catalogue)
    monkeypatch.setattr(predict, "BATCH", 7)
    np.testing.assert_allclose(
        predict_ensemble([networks], catalogue).means, whole.means, rtol=1e-4, atol=1e-6
    )


def test_the_log_says_galaxies_per_second(catalogue, networks, caplog):
    with caplog.at_level(logging.INFO, "photoz.training.predict"):
        list(predict_blocks([networks], catalogue.blocks(100)))
        predict_folds(networks, catalogue, np.arange(300) % 2)
    assert len(caplog.messages) == 2
    assert "300 galaxies by 2 networks" in caplog.messages[0]
    assert all(message.endswith("galaxies/s per network") for message in caplog.messages)


def test_wrong_bands_are_told(catalogue, networks):
    other = dataclasses.replace(catalogue, bands=("N2", "N1", "N3", "N4", "i"), exposures=None)
    with pytest.raises(InputError, match="the order differs"):
        predict_ensemble([networks], other)
