"""Pretraining, fine-tuning and prediction on a survey with a known answer."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks import FluxRatio, NetworkConfig
from photoz.simulations.simulation import Simulation
from photoz.simulations.stream import GalaxyStream
from photoz.survey.noise import FixedSNR
from photoz.training.checkpoints import load_networks, read_metadata, save_networks
from photoz.training.config import FinetuningConfig, PretrainingConfig
from photoz.training.finetune import finetune
from photoz.training.galaxies import training_galaxies
from photoz.training.predict import predict_ensemble, predict_folds
from photoz.training.pretrain import pretrain, pretrain_fresh
from tests.training.conftest import BANDS, break_fluxes

CPU = torch.device("cpu")
NETWORK = NetworkConfig(
    encoder_layers=3, decoder_layers=3, photoz_layers=3, width=32, features=3, components=3
)
PRETRAINING = PretrainingConfig(steps=150, batch_size=100)
FINETUNING = FinetuningConfig(epochs=15, batch_size=60, quiet_epochs=3)
NOISE = FixedSNR((20.0,) * 4 + (50.0,))


def pretrained(seed=0, network=NETWORK, config=PRETRAINING):
    redshift = np.random.default_rng(1).uniform(0, 1, 1000)
    transform = FluxRatio(BANDS, "i")
    return pretrain(break_fluxes(redshift), redshift, transform, NOISE, network, config, seed, CPU)


@pytest.fixture(scope="module")
def start():
    return pretrained()


@pytest.fixture(scope="module")
def folds(catalogue):
    return np.arange(len(catalogue)) % 3


@pytest.fixture(scope="module")
def trained(catalogue, folds, start):
    return finetune(catalogue, folds, start[0], NETWORK, FINETUNING, [0, 0], CPU)


def scatter(pdf, catalogue):
    return np.std(pdf.mode() - catalogue.redshift)


def test_pretraining_lowers_both_losses(start):
    _, history = start
    assert history.loss.iloc[-1] < history.loss.iloc[0] - 1
    assert history.reconstruction_loss.iloc[-1] < 0.5 * history.reconstruction_loss.iloc[0]


def test_without_an_autoencoder_there_is_no_reconstruction_loss():
    config = PretrainingConfig(steps=3, batch_size=100)
    history = pretrained(network=replace(NETWORK, features=0), config=config)[1]
    assert np.isfinite(history.loss).all() and history.reconstruction_loss.isna().all()


def test_finetuned_networks_find_the_redshifts_of_unseen_galaxies(catalogue, folds, trained):
    pdf = predict_folds(trained[0], catalogue, folds)
    assert scatter(pdf, catalogue) < 0.35 * np.std(catalogue.redshift)


def test_no_galaxy_is_predicted_by_a_network_that_saw_it(catalogue, folds):
    for fold in range(3):
        seen = training_galaxies(catalogue, folds, fold, 1.0, [0, 0])
        assert not np.isin(np.flatnonzero(folds == fold), seen).any()
        assert len(seen) == np.sum(folds != fold)


def test_a_galaxys_own_redshift_does_not_reach_its_prediction(catalogue, folds, start):
    """Shuffling the labels of one fold changes other folds' predictions, not its own."""
    wrong = catalogue.redshift.copy()
    wrong[folds == 0] = wrong[folds == 0][::-1]
    shuffled = catalogue.__class__(**{**vars(catalogue), "redshift": wrong})
    few = FinetuningConfig(epochs=2, batch_size=60, quiet_epochs=1)
    first, _ = finetune(catalogue, folds, start[0], NETWORK, few, [0, 0], CPU)
    second, _ = finetune(shuffled, folds, start[0], NETWORK, few, [0, 0], CPU)
    a = predict_folds(first, catalogue, folds).means
    b = predict_folds(second, catalogue, folds).means
    np.testing.assert_array_equal(a[folds == 0], b[folds == 0])
    assert not np.allclose(a[folds == 1], b[folds == 1])


def test_same_seed_same_weights_and_other_seed_others(catalogue, folds, start):
    few = FinetuningConfig(epochs=2, batch_size=60, quiet_epochs=1)
    runs = [finetune(catalogue, folds, start[0], NETWORK, few, [s, 0], CPU)[0] for s in (0, 0, 1)]
    weights = [run.network.photoz.output.weight for run in runs]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_size_that_weights_grew_to_in_pretraining_does_not_matter(catalogue, folds, start):
    grown = copy.deepcopy(start[0])
    with torch.no_grad():
        for layer in grown.network.photoz.hidden:
            layer.weight *= 10
            layer.variance *= 100
            layer.mean *= 10
    config = FinetuningConfig(epochs=2, quiet_epochs=0, batch_size=100)
    losses = [
        finetune(catalogue, folds, begin, begin.network.config, config, [1], CPU)[1]["loss"]
        for begin in (start[0], grown)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-2)


def test_extra_steps_are_taken(catalogue, folds):
    few = FinetuningConfig(epochs=2, batch_size=60, quiet_epochs=1)
    _, plain = finetune(catalogue, folds, None, NETWORK, few, [0, 0], CPU)
    _, longer = finetune(catalogue, folds, None, NETWORK, few, [0, 0], CPU, extra_steps=9)
    assert plain.step.max() + 1 == 2 * 3
    assert longer.step.max() + 1 == 2 * 3 + 9


def test_a_fraction_of_the_training_set_is_the_same_for_every_variant(catalogue, folds):
    few = training_galaxies(catalogue, folds, 1, 0.1, [7, 0])
    assert len(few) == 20
    np.testing.assert_array_equal(few, training_galaxies(catalogue, folds, 1, 0.1, [7, 0]))


