"""Denoised errors against cases where they are known."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from photoz.files import InputError
from photoz.metrics.denoising import (
    bands_with_lines,
    broad_band_table,
    correlation,
    measure,
    paper_noise,
    typical_galaxy,
)
from photoz.metrics.denoising_example import SHOWN_REDSHIFTS, single_template_example
from photoz.networks.config import NetworkConfig
from photoz.networks.transform import FluxRatio
from photoz.survey.bands import Band, BandSet
from photoz.survey.noise import FixedSNR
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.config import PretrainingConfig

ROOT = Path(__file__).parents[2]
SURVEY = load_survey(ROOT / "config" / "surveys" / "paus.yaml")


class Shrinking(torch.nn.Module):
    """An "autoencoder" whose reconstruction is a known function of its input."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.config = SimpleNamespace(features=3)
        self.n_networks, self.n_bands = 1, 3
        self.photoz = SimpleNamespace(output=SimpleNamespace(weight=torch.zeros(1)))

    def features(self, x):
        return x

    def reconstruct(self, x):
        return self.function(x)


def box(name, centre, kind="narrow", width=130.0):
    half = width / 2
    nodes = centre + np.array([-half - 1, -half, half, half + 1])
    return Band(name, kind, nodes, np.array([0.0, 1.0, 1.0, 0.0]))


BANDS = BandSet((box("N1", 5000.0), box("N2", 6000.0), box("i", 7600.0, "broad", 1500.0)))
N = 20_000


def measured(function, snr=(10.0, 10.0, 35.0), n=N, seed=0):
    trained = TrainedNetworks(Shrinking(function), FluxRatio(BANDS.names, "i"))
    rng = np.random.default_rng(seed)
    return measure(trained, BANDS, np.ones((n, 3)), rng.uniform(0, 1, n), FixedSNR(snr), rng)


def test_the_identity_keeps_all_errors_and_adds_none_in_the_reference_band():
    table = measured(lambda x: x).table.set_index("band")
    # sigma68 of a normal distribution is 0.9986 of its standard deviation
    assert table.loc[["N1", "N2"], "ratio"].to_numpy() == pytest.approx([1, 1], rel=0.03)
    assert table.loc["i", "ratio"] < 1e-5
    assert table.loc["N1", "ratio_error"] == pytest.approx(0.009, rel=0.5)


def test_a_reconstruction_that_halves_the_noise_halves_the_error():
    # around 1, the true ratio, up to the noise of the reference band of 1 / 35
    halved = measured(lambda x: 1 + 0.5 * (x - 1), (10.0, 10.0, 1e6)).table
    assert halved["ratio"][:2].to_numpy() == pytest.approx([0.5, 0.5], rel=0.03)


def test_an_error_of_the_reconstruction_counts_in_the_reference_band():
    def shake(x):
        offset = 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        return x + offset * torch.tensor([0.0, 0.0, 1.0])

    # 0.02 over the flux error of 1 / 35
    table = measured(shake).table
    assert table["ratio"][2] == pytest.approx(0.02 * 35, rel=0.04)


def test_errors_from_the_other_band_are_correlated():
    mean = measured(lambda x: x.mean(-1, keepdim=True).expand_as(x), (10.0, 10.0, 1e6))
    np.testing.assert_allclose(mean.correlation, np.ones((3, 3)), atol=1e-3)
    alone = measured(lambda x: x, (10.0, 10.0, 1e6))
    assert abs(alone.correlation[0, 1]) < 0.03


def test_a_few_outliers_do_not_decide_a_correlation():
    rng = np.random.default_rng(1)
    pull = rng.standard_normal((5000, 2))
    pull[:3] = 1e4
    assert np.corrcoef(pull, rowvar=False)[0, 1] > 0.99
    assert abs(correlation(pull)[0, 1]) < 0.05


def test_lines_fall_in_bands_where_they_are_redshifted_to():
    redshift = np.array([0.0, 5000 / 3726.8 - 1, 6000 / 5007 - 1, 0.02])
    found = bands_with_lines(BANDS, redshift)
    assert found[:, 0].tolist() == [True, True, False, True]  # [OIII] at 0 and 0.02
    assert found[:, 1].tolist() == [False, False, True, False]
    # the band's edge, half-way up its side
    edge = 5065.5 / 3726.8 - 1
    assert bands_with_lines(BANDS, np.array([edge - 1e-4, edge + 3e-4]))[:, 0].tolist() == [
        True,
        False,
    ]


