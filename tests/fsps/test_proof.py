"""Our fast path and the real FSPS agree (section 3.2.2), and FSPS's ways of failing are noticed."""

import os
from pathlib import Path

import numpy as np
import pytest

from photoz.files import InputError
from photoz.simulations.priors import Prior, sample
from photoz.simulations.simulation import simulate
from photoz.sps import load_grid, save_grid
from photoz.sps.build_grid import pixel_means
from photoz.sps.fsps import find_installation, fsps_fluxes
from photoz.survey.photometry import SPEED_OF_LIGHT
from photoz.survey.survey import load_survey
from tests.fsps.home import METALLICITIES, PER_LSUN, ZSUN
from tests.fsps.proof import SURVEY, report

PAGE = Path(__file__).parents[2] / "docs" / "fsps.md"
BEGIN, END = "<!-- proof: begin -->", "<!-- proof: end -->"


def test_what_runs_is_what_we_think(home):
    found = find_installation()
    assert (found.isochrones, found.library, found.version) == ("bpss", "bpass", "0.5.0")
    assert found.provenance()["source"] == "FSPS, python-fsps 0.5.0"
    assert "cannot choose" in found.provenance()["imf"]


def test_the_grid_of_fsps_holds_the_tables_it_reads(fsps_grid, made):
    stars = [int(np.argmin(np.abs(fsps_grid.log_z - np.log10(z / ZSUN)))) for z in METALLICITIES]
    np.testing.assert_allclose(10 ** fsps_grid.log_z[stars] * ZSUN, METALLICITIES, rtol=1e-6)
    f_lambda = made.spectrum[3] / PER_LSUN * SPEED_OF_LIGHT / made.wavelength**2
    expected = pixel_means(made.wavelength, f_lambda, fsps_grid.edges)
    np.testing.assert_allclose(fsps_grid.spectrum[stars[3]], expected, rtol=2e-6)
    np.testing.assert_allclose(fsps_grid.living_mass[stars], made.living_mass, atol=1e-7)
    ours = load_grid()
    shared = np.isin(np.round(ours.log_age, 3), np.round(fsps_grid.log_age, 3))
    solar = int(np.argmin(np.abs(ours.log_z)))
    theirs = fsps_grid.ionizing_rate[stars[METALLICITIES.index(0.02)]]
    np.testing.assert_allclose(theirs, ours.ionizing_rate[solar, shared], rtol=1e-5)
    assert set(ours.line_name) <= set(fsps_grid.line_name)
    a, b = fsps_grid.line_name.index("H 1 6562.80"), ours.line_name.index("H 1 6562.80")
    zero = int(np.argmin(np.abs(fsps_grid.log_z)))
    np.testing.assert_allclose(
        fsps_grid.line_luminosity[zero, :, :9, a], ours.line_luminosity[solar, :7, :9, b], rtol=1e-6
    )


def test_the_grid_survives_its_file(fsps_grid, tmp_path):
    save_grid(tmp_path / "fsps.npz", fsps_grid)
    read = load_grid(tmp_path / "fsps.npz")
    bright = fsps_grid.spectrum > 1e-8 * fsps_grid.spectrum.max()
    np.testing.assert_allclose(read.spectrum[bright], fsps_grid.spectrum[bright], rtol=1e-3)
    assert read.provenance["isochrones"] == "bpss"


def test_continua_agree_within_half_a_percent(comparison):
    assert np.abs(comparison.continuum).max() < 0.005


def test_lines_agree_within_a_percent(comparison):
    measured = np.isfinite(comparison.lines)
    assert measured.sum() > 10 * len(comparison.lines)
    assert np.nanmax(np.abs(comparison.lines)) < 0.01


@pytest.mark.parametrize("grid", ["magnitude", "thinned"])
def test_bands_agree(comparison, grid):
    difference = np.abs(getattr(comparison, grid))
    assert difference.shape == (200, 46)
    assert difference.max() < 0.02
    assert np.median(difference) < 0.003


def test_the_page_lists_the_worst(comparison):
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    new = f"\n{report(comparison)}\n"
    if os.environ.get("PHOTOZ_FSPS_REPORT"):
        PAGE.write_text(f"{before}{BEGIN}{new}{END}{after}", encoding="utf-8")
        old = new
    # Other compilers round otherwise; the layout has to be that of this code.
    assert [row.count("|") for row in old.splitlines()] == [
        row.count("|") for row in new.splitlines()
    ]


def test_galaxies_keep_their_order_in_several_processes(home, processes):
    bands = load_survey(SURVEY).bands.subset(("NB455", "NB845", "i"))
    drawn = sample(Prior(), 18, np.random.default_rng(5))
    flux = fsps_fluxes(drawn, bands, processes=processes)
    last = fsps_fluxes({name: values[-2:] for name, values in drawn.items()}, bands, processes=1)
    np.testing.assert_allclose(flux[-2:], last, rtol=1e-6)


def test_the_engine_gives_what_the_fast_path_gives(home):
    bands = load_survey(SURVEY).bands.subset(("NB515", "NB745", "u", "i"))
    prior = Prior(redshift=(0.1, 0.9))
    theirs = simulate(prior, bands, 6, np.random.default_rng(8), engine="fsps", processes=1)
    ours = simulate(prior, bands, 6, np.random.default_rng(8))
    assert theirs.flux.dtype == np.float32
    np.testing.assert_array_equal(theirs.redshift, ours.redshift)
    np.testing.assert_allclose(theirs.flux, ours.flux, rtol=0.03)


@pytest.fixture
def broken_home(home, tmp_path, monkeypatch):
    """A home of links, from which files can be taken away."""
    copy = tmp_path / "home"
    for path in home.rglob("*"):
        target = copy / path.relative_to(home)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    monkeypatch.setenv("SPS_HOME", str(copy))
    return copy


def test_the_silent_death_of_fsps_is_noticed(broken_home):
    # A file whose name we do not check: FSPS stops, with exit code 0.
    (broken_home / "SPECTRA/xrb/xsp_feh+0.00.spec").unlink()
    bands = load_survey(SURVEY).bands.subset(("i",))
    drawn = sample(Prior(), 1, np.random.default_rng(5))
    with pytest.raises(InputError, match=r"exit code 0\).*xsp_feh\+0\.00\.spec cannot be opened"):
        fsps_fluxes(drawn, bands, processes=1)


def test_a_missing_file_is_named_before_fsps_starts(broken_home):
    path = broken_home / "nebular/ZAU_ND_bpss.cont"
    path.unlink()
    with pytest.raises(InputError, match=r"ZAU_ND_bpss\.cont: missing; fsps 0\.5\.0"):
        find_installation()


def test_data_of_another_version_are_refused(broken_home):
    path = broken_home / "ISOCHRONES/BPASS/bpass.lambda"
    rows = path.read_text().splitlines()
    path.unlink()
    path.write_text("\n".join(rows[:1963]) + "\n")
    with pytest.raises(InputError, match=r"1963 wavelengths, but .* compiled for 15000"):
        find_installation()
