"""Classifiers, frozen networks, convolutions and mixup on a survey with a known answer."""

import dataclasses

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.metrics.scores import crps
from photoz.networks import FluxRatio, NetworkConfig, seeded_generators
from photoz.networks.classes import Classes, sigma68
from photoz.networks.density import Mixture
from photoz.pdf import GridPDF, summarise
from photoz.survey.noise import FixedSNR
from photoz.training import predict
from photoz.training.calibrate import calibrate
from photoz.training.checkpoints import load_networks, save_networks
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.finetune import finetune
from photoz.training.objective import smoothed
from photoz.training.predict import predict_blocks, predict_ensemble, predict_folds
from photoz.training.pretrain import pretrain
from tests.training.conftest import BANDS, break_fluxes

CPU = torch.device("cpu")
SMALL = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=24, features=3, components=3
)
CLASSES = dataclasses.replace(SMALL, head="classes", class_width=0.02, class_redshift_max=1.0)
CONVOLVED = dataclasses.replace(
    SMALL, front_end="convolutional", convolved_inputs=(0, 1, 2, 3), convolution_width=3,
    convolution_channels=4,
)  # fmt: skip
FINETUNING = FinetuningConfig(epochs=25, batch_size=60, quiet_epochs=3)
SHORT = dataclasses.replace(FINETUNING, epochs=2, quiet_epochs=1)


def start_of(network, seed=0):
    redshift = np.random.default_rng(1).uniform(0, 0.99, 600)
    noise = FixedSNR((20.0,) * 4 + (50.0,))
    config = PretrainingConfig(steps=60, batch_size=100)
    flux = break_fluxes(redshift)
    return pretrain(flux, redshift, FluxRatio(BANDS, "i"), noise, network, config, seed, CPU)[0]


@pytest.fixture(scope="module")
def folds(catalogue):
    return np.arange(len(catalogue)) % 3


def train(catalogue, folds, network, config=SHORT, start=None):
    return finetune(catalogue, folds, start, network, config, [0, 0], CPU)[0]


@pytest.fixture(scope="module")
def classifier(catalogue, folds):
    config = dataclasses.replace(FINETUNING, label_smoothing=0.15, oversampling=0.5)
    return train(catalogue, folds, CLASSES, config, start_of(CLASSES))


@pytest.mark.parametrize("which", ["classes", "convolved"])
def test_they_find_the_redshifts_of_unseen_galaxies(catalogue, folds, classifier, which):
    trained = classifier
    if which == "convolved":
        trained = train(catalogue, folds, CONVOLVED, FINETUNING, start_of(CONVOLVED))
    error = predict_folds(trained, catalogue, folds).mode() - catalogue.redshift
    assert np.median(np.abs(error)) < 0.3 * np.median(
        np.abs(catalogue.redshift - np.median(catalogue.redshift))
    )


def test_its_densities_are_grids_that_every_measure_takes(catalogue, folds, classifier):
    flux = catalogue.flux.copy()
    flux[5] = np.nan
    pdf = predict_folds(classifier, dataclasses.replace(catalogue, flux=flux), folds)
    assert isinstance(pdf, GridPDF) and pdf.density.shape == (300, 52)
    assert np.flatnonzero(~pdf.valid).tolist() == [5]
    known = pdf.valid
    columns = summarise(pdf)
    for name in ("z_mode", "z_mean", "odds", "width"):
        assert np.isfinite(columns[name][known]).all(), name
    pit = pdf.pit(catalogue.redshift)[known]
    assert 0.3 < pit.mean() < 0.7
    assert np.isfinite(crps(pdf, catalogue.redshift)[known]).all()


def test_an_ensemble_is_the_mean_of_its_grids(catalogue, classifier):
    whole = predict_ensemble([classifier, classifier], catalogue)
    network = classifier.network
    x = classifier.transform(torch.as_tensor(catalogue.flux)).expand(3, -1, -1)
    with torch.no_grad():
        probability = network(x).log_probability.exp().double().mean(0).numpy()
    np.testing.assert_allclose(whole.density[:, 1:-1], probability / 0.02, rtol=1e-4, atol=1e-5)


def test_large_blocks_are_predicted_in_parts(catalogue, classifier, monkeypatch):
    monkeypatch.setattr(predict, "CLASSES_AT_ONCE", 128)
    whole = predict_ensemble([classifier], catalogue)
    parts = list(predict_blocks([classifier], [catalogue]))
    assert [len(pdf) for _, pdf in parts] == [128, 128, 44]
    ids = np.concatenate([block.id for block, _ in parts])
    np.testing.assert_array_equal(ids, catalogue.id)
    joined = np.concatenate([pdf.density for _, pdf in parts])
    np.testing.assert_allclose(joined, whole.density, rtol=1e-4, atol=1e-6)


def test_a_classifier_and_a_mixture_are_not_averaged(catalogue, folds, classifier):
    other = train(catalogue, folds, SMALL)
    with pytest.raises(InputError, match="mixtures and grids"):
        predict_ensemble([classifier, other], catalogue)


