"""FSPS itself, compiled for BPASS, on an SPS_HOME made from our own tables."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from photoz.sps import load_grid
from photoz.sps.fsps import build_fsps_grid
from photoz.sps.fsps.installation import compiled
from tests.fsps.home import tables, write_home
from tests.fsps.proof import compare

ROOT = Path(__file__).parents[2]
ARCHIVE = "fsps_home_static.tar.xz"


def archive():
    """FSPS's static files, or None."""
    folders = [os.environ.get("PHOTOZ_TEST_DATA"), ROOT.parent / "shared" / "data"]
    paths = [Path(folder) / ARCHIVE for folder in folders if folder]
    return next((path for path in paths if path.is_file()), None)


def reason_to_skip():
    """Return what is missing, or None."""
    if archive() is None:
        return f"{ARCHIVE} is not in $PHOTOZ_TEST_DATA or ../shared/data"
    if importlib.util.find_spec("fsps") is None:
        return "fsps is not installed; `make test-fsps` builds it"
    if compiled()["isochrones"] != "bpss":
        return "fsps is not compiled for BPASS; `make test-fsps` builds one that is"
    return None


@pytest.fixture(scope="session", autouse=True)
def _needed():
    reason = reason_to_skip()
    if reason and os.environ.get("PHOTOZ_TEST_FSPS") == "required":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def processes():
    return min(2, len(os.sched_getaffinity(0)))


@pytest.fixture(scope="session")
def made():
    return tables(load_grid())


@pytest.fixture(scope="session")
def home(made, tmp_path_factory):
    """A complete SPS_HOME, set for the whole session."""
    folder = write_home(tmp_path_factory.mktemp("fsps") / "home", archive(), made)
    before = os.environ.get("SPS_HOME")
    os.environ["SPS_HOME"] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop("SPS_HOME")
        if before is not None:
            os.environ["SPS_HOME"] = before
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def fsps_grid(home, processes):
    return build_fsps_grid(processes)


@pytest.fixture(scope="session")
def comparison(fsps_grid, processes):
    return compare(fsps_grid, processes)