def test_galaxies_that_cannot_be_read_get_no_density(catalogue, folds, trained):
    flux = catalogue.flux.copy()
    flux[3, 2] = np.nan
    flux[4, 4] = -1.0
    damaged = catalogue.__class__(**{**vars(catalogue), "flux": flux})
    pdf = predict_folds(trained[0], damaged, folds)
    assert np.flatnonzero(~np.isfinite(pdf.means).all(1)).tolist() == [3, 4]


def test_weights_survive_a_file_and_predict_the_same(catalogue, folds, trained, tmp_path):
    path = tmp_path / "split-0.safetensors"
    save_networks(path, trained[0], {"seed": [0, 0]})
    again = load_networks(path)
    assert read_metadata(path)["seed"] == [0, 0]
    np.testing.assert_array_equal(
        predict_folds(again, catalogue, folds).means,
        predict_folds(trained[0], catalogue, folds).means,
    )
    second = tmp_path / "again.safetensors"
    save_networks(second, trained[0], {"seed": [0, 0]})
    assert path.read_bytes() == second.read_bytes()


def test_an_ensemble_averages_all_networks(catalogue, trained):
    pdf = predict_ensemble([trained[0], trained[0]], catalogue)
    assert pdf.weights.shape == (len(catalogue), 2 * 3 * NETWORK.components)
    np.testing.assert_allclose(pdf.weights.sum(1), 1)


def test_damaged_and_foreign_weights_are_refused(trained, tmp_path):
    path = tmp_path / "split-0.safetensors"
    save_networks(path, trained[0], {})
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"split-0\.safetensors"):
        load_networks(path)
    with pytest.raises(InputError, match="not found"):
        load_networks(tmp_path / "nothing.safetensors")


def test_a_flipped_bit_in_the_weights_is_noticed(trained, tmp_path):
    path = tmp_path / "split-0.safetensors"
    save_networks(path, trained[0], {})
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"split-0\.safetensors: weights differ"):
        load_networks(path)


def test_other_bands_than_the_networks_are_refused(catalogue, folds, trained):
    bands = ("N1", "N2", "N3", "X", "i")
    other = catalogue.__class__(**{**vars(catalogue), "bands": bands, "exposures": None})
    with pytest.raises(InputError, match=r"missing.*N4"):
        predict_folds(trained[0], other, folds)


def test_too_few_galaxies_are_refused(catalogue, start):
    folds = np.zeros(len(catalogue), int)
    folds[:1] = 1
    with pytest.raises(InputError, match="learn from"):
        finetune(catalogue, folds, start[0], NETWORK, FINETUNING, [0, 0], CPU)


def test_too_few_or_broken_simulations_are_refused():
    transform = FluxRatio(BANDS, "i")
    flux = np.ones((200, 5))
    with pytest.raises(InputError, match="batch_size"):
        pretrain(flux[:50], np.ones(50), transform, NOISE, NETWORK, PRETRAINING, 0, CPU)
    flux[7, 1] = np.inf
    with pytest.raises(InputError, match="galaxy 7"):
        pretrain(flux, np.ones(200), transform, NOISE, NETWORK, PRETRAINING, 0, CPU)


def drawn(n, rng):
    """Simulated galaxies, as a stream draws them."""
    redshift = rng.uniform(0, 1, n)
    return Simulation(break_fluxes(redshift).astype(np.float32), redshift, BANDS, {})


class Recorder(GalaxyStream):
    """A stream that remembers what it handed out."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.seen = []

    def take(self, n):
        flux, redshift = super().take(n)
        self.seen.append(redshift)
        return flux, redshift


def pretrained_fresh(seed=0, block=700, steps=60):
    transform, config = FluxRatio(BANDS, "i"), PretrainingConfig(steps=steps, batch_size=100)
    with Recorder(drawn, block, 5, False) as galaxies:
        trained, history = pretrain_fresh(galaxies, transform, NOISE, NETWORK, config, seed, CPU)
    return trained, history, galaxies.seen


def test_pretraining_on_fresh_galaxies_sees_none_twice():
    trained, history, seen = pretrained_fresh()
    assert len(seen) == 61 and all(len(batch) == 100 for batch in seen[1:])
    everything = np.concatenate(seen)
    assert np.unique(everything).size == everything.size
    assert history.loss.iloc[-1] < history.loss.iloc[0] - 1
    again = pretrained_fresh()[0]
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_fresh_galaxies_that_are_not_finite_are_refused():
    def broken(n, rng):
        simulation = drawn(n, rng)
        simulation.flux[3] = np.nan
        return simulation

    config = PretrainingConfig(steps=2, batch_size=100)
    with GalaxyStream(broken, 100, 0, False) as galaxies, pytest.raises(InputError, match="finite"):
        pretrain_fresh(galaxies, FluxRatio(BANDS, "i"), NOISE, NETWORK, config, 0, CPU)


def test_no_more_bands_than_features_means_denoising():
    wide = NetworkConfig(
        encoder_layers=2, decoder_layers=2, photoz_layers=2, width=8, features=8, components=2,
        undropped_layers=1,
    )  # fmt: skip
    redshift = np.random.default_rng(1).uniform(0, 1, 500)
    short = PretrainingConfig(steps=3, batch_size=100)
    runs = [
        pretrain(
            break_fluxes(redshift), redshift, FluxRatio(BANDS, "i"), NOISE, wide,
            PretrainingConfig(steps=3, batch_size=100, denoising=d), 0, CPU,
        )[1].reconstruction_loss.iloc[0]
        for d in (None, 1.0, 0.0)
    ]  # fmt: skip
    assert short.denoising is None
    assert runs[0] == runs[1] != runs[2]
