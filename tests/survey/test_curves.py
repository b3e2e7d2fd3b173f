import csv
from importlib import resources

import numpy as np
import pytest
from scipy.optimize import curve_fit

from photoz.files import InputError
from photoz.survey.curves import (
    erf_band,
    oxygen_a_band,
    paus_narrow_bands,
    read_curve,
    sedpy_band,
)


@pytest.fixture(scope="module")
def narrow():
    return {band.name: band for band in paus_narrow_bands()}


def test_forty_bands_with_published_centres_widths_and_peaks(narrow):
    assert list(narrow) == [f"NB{10 * k + 455}" for k in range(40)]
    for name, band in narrow.items():
        assert abs(band.mean_wavelength - 10 * float(name[2:])) < 10
        above = band.wavelength[band.transmission > band.transmission.max() / 2]
        assert 115 < np.ptp(above) < 138
        assert band.kind == "narrow"
    for name, peak in {"NB455": 0.42, "NB555": 0.53, "NB705": 0.59, "NB845": 0.57}.items():
        assert narrow[name].transmission.max() == pytest.approx(peak, abs=0.01)


def test_half_maximum_is_where_the_table_says(narrow):
    text = (resources.files("photoz.data") / "paus_narrow_bands.csv").read_text()
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    for row in rows:
        if row["telluric"] == "0":
            for edge in (float(row["blue_half"]), float(row["red_half"])):
                half = narrow[row["band"]].response(edge)
                assert half == pytest.approx(float(row["peak"]) / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "published", "residual"),
    [
        ("NB755", (0.5792, 7487.7, 7606.3, 22.957), 0.0183),
        ("NB765", (0.48864, 7589.8, 7724.0, 23.597), 0.0529),
    ],
)
def test_a_band_accounts_for_what_a_fit_without_it_absorbed(narrow, name, published, residual):
    """Fitting our notched bands as the measured ones were fitted returns the fitted numbers."""
    w = np.arange(published[1] - 90, published[2] + 90, 1.0)
    response = narrow[name].response(w)
    fitted, _ = curve_fit(erf_band, w, response, p0=published)
    assert fitted[0] == pytest.approx(published[0], abs=0.005)
    np.testing.assert_allclose(fitted[1:], published[1:], atol=1.2)
    rms = np.sqrt(np.mean((response - erf_band(w, *fitted)) ** 2))
    assert rms == pytest.approx(residual, abs=0.006)


def test_a_band_is_local():
    w = np.array([7000.0, 7580, 7605, 7650, 7720, 9000])
    t = oxygen_a_band(w)
    np.testing.assert_allclose(t[[0, 1, 4, 5]], 1, atol=2e-3)
    assert t[2] == pytest.approx(0.55, abs=0.01)
    assert t[2] < t[3] < 1


def test_sedpy_suggests():
    with pytest.raises(InputError, match="did you mean 'subaru_suprimecam_ip'"):
        sedpy_band("i", "broad", "subaru_suprimecam_i+")


def write(path, text):
    path.write_text(text)
    return path


def test_formats_and_units_give_the_same_band(tmp_path):
    expected = read_curve(
        write(tmp_path / "a.dat", "# comment\n4000 0\n4500 0.8\n5000 0\n"), "x", "broad"
    )
    assert expected.wavelength.tolist() == [4000, 4500, 5000]
    others = [
        read_curve(
            write(tmp_path / "a.csv", "wavelength,t\n400,0\n450,0.8\n500,0\n"), "x", "broad", "nm"
        ),
        read_curve(
            # descending, padded with zeros, micron
            write(tmp_path / "a.par", "0.6 0\n0.5 0\n0.45 .8\n0.4 0\n0.39 0\n"),
            "x",
            "broad",
            "micron",
        ),
        read_curve(
            write(
                tmp_path / "a.ecsv",
                "# %ECSV 1.0\n# ---\n# datatype:\n"
                "# - {name: w, unit: nm, datatype: float64}\n# - {name: t, datatype: float64}\n"
                "w t\n400.0 0.0\n450.0 0.8\n500.0 0.0\n",
            ),
            "x",
            "broad",
        ),
    ]
    for other in others:
        np.testing.assert_allclose(other.wavelength, expected.wavelength)
        np.testing.assert_allclose(other.transmission, expected.transmission)


def test_energy_response_becomes_photon_response(tmp_path):
    path = write(tmp_path / "a.dat", "4000 1\n5000 1\n6000 1\n")
    band = read_curve(path, "x", "broad", response="energy")
    ratio = band.transmission * band.wavelength
    np.testing.assert_allclose(ratio, ratio[0])
    assert band.transmission[1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.dat", "4000 0\n4500 oops\n5000 0\n", {}, "line 2: two numbers expected"),
        ("a.dat", "4000\n4500\n", {}, "line 2"),
        ("a.dat", "4000 0\n4500 1\n4500 0\n", {}, "ascending"),
        ("a.dat", "400 0\n450 1\n500 0\n", {}, "set wavelength_unit"),
        ("a.dat", "4000 0\n4500 1\n5000 -0.5\n", {}, "negative response"),
        ("a.dat", "4000 0\n4500 nan\n5000 1\n", {}, "not finite"),
        ("a.dat", "# nothing\n", {}, "a.dat"),
        ("a.dat", "", {}, "empty"),
        ("a.fits", "x", {}, "cannot read '.fits'"),
        ("a.dat", "4000 0\n4500 1\n", {"wavelength_unit": "kg"}, "not a length"),
        ("a.dat", "4000 0\n4500 1\n", {"response": "counts"}, "'photon' or 'energy'"),
        ("a.ecsv", "4000 0\n4500 1\n", {}, "ECSV"),
    ],
)
def test_broken_curve_files(tmp_path, name, text, options, message):
    with pytest.raises(InputError, match=message):
        read_curve(write(tmp_path / name, text), "x", "broad", **options)


def test_absent_curve_file(tmp_path):
    with pytest.raises(InputError, match="not found"):
        read_curve(tmp_path / "no.dat", "x", "broad")


def test_ecsv_unit_may_not_contradict_the_survey(tmp_path):
    text = (
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: w, unit: nm, datatype: float64}\n"
        "# - {name: t, datatype: float64}\nw t\n400.0 0.0\n450.0 0.8\n"
    )
    with pytest.raises(InputError, match="remove the wrong one"):
        read_curve(write(tmp_path / "a.ecsv", text), "x", "broad", "micron")
