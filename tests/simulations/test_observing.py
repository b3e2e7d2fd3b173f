from dataclasses import replace

import numpy as np
import pytest

from photoz.files import InputError
from photoz.simulations.observing import (
    ObservingConfig,
    broad_magnitude_error,
    exposure_counts,
    observe,
    observe_narrow,
)
from photoz.simulations.sky import load_reference
from photoz.survey.survey import ExposurePlan

QUIET = ObservingConfig(
    outlier_fraction=0.0, zero_point_error=0.0, scale_scatter=0.0, exposure_error_scatter=0.0
)
PLAN = ExposurePlan(nominal=5, minimum=3, maximum=10)


def flat(n, magnitude, bands):
    return np.full((n, len(bands)), 10 ** (-0.4 * magnitude))


def test_exposures_lie_between_three_and_ten_and_share_the_sky():
    rng = np.random.default_rng(1)
    counts = exposure_counts(4000, 40, PLAN, ObservingConfig(), rng)
    assert counts.min() == 3
    assert counts.max() <= 10
    assert counts.mean() == pytest.approx(5.0, abs=0.15)
    correlation = np.corrcoef(counts.T)
    assert correlation[0, 5] > 0.5  # one tray
    assert abs(correlation[0, 20]) < 0.15  # another


def test_five_exposures_reach_the_depth_of_the_survey(paus):
    plan = ExposurePlan(nominal=5, minimum=5, maximum=5)
    config = replace(QUIET, error_floor=0.0, sky_magnitude=5.0)
    survey = replace(paus, exposures=plan)
    maggies = 10 ** (-0.4 * np.where(np.isfinite(paus.depth), paus.depth, 22.0))
    catalogue = observe(
        np.tile(maggies, (400, 1)), np.full(400, 0.5), survey, config, np.random.default_rng(2)
    )
    narrow = paus.bands.is_narrow
    snr = (catalogue.flux / catalogue.error)[:, narrow].mean(axis=0)
    np.testing.assert_allclose(snr, 5.0, rtol=0.06)
    scatter = catalogue.flux[:, narrow].std(axis=0) / catalogue.error[:, narrow].mean(axis=0)
    np.testing.assert_allclose(scatter, 1.0, atol=0.15)
    # the survey's own statement: 22.9 in the blue, 22.2 at 8450 A
    assert paus.depth[0] == pytest.approx(22.9, abs=0.01)
    assert paus.depth[39] == pytest.approx(22.2, abs=0.01)


def test_uneven_exposures_keep_the_depth_on_average():
    plan = ExposurePlan(nominal=5, minimum=5, maximum=5)
    rng = np.random.default_rng(3)
    config = replace(QUIET, exposure_error_scatter=0.2, sky_magnitude=5.0)
    _, error, _ = observe_narrow(flat(4000, 25, range(2)), np.full(2, 22.5), plan, config, rng)
    coadd_error = (error**-2.0).sum(axis=-1) ** -0.5
    assert np.median(coadd_error) * 5 == pytest.approx(10 ** (-0.4 * 22.5), rel=0.01)


def test_bright_sources_add_their_own_photons():
    rng = np.random.default_rng(4)
    depth, config = np.array([22.5]), replace(QUIET, sky_magnitude=19.5)
    _, faint, _ = observe_narrow(flat(1, 30, depth), depth, PLAN, config, rng)
    _, equal, _ = observe_narrow(flat(1, 19.5, depth), depth, PLAN, config, rng)
    assert equal[0, 0, 0] == pytest.approx(np.sqrt(2) * faint[0, 0, 0], rel=1e-3)


def test_floor_enters_the_coadd_but_not_the_exposures(paus):
    rng = np.random.default_rng(5)
    catalogue = observe(flat(50, 17.0, paus.bands), np.full(50, 0.1), paus, QUIET, rng)
    relative = (catalogue.error / catalogue.flux)[:, :40]
    assert relative.min() > 0.015
    weight = np.nansum(catalogue.exposures.error.astype(float) ** -2, axis=-1) ** -0.5
    expected = np.hypot(weight, 0.015 * catalogue.flux[:, :40])
    np.testing.assert_allclose(catalogue.error[:, :40], expected, rtol=1e-4)


