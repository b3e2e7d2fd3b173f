"""Noise with wrong fluxes among the others: how many, how wrong, around any other noise."""

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.survey.noise import FixedSNR, NumpyDraws, read_noise_model, write_noise_model
from photoz.survey.outlying_noise import OutlyingNoise, with_wrong_fluxes


class TorchDraws:
    def __init__(self):
        self.generator = torch.Generator().manual_seed(1)

    def normal(self, shape):
        return torch.randn(shape, generator=self.generator)

    def uniform(self, shape):
        return torch.rand(shape, generator=self.generator)


@pytest.mark.parametrize("kind", [np.ones, torch.ones])
def test_a_tenth_of_the_fluxes_is_wrong_and_the_errors_do_not_say_so(kind):
    noise = OutlyingNoise(FixedSNR((1000.0, 1000.0)), fraction=0.1, amplitude=0.5)
    draws = NumpyDraws(np.random.default_rng(1)) if kind is np.ones else TorchDraws()
    noisy, error = noise.observe(kind((20000, 2)), draws)
    noisy, error = np.asarray(noisy), np.asarray(error)
    assert error == pytest.approx(0.001)
    wrong = np.abs(noisy - 1) > 0.01
    # uniform between -0.5 and 0.5: 2 per cent of the wrong ones look right
    assert wrong.mean(axis=0) == pytest.approx(0.098, abs=0.007)
    assert np.abs(noisy - 1).max() == pytest.approx(0.5, abs=0.01)
    assert noisy[wrong].mean() == pytest.approx(1.0, abs=0.02)


def test_no_share_of_wrong_fluxes_leaves_all_as_they_were():
    flux = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    same = with_wrong_fluxes(flux, 0.0, 0.5, NumpyDraws(np.random.default_rng(1)))
    np.testing.assert_array_equal(same, flux)


def test_a_file_brings_it_back(tmp_path):
    noise = OutlyingNoise(FixedSNR((10.0, 35.0)), fraction=0.2, amplitude=1.5)
    write_noise_model(tmp_path / "m.json", noise, ("a", "b"))
    assert read_noise_model(tmp_path / "m.json") == (noise, ("a", "b"))
    assert noise.n_networks == 1
    assert noise.brightness(np.array([0.3])) == noise.usual.brightness(np.array([0.3]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fraction": 1.2}, r"fraction must lie in \[0, 1\], found 1.2"),
        ({"amplitude": -1}, "amplitude must lie in"),
        ({"fraction": "x"}, "fraction: a finite number expected"),
        ({"usual": OutlyingNoise(FixedSNR((1.0,)))}, "its usual noise is outlying too"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        OutlyingNoise(**{"usual": FixedSNR((1.0,)), **changes})


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"name": "outlying"}, "usual missing"),
        ({"name": "outlying", "usual": {"name": "fixd_snr"}}, "did you mean 'fixed_snr'"),
        ({"name": "outlying", "usual": {}, "share": 1}, "unknown key 'share'"),
    ],
)
def test_a_file_that_is_no_such_noise_is_refused(mapping, message):
    with pytest.raises(InputError, match=message):
        OutlyingNoise.from_dict(mapping)
