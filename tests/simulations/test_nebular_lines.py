"""Emission lines: Kennicutt's relations in closed form, medians and scatter of the others."""

import numpy as np
import pytest

from photoz.simulations.nebular_lines import (
    LINES,
    halpha_luminosity,
    line_luminosities,
    log_nii_ratio,
    log_oiii_ratio,
    star_formation_rate,
)


@pytest.fixture(scope="module")
def lines():
    halpha, relative = np.full(20_000, 1e41), np.zeros(20_000)
    drawn = line_luminosities(halpha, relative, 0.1, np.random.default_rng(0))
    return dict(zip(LINES, drawn.T, strict=True))


def test_halpha_from_the_ultraviolet_is_kennicutts():
    # 1 Msun/yr: L_nu = 1 / 1.4e-28 erg/s/Hz and L(H-alpha) = 1 / 7.9e-42 erg/s
    rate = star_formation_rate(np.array([1 / 1.4e-28, 2 / 1.4e-28]))
    np.testing.assert_allclose(rate, [1, 2])
    np.testing.assert_allclose(halpha_luminosity(rate), [1.2658e41, 2.5316e41], rtol=1e-4)


def test_lines_set_by_atomic_physics_do_not_scatter(lines):
    for one, other, ratio in (
        ("Ha", "Hb", 2.86),
        ("Hg", "Hb", 0.468),
        ("Hd", "Hb", 0.259),
        ("[OIII]5007", "[OIII]4959", 2.98),
        ("[NII]6583", "[NII]6548", 3.05),
        ("[SII]6716", "[SII]6731", 1.35),
    ):
        np.testing.assert_allclose(lines[one] / lines[other], ratio, rtol=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "median"),
    [
        ("[OII]3727", "Ha", np.log10(1.2)),
        ("[NII]6583", "Ha", -0.5),
        ("[OIII]5007", "Hb", 0.61 / (-0.5 + 0.08) + 1.1),
    ],
)
def test_observed_ratios_have_their_median_and_scatter(lines, one, other, median):
    ratio = np.log10(lines[one] / lines[other])
    assert np.median(ratio) == pytest.approx(median, abs=0.003)
    assert np.std(ratio) == pytest.approx(0.1, rel=0.03)


def test_ratios_scatter_independently(lines):
    logs = [np.log10(lines[name]) for name in ("[OII]3727", "[OIII]5007", "[NII]6583", "[SII]6716")]
    assert np.abs(np.corrcoef(logs) - np.eye(4)).max() < 0.03


def test_luminous_galaxies_are_metal_rich_and_of_low_excitation():
    nii = log_nii_ratio([-2.0, 0.0, 2.0])
    assert (np.diff(nii) < 0).all() and (np.diff(log_oiii_ratio(nii)) > 0).all()
    far = log_nii_ratio([-50.0, 50.0])  # stays on the sequence, left of its pole at -0.08
    assert (far < -0.3).all() and (log_oiii_ratio(far) < 1).all()