def test_outliers_are_as_many_and_as_large_as_stated():
    config = replace(QUIET, outlier_fraction=0.05, outlier_amplitude=8.0)
    depth = np.full(40, 22.5)
    clean = observe_narrow(flat(2000, 25, depth), depth, PLAN, QUIET, np.random.default_rng(6))
    flux, error, outlier = observe_narrow(
        flat(2000, 25, depth), depth, PLAN, config, np.random.default_rng(6)
    )
    taken = np.isfinite(flux)
    assert outlier[taken].mean() == pytest.approx(0.05, rel=0.03)
    assert not outlier[~taken].any()
    size = (flux - 10 ** (-0.4 * 25)) / error
    assert np.median(np.abs(size[outlier])) == pytest.approx(8.0, rel=0.05)
    assert (size[outlier] > 0).mean() == pytest.approx(config.outlier_positive, abs=0.02)
    # errors do not know: the same distribution as without outliers
    assert np.nanmean(error) == pytest.approx(np.nanmean(clean[1]), rel=1e-6)


def test_zero_points_are_per_band_and_scales_per_galaxy(paus):
    maggies = flat(300, 15.0, paus.bands)  # so bright that noise vanishes
    config = replace(QUIET, zero_point_error=0.02, scale_scatter=0.04, sky_magnitude=0.0)
    catalogue = observe(maggies, np.full(300, 0.1), paus, config, np.random.default_rng(7))
    ratio = catalogue.flux / (maggies * 10 ** (0.4 * 26))
    zero_points = np.median(ratio, axis=0)
    assert zero_points[:40].std() == pytest.approx(0.02, rel=0.4)
    scale = (ratio / zero_points)[:, :40].mean(axis=1)
    np.testing.assert_allclose(scale / scale.mean(), catalogue.truth["narrow_scale"], rtol=0.02)
    assert np.log(catalogue.truth["narrow_scale"]).std() == pytest.approx(0.04, rel=0.15)


def test_broad_errors_follow_the_real_relation():
    relation = load_reference()["magnitude_errors"]["B"]
    magnitude = np.full(5000, relation["magnitude"][4])
    errors = broad_magnitude_error(magnitude, "B", 4400.0, np.random.default_rng(8))
    logs = np.percentile(np.log10(errors), [16, 50, 84])
    expected = [relation[f"log10_error_p{p}"][4] for p in (16, 50, 84)]
    np.testing.assert_allclose(logs, expected, atol=0.01)


def test_a_band_outside_the_reference_borrows_from_its_neighbour_in_wavelength():
    magnitude = np.full(10, 22.0)
    a = broad_magnitude_error(magnitude, "g_prime", 4500.0, np.random.default_rng(9))
    b = broad_magnitude_error(magnitude, "B", 4500.0, np.random.default_rng(9))
    np.testing.assert_array_equal(a, b)


def test_errors_beyond_the_data_grow_as_fixed_flux_noise():
    last = load_reference()["magnitude_errors"]["u"]["magnitude"][-1]
    rng = np.random.default_rng(10)
    near = broad_magnitude_error(np.full(4000, last), "u", 3800.0, rng)
    far = broad_magnitude_error(np.full(4000, last + 1.0), "u", 3800.0, rng)
    assert np.median(far) / np.median(near) == pytest.approx(10**0.4, rel=0.03)


def test_a_survey_without_narrow_bands_has_no_exposures(broad_only):
    catalogue = observe(
        flat(5, 20.0, broad_only.bands),
        np.full(5, 0.3),
        broad_only,
        ObservingConfig(),
        np.random.default_rng(11),
    )
    assert catalogue.exposures is None
    assert np.isfinite(catalogue.flux).all()


def test_mistakes_are_named(paus):
    with pytest.raises(InputError, match="outlier_fraction"):
        ObservingConfig(outlier_fraction=1.5)
    with pytest.raises(InputError, match="error_floor"):
        ObservingConfig(error_floor=-0.1)
    for amplitude in (2.9, 31.0):
        with pytest.raises(InputError, match=r"outlier_amplitude must lie in \[3, 30\]"):
            ObservingConfig(outlier_amplitude=amplitude)
    with pytest.raises(InputError, match="tray_size"):
        ObservingConfig(tray_size=0)
    bad = flat(3, 20.0, paus.bands)
    bad[1, 4] = np.nan
    with pytest.raises(InputError, match=r"galaxy 1 .*0\.2500"):
        observe(bad, np.full(3, 0.25), paus, QUIET, np.random.default_rng(12))
    depth = paus.depth.copy()
    depth[3] = np.nan
    with pytest.raises(InputError, match="NB485"):
        observe(
            flat(3, 20.0, paus.bands),
            np.full(3, 0.25),
            replace(paus, depth=depth),
            QUIET,
            np.random.default_rng(13),
        )
