"""Simulated galaxies seen through a noise model."""

import numpy as np
import pytest

from photoz.simulations.noisy_sample import noisy_sample
from photoz.simulations.simulation import Simulation
from photoz.survey.noise import SurveyDepth


def test_the_noise_model_gives_the_brightness_and_the_simulation_the_colours(paus):
    """A simulation that is a hundred times brighter gives the same sample."""
    model = SurveyDepth.for_survey(paus, bright=19, faint=21)
    rng = np.random.default_rng(0)
    flux = rng.uniform(1, 2, (300, len(paus.bands))).astype(np.float32)
    redshift = rng.uniform(0, 1, 300)
    samples = [
        noisy_sample(Simulation(scale * flux, redshift, paus.bands.names, {}), model, paus, 3, 200)
        for scale in (np.float32(1), np.float32(128))
    ]
    np.testing.assert_array_equal(samples[0].flux, samples[1].flux)
    sample = samples[0]
    assert len(sample) == 200 and sample.zero_point == paus.zero_point
    assert 18.9 < sample.mag_i.min() < sample.mag_i.max() < 21.2
    ratio = sample.flux / sample.flux[:, [paus.reference_index]]
    true = flux[:200] / flux[:200, [paus.reference_index]]
    relative = sample.error / sample.flux
    error = true * np.hypot(relative, relative[:, [paus.reference_index]])
    others = np.arange(len(paus.bands)) != paus.reference_index
    assert np.std(((ratio - true) / error)[:, others]) == pytest.approx(1, abs=0.05)
