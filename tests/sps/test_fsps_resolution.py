"""Libraries that are too coarse for narrow bands are refused, those that are used are not."""

import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.fsps import Installation, check_resolution
from photoz.sps.fsps.resolution import read_resolution, unresolved_share
from photoz.survey.bands import Band, BandSet
from tests.sps.fsps_stub import SIZES, write_home


def installation(home):
    return Installation("0.5.0", "mist", "miles", "DL07", home, **SIZES)


def test_the_finer_of_sampling_and_resolution_does_not_count(tmp_path):
    coarse = installation(write_home(tmp_path / "a", resolving=50.0))
    wavelength, width = read_resolution(coarse)
    np.testing.assert_allclose(width, wavelength / 50.0, rtol=1e-4)
    sampled = installation(write_home(tmp_path / "b", resolving=5000.0))
    wavelength, width = read_resolution(sampled)
    np.testing.assert_allclose(width[5:-5], 2 * wavelength[5:-5] * np.log(30) / 2000, rtol=1e-3)


def test_a_constant_resolving_power_has_a_closed_form(bands):
    """At R = 100, as C3K_LR, a 13 nm band is unresolved beyond 4300 A at every redshift."""
    wavelength = np.geomspace(1000, 20000, 2000)
    assert unresolved_share(wavelength, wavelength / 100, bands, 1.2) == 1.0
    assert unresolved_share(wavelength, wavelength / 1000, bands, 1.2) == 0.0
    one = BandSet((Band("N", "narrow", np.array([5950.0, 6050.0]), np.array([1.0, 1.0])),))
    width = np.full_like(wavelength, 20.0)  # 20 (1 + z) > 100 / 3 beyond z = 2 / 3
    share = unresolved_share(wavelength, width, one, 1.0)
    assert share == pytest.approx(1 / 3, abs=0.03)


def test_miles_passes_and_c3k_lr_does_not(tmp_path, bands):
    """MILES as FSPS has it: 2.5 A from 3540 to 7410 A, 40 A on both sides."""
    home = write_home(tmp_path / "home", resolving=100.0)
    with pytest.raises(InputError, match=r"too coarse: 66 A wide at 6563 A.* 100 % of the bands"):
        check_resolution(installation(home), bands, 1.2)
    wavelength = np.arange(1000.0, 12000.0)
    width = np.where((wavelength > 3540) & (wavelength < 7410), 2.5, 40.0)
    assert 0.1 < unresolved_share(wavelength, width, bands, 1.2) < 0.5


def test_a_short_table_is_named(tmp_path, bands):
    home = write_home(tmp_path / "home")
    path = home / "SPECTRA/MILES/miles.res"
    path.write_text("1.0\n2.0\n")
    with pytest.raises(InputError, match=r"miles\.res: 2 numbers, 2000 expected"):
        check_resolution(installation(home), bands, 1.2)
    path.write_text("one\n" * 2000)
    with pytest.raises(InputError, match=r"miles\.res: not a column of numbers"):
        check_resolution(installation(home), bands, 1.2)
