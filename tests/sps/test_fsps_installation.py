"""What is wrong with an FSPS is said before it runs (it would end the process without a word)."""

import importlib.util

import pytest

from photoz.files import InputError
from photoz.sps.fsps import find_installation
from tests.sps.fsps_stub import write_home, write_package


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A python-fsps of ours; call it again to make another."""
    folder = tmp_path / "packages"

    def make(**options):
        write_package(folder, **options)
        importlib.invalidate_caches()

    make()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return make


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = write_home(tmp_path / "home")
    monkeypatch.setenv("SPS_HOME", str(folder))
    return folder


def test_a_complete_one_says_what_it_is(package, home):
    found = find_installation()
    assert (found.version, found.isochrones, found.library) == ("0.5.0", "mist", "miles")
    told = found.provenance()
    assert told["imf"].startswith("Chabrier (2003)")
    assert sorted(told["sha256"]) == [
        "ISOCHRONES/MIST/zlegend.dat",
        "SPECTRA/MILES/miles.lambda",
        "nebular/ZAU_ND_mist.lines",
    ]


def test_finished_populations_keep_their_imf(package, tmp_path, monkeypatch):
    package(isochrones="bpss", library="bpass")
    monkeypatch.setenv("SPS_HOME", str(write_home(tmp_path / "b", "bpss", "bpass")))
    found = find_installation()
    assert found.ready_made
    assert "cannot choose another" in found.imf


def test_no_package(home, monkeypatch):
    real = importlib.util.find_spec
    absent = lambda name: None if name == "fsps" else real(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", absent)
    with pytest.raises(InputError, match=r"package fsps is not installed; .*photoz\[fsps\]"):
        find_installation()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "SPS_HOME is not set; .*export SPS_HOME="),
        ("", "SPS_HOME is not set"),
        ("/nowhere/fsps", "SPS_HOME=/nowhere/fsps: not a folder"),
    ],
)
def test_no_home(package, monkeypatch, value, message):
    if value is None:
        monkeypatch.delenv("SPS_HOME", raising=False)
    else:
        monkeypatch.setenv("SPS_HOME", value)
    with pytest.raises(InputError, match=message):
        find_installation()


def test_a_path_longer_than_fsps_can_hold(package, home, monkeypatch):
    deep = home / ("a" * 120) / ("b" * 120)
    deep.mkdir(parents=True)
    monkeypatch.setenv("SPS_HOME", str(deep))
    with pytest.raises(InputError, match="too long a path for FSPS"):
        find_installation()


@pytest.mark.parametrize(
    "name",
    [
        "data/FILTER_LIST",
        "SPECTRA/MILES/miles.res",
        "nebular/ZAU_ND_mist.cont",
        "dust/alldirty_c.dat",
    ],
)
def test_a_missing_file_is_named_with_the_tag_that_has_it(package, home, name):
    (home / name).unlink()
    with pytest.raises(InputError, match=rf"{name}: missing; fsps 0\.5\.0 \(mist, miles\).*v4\.0"):
        find_installation()


def test_an_empty_file(package, home):
    (home / "SPECTRA/MILES/zlegend.dat").write_text("")
    with pytest.raises(InputError, match=r"zlegend\.dat: empty"):
        find_installation()


def test_a_pointer_instead_of_the_file(package, home):
    (home / "nebular/ZAU_ND_mist.cont").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"mist\.cont: only a Git LFS pointer.*git lfs pull"):
        find_installation()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("SPECTRA/MILES/miles.lambda", "1\n2\n", "2 wavelengths, but .* is compiled for 2000"),
        ("ISOCHRONES/MIST/zlegend.dat", "1\n" * 13, "13 metallicities, .* for 3: package and data"),
        ("data/emlines_info.dat", "1,a\n", "1 emission lines, .* for 2: .* different versions"),
        ("data/allfilters.dat", "# one\n1 2\n", "1 filters, .* for 2"),
    ],
)
def test_package_and_data_of_different_versions(package, home, name, text, message):
    (home / name).write_text(text)
    with pytest.raises(InputError, match=message):
        find_installation()


def test_an_old_package(package, home):
    package(version="0.3.0")
    with pytest.raises(InputError, match=r"fsps 0\.3\.0 is too old; install 0\.4\.7"):
        find_installation()


def test_a_package_that_does_not_run_here(package, home):
    package(broken=True)
    with pytest.raises(InputError, match=r"does not run here \(ImportError: no libgfortran\)"):
        find_installation()


def test_isochrones_without_gas(package, home):
    package(isochrones="gnva")
    with pytest.raises(InputError, match="gnva isochrones, for which FSPS has no nebular"):
        find_installation()
