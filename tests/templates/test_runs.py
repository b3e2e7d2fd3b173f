import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.template_library import load_template_library
from photoz.templates import ModelConfig, Run, elliptical_run, published_runs
from photoz.templates.spectra import run_spectra
from photoz.templates.standins import population_spectra


def test_the_35_runs_are_those_of_bcnz2():
    runs = published_runs()
    assert len(runs) == len({run.name for run in runs}) == 35
    short = [tuple(name.removesuffix("_A_0") for name in run.templates) for run in runs]
    assert short[0] == ("Ell1", "Ell2", "Ell3", "Ell4", "Ell5", "Ell6")
    assert short[1] == ("Ell6", "Ell7", "S0", "Sa", "Sb", "Sc")
    assert short[2] == ("Sc", "Sd", "Sdm", "SB0", "SB1", "SB2")
    assert short[3] == tuple(f"SB{i}" for i in range(2, 12))
    assert len(short[4]) == 6
    assert all(names == tuple(f"SB{i}" for i in range(4, 12)) for names in short[5:])
    assert [run.lines for run in runs] == [False, False, True, True, False] + 30 * [True]
    assert [run.colour_excess for run in runs[:5]] == 5 * [0.0]
    assert [run.colour_excess for run in runs[5:15]] == pytest.approx(np.arange(1, 11) * 0.05)
    laws = [run.law for run in runs[5:]]
    assert laws == 10 * ["calzetti"] + 10 * ["calzetti_bump1"] + 10 * ["calzetti_bump2"]


def test_every_template_of_every_run_exists():
    names = set(load_template_library().names)
    for run in (*published_runs(), *elliptical_run()):
        if run.name == "populations":
            population_spectra(run.templates)
        else:
            assert names.issuperset(run.templates)
    assert len(elliptical_run()[0].templates) == 8


def test_free_lines_are_two_templates_with_the_ratios_of_the_recipe():
    spectra = run_spectra(published_runs()[3], "free")
    assert spectra.names[-2:] == ("lines", "[OIII]")
    assert not spectra.lines[:-2].any()
    others, oxygen = spectra.lines[-2:]
    oii, ha = others[1], others[6]
    assert ha / oii == pytest.approx(1.77)
    assert others[[7, 5]] / ha == pytest.approx([0.35, 0.105])  # [NII] 6583, 6548
    assert not others[[3, 4]].any()
    assert np.flatnonzero(oxygen).tolist() == [3, 4]
    assert oxygen[4] / oxygen[3] == pytest.approx(3.0)


def test_tied_and_fixed_lines_follow_the_ultraviolet():
    run = published_runs()[3]
    tied, fixed = run_spectra(run, "tied"), run_spectra(run, "fixed")
    assert tied.names == (*run.templates, "[OIII]")
    assert fixed.names == run.templates
    uv = np.array([np.interp(2300.0, fixed.wavelength, f) for f in fixed.continuum])
    expected = 1.23e13 * uv * 2300.0**2 / 2.99792458e18  # F([OII]) = 1.23e13 Hz f_nu(2300 A)
    assert fixed.lines[:, 1] == pytest.approx(expected, rel=1e-6)
    assert fixed.lines[:, 4] / fixed.lines[:, 1] == pytest.approx(0.27)
    assert not tied.lines[:-1, [3, 4]].any()


def test_dust_dims_lines_and_continuum_alike():
    runs = published_runs()
    clear = run_spectra(Run("clear", runs[5].templates, lines=True))
    dusty = run_spectra(runs[14])  # Calzetti, E(B-V) = 0.5
    k_ha = 2.659 * (-1.857 + 1.040 / 0.65628) + 4.05
    ratio = dusty.lines[-2, 6] / clear.lines[-2, 6]
    assert ratio == pytest.approx(10 ** (-0.4 * 0.5 * k_ha), rel=1e-6)
    near = np.argmin(abs(clear.wavelength - 6562.8))
    assert dusty.continuum[0, near] / clear.continuum[0, near] == pytest.approx(ratio, rel=0.01)


def test_the_bump_takes_light_at_2175_angstrom_only():
    runs = published_runs()
    plain, weak, strong = (run_spectra(runs[i]) for i in (14, 24, 34))
    at = np.searchsorted(plain.wavelength, [2175.0, 6500.0])
    ratio = weak.continuum[0, at] / plain.continuum[0, at]
    assert ratio[0] == pytest.approx(10 ** (-0.4 * 0.5 * 1.65), rel=0.02)
    assert ratio[1] > 0.99
    assert (strong.continuum[:, at[0]] < weak.continuum[:, at[0]]).all()


def test_older_and_more_metal_rich_populations_are_redder():
    names = ("Z0.008-age0.509", "Z0.02-age0.509", "Z0.02-age3.75")
    wavelength, spectra = population_spectra(names)
    blue, red = np.searchsorted(wavelength, [4000.0, 8000.0])
    colour = spectra[:, red] / spectra[:, blue]
    assert (np.diff(colour) > 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Run("x", ()), "no templates"),
        (lambda: Run("x", ("Ell1_A_0",), law="calzeti"), "did you mean 'calzetti'"),
        (lambda: Run("x", ("Ell1_A_0",), colour_excess=-0.1), "0 or more"),
        (lambda: run_spectra(Run("x", ("Ell1_A",))), "did you mean 'Ell1_A_0'"),
        (lambda: population_spectra(("Z0.5-age1.0",)), "metallicity"),
        (lambda: population_spectra(("old",)), "neither"),
        (lambda: ModelConfig(lines="fre"), "did you mean 'free'"),
        (lambda: ModelConfig(runs="all"), "runs 'all'"),
        (lambda: ModelConfig(redshift_min=2.0), "no grid"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        make()
