from pathlib import Path

import pytest

from photoz.survey.survey import load_survey

SURVEYS = Path(__file__).parents[2] / "config" / "surveys"


@pytest.fixture(scope="session")
def paus():
    return load_survey(SURVEYS / "paus.yaml")


@pytest.fixture(scope="session")
def broad_only():
    return load_survey(SURVEYS / "cosmos_broadband.yaml")
