from pathlib import Path

import numpy as np
import pytest
import torch

from photoz.metrics import outlier_test as module
from photoz.metrics.outlier_test import METHODS, OutlyingNoise, disturbed_band, outlier_test
from photoz.survey.noise import FixedSNR, NumpyDraws
from photoz.survey.survey import load_survey

SURVEYS = Path(__file__).parents[2] / "config" / "surveys"
BROAD = load_survey(SURVEYS / "cosmos_broadband.yaml")
PAUS = load_survey(SURVEYS / "paus.yaml")


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


def test_flux_is_added_in_the_bluest_broad_band():
    assert disturbed_band(PAUS.bands) == disturbed_band(BROAD.bands) == "u"
    assert disturbed_band(PAUS.bands.subset(PAUS.bands.names[:40])) == "NB455"


def test_ellipticals_are_of_all_eight_templates_at_their_redshifts():
    rng = np.random.default_rng(3)
    flux, redshift = module._ellipticals(BROAD.bands, 60, rng)
    assert (flux > 0).all() and redshift.min() > 0.02
    colour = -2.5 * np.log10(flux[:, 1] / flux[:, 4])
    assert colour[redshift > 0.6].mean() > colour[redshift < 0.4].mean() + 0.5


def test_a_wrong_flux_misleads_the_template_fit():
    table = outlier_test(
        BROAD, n_galaxies=400, steps=3, redshift_step=0.01, seed=1, added=(0.0, 0.5)
    )
    assert table["method"].tolist() == list(METHODS) * 2
    assert (table["n"] == 80).all() and (table["band"] == "u").all()
    fit = table[table["method"] == "Template fit"].set_index("added")["strict_outliers"]
    assert fit[0.5] > fit[0.0] + 0.1
    again = outlier_test(BROAD, n_galaxies=400, steps=3, redshift_step=0.01, seed=1, added=(0.0,))
    assert table["sigma68"][:3].tolist() == again["sigma68"].tolist()
