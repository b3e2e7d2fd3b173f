import numpy as np
import pytest
from scipy.stats import ks_2samp

from photoz.simulations.sky import (
    clustered_fraction,
    draw_redshift_magnitude,
    load_reference,
    load_sky,
    load_template_mix,
)

N = 8566


@pytest.fixture(scope="module")
def drawn():
    return draw_redshift_magnitude(N, np.random.default_rng(1))


def test_redshifts_are_as_clustered_as_the_real_ones(drawn):
    # 44 % for 8566 real galaxies; a smooth n(z) of the same shape would put about 12 % there
    assert clustered_fraction(drawn[0]) == pytest.approx(0.43, abs=0.04)
    rng = np.random.default_rng(2)
    smooth = np.abs(drawn[0] + rng.normal(0.0, 0.03, N))
    assert clustered_fraction(smooth) < 0.2


def test_clustered_fraction_counts_galaxies_in_full_bins():
    redshift = np.concatenate([np.full(20, 0.5004), np.full(19, 0.7001), [0.9]])
    assert clustered_fraction(redshift) == pytest.approx(20 / 40)
    # a redshift that is exactly on an edge, where floats fall short of it, opens the next bin
    assert clustered_fraction(np.full(20, 0.289), minimum=20) == 1.0


def test_draws_follow_the_counts(drawn):
    sky = load_sky()
    real = np.repeat(sky.redshift_edges[:-1] + 0.0005, sky.redshift_counts.astype(int))
    assert len(real) == 8296
    assert ks_2samp(drawn[0], real).pvalue > 1e-3
    magnitudes = sky.magnitude_edges
    expected = sky.magnitude_counts.sum(axis=0)
    counts = np.histogram(drawn[1], magnitudes)[0]
    expected = expected / expected.sum() * N
    chi2 = ((counts - expected) ** 2 / np.maximum(expected, 1)).sum()
    assert chi2 < 2 * len(counts)
    assert drawn[1].max() < 22.5
    assert drawn[0].min() >= 0.01
    assert drawn[0].max() < 1.2


def test_faint_galaxies_are_farther(drawn):
    redshift, magnitude = drawn
    assert np.median(redshift[magnitude > 22]) > np.median(redshift[magnitude < 20.5]) + 0.2


def test_same_seed_same_sky():
    a = draw_redshift_magnitude(50, np.random.default_rng(3))
    b = draw_redshift_magnitude(50, np.random.default_rng(3))
    np.testing.assert_array_equal(a, b)


def test_shipped_numbers_say_where_they_come_from():
    reference = load_reference()
    assert "zCOSMOS" in reference["provenance"]
    assert reference["n"] == int(load_sky().redshift_counts.sum())
    for name, relation in reference["magnitude_errors"].items():
        assert np.all(np.diff(relation["magnitude"]) > 0), name
        assert np.all(np.array(relation["log10_error_p16"]) <= relation["log10_error_p84"]), name


def test_template_mix_is_redder_for_bright_galaxies():
    mix = load_template_mix()
    assert mix.template_counts.sum() == pytest.approx(load_sky().redshift_counts.sum(), abs=5)
    early = mix.template_counts[3:6, :, :8].sum(axis=(0, 2))
    share = early / mix.template_counts[3:6].sum(axis=(0, 2))
    assert share[0] > share[-1] + 0.1
