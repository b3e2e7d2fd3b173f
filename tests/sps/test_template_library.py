import zipfile

import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.template_library import (
    EMISSION_LINES,
    build_template_library,
    line_luminosities,
    load_template_library,
)


@pytest.fixture(scope="module")
def library():
    return load_template_library()


def test_the_31_templates_from_early_to_late(library):
    assert len(library) == 31
    assert library.names[0] == "Ell1_A_0"
    assert library.names[-1] == "SB11_A_0"
    assert np.isfinite(library.f_lambda).all()
    assert (library.f_lambda >= 0).all()
    assert (np.diff(library.wavelength) > 0).all()
    assert library.wavelength[0] < 1250 < 24000 < library.wavelength[-1]
    assert "MIT License" in library.provenance["licence"]


def mean_f_nu(library, low, high):
    inside = (library.wavelength > low) & (library.wavelength < high)
    return (library.f_lambda * library.wavelength**2)[:, inside].mean(axis=1)


def test_break_at_4000_A_weakens_along_the_sequence(library):
    # D4000 of Balogh et al. (1999): about 1.8-2 in ellipticals, 1-1.2 in starbursts
    d4000 = mean_f_nu(library, 4000, 4100) / mean_f_nu(library, 3850, 3950)
    assert (d4000[:7] > 1.5).all()
    assert (d4000[-6:] < 1.2).all()
    for family in (slice(8, 19), slice(19, 31)):  # spirals, starbursts
        assert (np.diff(d4000[family]) < 0).all()


def test_oii_of_a_flat_spectrum_is_the_closed_form(library):
    # F([OII]) = 1.23e13 Hz f_nu; in f_lambda: f_nu lambda^-2 c, so the width is 1.23e13 l^2 / c
    width = line_luminosities(library)[:, 1] / np.array(
        [np.interp(2300.0, library.wavelength, f) for f in library.f_lambda]
    )
    np.testing.assert_allclose(width, 1.23e13 * 2300.0**2 / 2.99792458e18, rtol=1e-12)


def test_line_ratios_are_those_of_the_recipe(library):
    ratio = {line.name: line.ratio for line in EMISSION_LINES}
    assert ratio["Ha"] / ratio["Hb"] == pytest.approx(2.9, abs=0.05)  # case B, no dust
    assert ratio["[OIII]5007"] / ratio["[OIII]4959"] == pytest.approx(3.0)
    assert ratio["[NII]6583"] == pytest.approx(0.35 * ratio["Ha"])


def test_resampling_is_linear_and_zero_outside(library):
    nodes = library.wavelength[[100, 101]]
    middle = library.resample(np.array([nodes.mean(), 100.0]))
    np.testing.assert_allclose(middle[:, 0], library.f_lambda[:, 100:102].mean(axis=1))
    assert (middle[:, 1] == 0).all()


def make_wheel(path, names=("A_0.sed", "B_0.sed")):
    folder = "rail/examples_data/estimation_data/data/SED/"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(folder + "COSMOS_seds.list", "\n".join(names))
        wheel.writestr("pz.dist-info/licenses/LICENSE", "MIT License")
        for k, name in enumerate(names):
            rows = [(500.0, 1), (1000, 1 + k), (1000, 1 + k), (2000, 2 + k), (30000, 0)]
            wheel.writestr(folder + name, "\n".join(f"{w} {f}" for w, f in rows))


def test_building_cuts_and_drops_repeated_wavelengths(tmp_path):
    make_wheel(tmp_path / "toy.whl")
    build_template_library(tmp_path / "toy.whl", tmp_path / "toy.npz")
    read = load_template_library(tmp_path / "toy.npz")
    assert read.names == ("A_0", "B_0")
    np.testing.assert_array_equal(read.wavelength, [1000, 2000])
    np.testing.assert_array_equal(read.f_lambda, [[1, 2], [2, 3]])


def test_bad_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.npz"):
        load_template_library(tmp_path / "absent.npz")
    text = tmp_path / "text.npz"
    text.write_text("no templates")
    with pytest.raises(InputError, match="not a template library"):
        load_template_library(text)
    other = tmp_path / "other.npz"
    np.savez(other, names=np.array(["a"]), wavelength=np.arange(3.0))
    with pytest.raises(InputError, match="f_lambda"):
        load_template_library(other)
    np.savez(
        other,
        names=np.array(["a"]),
        wavelength=np.arange(3.0),
        f_lambda=np.ones((2, 3)),
        provenance=np.array("{}"),
    )
    with pytest.raises(InputError, match="shape"):
        load_template_library(other)