def test_a_classifier_is_not_calibrated(catalogue, folds, classifier):
    with pytest.raises(InputError, match="calibrate: false"):
        calibrate(classifier, catalogue, folds, 1.0, [0, 0])


def test_galaxies_beyond_the_classes_are_refused(catalogue, folds):
    network = dataclasses.replace(CLASSES, class_redshift_max=0.5)
    with pytest.raises(InputError, match=r"class_redshift_max, now 0\.5"):
        train(catalogue, folds, network)
    with pytest.raises(InputError, match=r"class_redshift_max, now 0\.5"):
        start_of(network)


@pytest.mark.parametrize("network", [CLASSES, CONVOLVED], ids=["classes", "convolved"])
def test_weights_survive_a_file(catalogue, folds, network, tmp_path):
    trained = train(catalogue, folds, network)
    save_networks(tmp_path / "w.safetensors", trained, {})
    again = load_networks(tmp_path / "w.safetensors")
    assert again.network.config == network
    first, second = (predict_folds(t, catalogue, folds) for t in (trained, again))
    np.testing.assert_array_equal(first.mode(), second.mode())


def test_a_frozen_network_learns_with_its_head_alone(catalogue, folds):
    start = start_of(SMALL)
    frozen = dataclasses.replace(SHORT, train="head")
    trained = train(catalogue, folds, SMALL, frozen, start).network
    same_function = start.network.repeated(1)
    same_function.restore_scale()  # as before every fine-tuning
    before = same_function.state_dict()
    statistics = ("mean", "variance")  # measured on the new galaxies, as after every training
    for name, value in trained.state_dict().items():
        same = torch.equal(value, before[name].expand_as(value))
        if name.startswith("photoz.output."):
            assert not same, name
        elif name.rpartition(".")[2] not in statistics:
            assert same, name
    free = train(catalogue, folds, SMALL, SHORT, start).network
    assert not torch.equal(free.photoz.hidden[0].weight[:1], before["photoz.hidden.0.weight"])


def test_the_head_is_trained_as_if_the_rest_were_constants(catalogue, folds):
    # One step of Adam moves every weight of the head as it would without freezing.
    start = start_of(SMALL)
    one = FinetuningConfig(epochs=1, batch_size=200, quiet_epochs=0, weight_decay=0.0)
    frozen = train(catalogue, folds, SMALL, dataclasses.replace(one, train="head"), start)
    free = train(catalogue, folds, SMALL, one, start)
    torch.testing.assert_close(
        frozen.network.photoz.output.weight, free.network.photoz.output.weight
    )


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_mixup_changes_the_training_and_zero_does_not(catalogue, folds, mixup):
    plain = train(catalogue, folds, SMALL)
    mixed = train(catalogue, folds, SMALL, dataclasses.replace(SHORT, mixup=mixup))
    same = torch.equal(plain.network.photoz.output.weight, mixed.network.photoz.output.weight)
    assert same == (mixup == 0.0)


def test_nothing_is_mixed_in_the_quiet_end(catalogue, folds):
    quiet = dataclasses.replace(SHORT, quiet_epochs=2)
    runs = [
        train(catalogue, folds, CLASSES, dataclasses.replace(quiet, **change))
        for change in ({}, {"mixup": 0.4}, {"oversampling": 1.0}, {"label_smoothing": 0.15})
    ]
    weights = [run.network.photoz.output.weight for run in runs]
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[3])  # labels are smoothed to the end


def test_labels_scatter_by_a_share_of_the_width():
    output = torch.randn(2, 20_000, 100, generator=torch.Generator().manual_seed(1))
    p = Classes(torch.log_softmax(output, -1), 0.01)
    redshift = torch.full((2, 20_000), 0.5)
    scattered = smoothed(p, redshift, 0.15, seeded_generators([1, 2]))
    pull = (scattered - redshift) / (0.15 * sigma68(p))
    assert pull.std(-1).tolist() == pytest.approx([1, 1], abs=0.02)
    assert pull.mean(-1).tolist() == pytest.approx([0, 0], abs=0.03)
    alone = smoothed(
        Classes(p.log_probability[1:], 0.01), redshift[1:], 0.15, seeded_generators([2])
    )
    assert torch.equal(alone[0], scattered[1])
    low = smoothed(p, torch.zeros(2, 20_000), 0.15, seeded_generators([1, 2]))
    assert (low >= 0).all()


def test_labels_of_a_mixture_are_not_smoothed(catalogue, folds):
    one = torch.zeros(1, 1, 1)
    with pytest.raises(InputError, match="label_smoothing"):
        smoothed(Mixture(one, one, one), torch.zeros(1, 1), 0.15, seeded_generators([1]))
    with pytest.raises(InputError, match="label_smoothing"):
        train(catalogue, folds, SMALL, dataclasses.replace(SHORT, label_smoothing=0.15))


@pytest.mark.parametrize("wrong", [{"train": "tail"}, {"label_smoothing": -0.1}])
def test_impossible_trainings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FinetuningConfig(**wrong)
