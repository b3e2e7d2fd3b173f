"""Which FSPS is installed, and whether its data are all there: looked at before it runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from photoz.files import InputError, sha256
from photoz.sps.fsps import data_files

GUIDE = "docs/fsps.md says how to install FSPS and its data"
OLDEST_VERSION = (0, 4, 7)
DATA_TAGS = {"0.4.7": "v3.3", "0.5.0": "v4.0"}
"""Tag of FSPS's data that belongs to a version of python-fsps."""
_LONGEST_PATH = 200  # FSPS keeps SPS_HOME and what follows in 250 characters
_LFS = b"version https://git-lfs"


@dataclass(frozen=True)
class Installation:
    """An FSPS that can run: the package, what it was compiled for, and its data.

    Attributes
    ----------
    version : str
        Of python-fsps.
    isochrones, library, dust : str
        What it was compiled with, in FSPS's names (``mist``, ``miles``, ``DL07``).
    home : Path
        ``SPS_HOME``.
    n_metallicities, n_wavelengths, n_lines, n_filters : int
        Sizes it was compiled with.
    """

    version: str
    isochrones: str
    library: str
    dust: str
    home: Path
    n_metallicities: int
    n_wavelengths: int
    n_lines: int
    n_filters: int

    @property
    def ready_made(self) -> bool:
        """Whether it reads finished SSPs (BPASS), whose IMF cannot be chosen."""
        return self.isochrones == data_files.READY_MADE

    @property
    def imf(self) -> str:
        """The IMF of its populations."""
        if self.ready_made:
            return "that of the BPASS tables in SPS_HOME (FSPS cannot choose another)"
        return "Chabrier (2003), 0.08-120 Msun"

    def provenance(self) -> dict[str, Any]:
        """What a simulation says of the populations it is made of."""
        told = (
            data_files.wavelength_file(self.home, self.library),
            data_files.metallicity_file(self.home, self.isochrones),
            data_files.nebular_file(self.home, self.isochrones, "lines"),
        )
        return {
            "source": f"FSPS, python-fsps {self.version}",
            "isochrones": self.isochrones,
            "library": self.library,
            "dust_emission": "none",
            "imf": self.imf,
            "nebular": f"FSPS's Cloudy tables for {self.isochrones}, no grains",
            "sha256": {path.relative_to(self.home).as_posix(): sha256(path) for path in told},
        }


def find_installation() -> Installation:
    """Find python-fsps and `SPS_HOME` and check them, without starting FSPS.

    Raises
    ------
    InputError
        If the package or the data are absent, incomplete, or do not belong together.
    """
    version = _package_version()
    home = _home()
    found = Installation(version=version, home=home, **compiled())
    if found.isochrones not in data_files.NEBULAR:
        raise InputError(
            f"fsps {version} is compiled with {found.isochrones} isochrones, for which FSPS has no "
            f"nebular emission; compile it with one of {', '.join(data_files.NEBULAR)} ({GUIDE})"
        )
    for path in data_files.data_files(home, found.isochrones, found.library, found.dust):
        _check_file(path, found)
    _check_sizes(found)
    return found


def _package_version() -> str:
    if importlib.util.find_spec("fsps") is None:
        raise InputError(
            "the Python package fsps is not installed; install it with `pip install "
            f"'photoz[fsps]'`, or build it for another stellar library ({GUIDE})"
        )
    version = metadata.version("fsps")
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    if numbers < OLDEST_VERSION:
        oldest = ".".join(str(part) for part in OLDEST_VERSION)
        raise InputError(f"fsps {version} is too old; install {oldest} or newer ({GUIDE})")
    return version


def _home() -> Path:
    value = os.environ.get("SPS_HOME", "")
    if not value:
        raise InputError(
            "the environment variable SPS_HOME is not set; it names the folder with FSPS's data, "
            f"for example `export SPS_HOME=$HOME/fsps` ({GUIDE})"
        )
    home = Path(value)
    if not home.is_dir():
        raise InputError(f"SPS_HOME={value}: not a folder; set it to FSPS's data ({GUIDE})")
    if len(value) > _LONGEST_PATH:
        raise InputError(f"SPS_HOME={value}: too long a path for FSPS; make a short link to it")
    return home


def compiled() -> dict[str, Any]:
    """Ask the package what it was compiled with: in a child process, which may die.

    Returns
    -------
    dict
        The fields of `Installation` that do not depend on the data.

    Raises
    ------
    InputError
        If the package cannot be imported.
    """
    # The package wants these two files when it is imported; what it was compiled with does not
    # depend on them.
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for name in ("FILTER_LIST", "emlines_info.dat"):
            (data / name).touch()
        told = subprocess.run(
            [sys.executable, "-P", str(Path(__file__).with_name("compiled.py"))],
            env=os.environ | {"SPS_HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        return json.loads(told.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        last = (told.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"the package fsps does not run here ({last}); {GUIDE}") from error


def _check_file(path: Path, found: Installation) -> None:
    belongs = f"fsps {found.version} ({found.isochrones}, {found.library})"
    if not path.is_file():
        raise InputError(f"{path}: missing; {belongs} reads it{_tag(found)}. {GUIDE}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty; {belongs} reads it. {GUIDE}")
    with path.open("rb") as file:
        if file.read(len(_LFS)) == _LFS:
            raise InputError(
                f"{path}: only a Git LFS pointer, not the data; run `git lfs pull` in {found.home}"
            )


def _check_sizes(found: Installation) -> None:
    """Compare sizes compiled into the package with those of the data."""
    data = found.home / "data"
    wavelengths = data_files.wavelength_file(found.home, found.library)
    metallicities = data_files.metallicity_file(found.home, found.isochrones)
    for path, what, wanted in (
        (wavelengths, "wavelengths", found.n_wavelengths),
        (metallicities, "metallicities", found.n_metallicities),
        (data / "emlines_info.dat", "emission lines", found.n_lines),
    ):
        if (number := _rows(path)) != wanted:
            raise _mismatch(path, found, number, wanted, what)
    filters = data / "allfilters.dat"
    number = sum(1 for line in _lines(filters) if line.lstrip().startswith("#"))
    if number < found.n_filters:
        raise _mismatch(filters, found, number, found.n_filters, "filters")
    if found.ready_made:
        path = found.home / data_files.SSP_FILE
        ages = _rows(path.with_name("bpass.mass"))
        wanted = found.n_wavelengths * found.n_metallicities * ages * 8
        if path.stat().st_size != wanted:
            raise _mismatch(path, found, path.stat().st_size, wanted, "bytes")


def _mismatch(path: Path, found: Installation, number: int, wanted: int, what: str) -> InputError:
    return InputError(
        f"{path}: {number} {what}, but fsps {found.version} ({found.isochrones}, {found.library}) "
        f"is compiled for {wanted}: package and data are of different versions{_tag(found)}"
    )


def _tag(found: Installation) -> str:
    tag = DATA_TAGS.get(found.version)
    return f"; its data have the tag {tag}" if tag else ""


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from file


def _rows(path: Path) -> int:
    return sum(1 for line in _lines(path) if line.strip())