def test_bands_without_lines_are_measured_without_them():
    def smooth(x):
        return 1 + 0.3 * (x - 1)

    table = measured(smooth, (10.0, 10.0, 1e6)).table
    assert table["ratio_no_lines"][0] == pytest.approx(0.3, rel=0.05)
    assert 0 < table["line_fraction"][0] < table["line_fraction"][2] <= 1


def test_the_broad_bands_stand_beside_the_papers_numbers():
    table = pd.DataFrame(
        {
            "band": SURVEY.bands.names,
            "kind": [band.kind for band in SURVEY.bands],
            "ratio": np.arange(46.0),
            "noise": "SNR 10 and 35",
        }
    )
    broad = broad_band_table(table, SURVEY.bands)
    assert broad["band"].tolist() == list("uBVriz")
    assert broad["paper"].tolist() == [1.04, 0.72, 0.66, 0.61, 0.22, 0.97]
    assert broad["ratio"].tolist() == list(range(40, 46))
    assert broad_band_table(table.assign(noise="other"), SURVEY.bands)["paper"].isna().all()
    # six broad bands alone are another network than the paper's
    alone = BandSet(tuple(band for band in SURVEY.bands if band.kind == "broad"))
    assert broad_band_table(table[40:].assign(noise="SNR 35"), alone)["paper"].isna().all()


def test_the_papers_noise_by_survey():
    assert paper_noise(SURVEY.bands)[0] == "SNR 10 and 35"
    label, noise = paper_noise(BandSet(SURVEY.bands.bands[40:]))
    assert label == "SNR 35" and set(noise.snr) == {35.0}


def test_the_typical_galaxy_has_the_median_error():
    pull = np.array([[9.0], [0.1], [3.0], [2.0], [1.0]])
    redshift = np.array([0.1, 0.5, 0.5, 0.5, 0.9])
    assert typical_galaxy(pull, redshift, (0.3, 0.8)) == 3
    with pytest.raises(InputError, match=r"no galaxy between redshift 2 and 3"):
        typical_galaxy(pull, redshift, (2, 3))


def test_an_example_is_one_galaxy_of_the_template_in_every_band():
    network = NetworkConfig(
        encoder_layers=1, decoder_layers=1, photoz_layers=1, width=8, undropped_layers=1
    )
    training = PretrainingConfig(steps=3, batch_size=50)
    example = single_template_example(SURVEY, network, training, seed=2)
    again = single_template_example(SURVEY, network, training, seed=2)
    pd.testing.assert_frame_equal(example, again)
    assert example["band"].tolist() == list(SURVEY.bands.names)
    assert SHOWN_REDSHIFTS[0] <= example["redshift"][0] <= SHOWN_REDSHIFTS[1]
    pull = (example["input"] - example["true"]) / example["error"]
    assert 0.6 < pull[:40].std() < 1.4
    snr = example["true"] / example["error"]
    assert snr[:40].to_numpy() == pytest.approx(10) and snr[40:44].to_numpy() == pytest.approx(35)
    assert example.loc[44, ["true", "input"]].tolist() == [1, 1]


def test_unusable_input():
    with pytest.raises(InputError, match="20 galaxies; at least 50"):
        measured(lambda x: x, n=20)
    trained = TrainedNetworks(Shrinking(lambda x: x), FluxRatio(("a", "b", "i"), "i"))
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="the survey has other bands than expected"):
        measure(trained, BANDS, np.ones((99, 3)), np.ones(99), FixedSNR((9.0,) * 3), rng)
    blind = TrainedNetworks(Shrinking(lambda x: x), FluxRatio(BANDS.names, "i"))
    blind.network.config.features = 0
    with pytest.raises(InputError, match="no autoencoder"):
        measure(
            blind,
            BANDS,
            np.ones((99, 3)),
            np.ones(99),
            FixedSNR((9.0,) * 3),
            np.random.default_rng(0),
        )
