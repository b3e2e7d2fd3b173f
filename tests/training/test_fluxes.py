"""What networks see in training: coadds, shuffled exposures, wrong fluxes; none at the end."""

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.networks import NetworkConfig, seeded_generators
from photoz.survey.exposure_layout import exposure_slots, lay_out
from photoz.training.coadds import RandomCoadds
from photoz.training.config import FinetuningConfig
from photoz.training.finetune import finetune
from photoz.training.fluxes import TrainingFluxes, independent_shuffle, same_shuffle
from photoz.training.predict import predict_folds

CPU = torch.device("cpu")
INDEX = torch.arange(60).view(2, 30)


@pytest.fixture(scope="module")
def laid(catalogue):
    return lay_out(catalogue, 0.8, seed=0)


def drawn(catalogue, quiet=False, **settings):
    fluxes = TrainingFluxes(catalogue, FinetuningConfig(**settings), CPU)
    return fluxes.draw(INDEX, seeded_generators([1, 2]), quiet)[0]


def test_coadds_are_those_of_before(catalogue):
    expected, complete = RandomCoadds(catalogue, CPU).draw(INDEX, 0.7, seeded_generators([1, 2]))
    fluxes = TrainingFluxes(catalogue, FinetuningConfig(alpha=0.7), CPU)
    found, found_complete = fluxes.draw(INDEX, seeded_generators([1, 2]))
    assert torch.equal(found, expected) and torch.equal(found_complete, complete)


def test_a_share_of_the_fluxes_is_wrong_until_the_quiet_epochs(catalogue):
    settings = {"alpha": 1.0, "wrong_fluxes": 0.2, "wrong_amplitude": 0.4}
    right = torch.as_tensor(catalogue.flux)[INDEX]
    ratio = drawn(catalogue, **settings) / right
    assert (ratio != 1).float().mean().item() == pytest.approx(0.2, abs=0.05)
    assert 0.3 < (ratio - 1).abs().max().item() <= 0.4 + 1e-6
    assert torch.equal(drawn(catalogue, quiet=True, **settings), right)


@pytest.mark.parametrize("order", ["same", "independent"])
def test_shuffling_moves_exposures_within_their_band_only(laid, order):
    slots = exposure_slots(laid.bands)
    before = torch.as_tensor(laid.flux)[INDEX]
    after = drawn(laid, individual_exposures=order)
    assert not torch.equal(before, after)
    assert torch.equal(before[..., -1], after[..., -1])
    assert torch.equal(before[..., slots].sort(-1).values, after[..., slots].sort(-1).values)
    # prediction meets them in any order, so the quiet epochs shuffle too
    assert not torch.equal(drawn(laid, quiet=True, individual_exposures=order), before)


def test_a_fixed_order_is_that_of_the_catalogue(laid):
    found = drawn(laid, individual_exposures="fixed")
    assert torch.equal(found, torch.as_tensor(laid.flux)[INDEX])


def test_the_same_order_is_one_for_all_bands_and_galaxies_of_a_network():
    slots = torch.arange(12).view(3, 4)
    flux = torch.arange(4.0).repeat(3).expand(2, 50, 12)
    orders = same_shuffle(flux, slots, seeded_generators([1, 2]))[..., slots]
    assert (orders == orders[:, :1, :1]).all()
    assert not torch.equal(orders[0, 0, 0], orders[1, 0, 0])
    independent = independent_shuffle(flux, slots, seeded_generators([1, 2]))[..., slots]
    # every exposure is as often in every place
    assert independent.mean(dim=(0, 1, 2)) == pytest.approx(np.full(4, 1.5), abs=0.25)
    assert len({tuple(row) for row in independent.reshape(-1, 4).tolist()}) > 15  # of 24


def test_networks_on_single_exposures_learn_and_predict(laid):
    folds = np.arange(len(laid)) % 3
    config = FinetuningConfig(
        epochs=40, batch_size=60, quiet_epochs=3, individual_exposures="independent"
    )
    network = NetworkConfig(photoz_layers=3, width=32, features=0, components=3)
    trained, _ = finetune(laid, folds, None, network, config, [0], CPU)
    pdf = predict_folds(trained, laid, folds)
    assert np.corrcoef(pdf.mode(), laid.redshift)[0, 1] > 0.5


def test_coadds_are_no_single_exposures(catalogue):
    with pytest.raises(InputError, match="bands of single exposures expected"):
        TrainingFluxes(catalogue, FinetuningConfig(individual_exposures="same"), CPU)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"individual_exposures": "random"}, "individual_exposures must be one of"),
        ({"present_exposures": 0.0}, "present_exposures must be in"),
        ({"wrong_fluxes": 1.5}, "wrong_fluxes must be in"),
        ({"wrong_amplitude": -0.1}, "wrong_amplitude not negative"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        FinetuningConfig(**changes)
