"""Counts of real galaxies per template: one column for each template of the library."""

import numpy as np
import pytest

from photoz.simulations import reference
from photoz.simulations.sky import load_template_mix
from photoz.simulations.template_mock import COLOUR_EXCESSES
from photoz.sps.template_library import load_template_library


def counted(n_templates, n=500):
    """Content of the sky file for galaxies with random best templates."""
    rng = np.random.default_rng(4)
    real = {"redshift": rng.uniform(0.02, 1.19, n), "magnitude": rng.uniform(19, 22.4, (n, 6))}
    template = np.r_[0, n_templates - 1, rng.integers(0, n_templates, n - 2)]
    excess = rng.integers(0, len(COLOUR_EXCESSES), n)
    return reference.sky_content(real, template, excess)["template_mix"], template, excess


def test_the_shipped_counts_are_those_of_the_shipped_library():
    mix = load_template_mix()
    n = len(load_template_library())
    assert mix.template_counts.shape[2] == n
    assert mix.colour_excess_counts.shape == (n, len(COLOUR_EXCESSES))


@pytest.mark.parametrize("n_templates", [31, 33])
def test_every_template_of_the_library_is_counted(monkeypatch, n_templates):
    library = [f"template {k}" for k in range(n_templates)]
    monkeypatch.setattr(reference, "load_template_library", lambda: library)
    mix, template, excess = counted(n_templates)
    counts = np.array(mix["template_counts"])
    assert counts.shape[2] == n_templates
    np.testing.assert_array_equal(counts.sum((0, 1)), np.bincount(template))
    dust = np.array(mix["colour_excess_counts"])
    np.testing.assert_array_equal(dust.sum(1), np.bincount(template))
    np.testing.assert_array_equal(dust.sum(0), np.bincount(excess))
