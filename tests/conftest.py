"""What tests of several folders need."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Put files with long tests first: the short ones then fill the cores to the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def real_galaxies():
    """Path of the real zCOSMOS table, which is not shipped."""
    beside = ROOT.parent / "shared" / "data"
    path = Path(os.environ.get("PHOTOZ_TEST_DATA") or beside) / "zcosmos20k_broadband.parquet"
    if not path.exists():
        pytest.skip(f"{path} is absent (set PHOTOZ_TEST_DATA to the folder that has it)")
    return path
