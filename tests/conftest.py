"""What tests of several folders need."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_galaxies():
    """Path of the real zCOSMOS table, which is not shipped."""
    beside = ROOT.parent / "shared" / "data"
    path = Path(os.environ.get("PHOTOZ_TEST_DATA") or beside) / "zcosmos20k_broadband.parquet"
    if not path.exists():
        pytest.skip(f"{path} is absent (set PHOTOZ_TEST_DATA to the folder that has it)")
    return path
