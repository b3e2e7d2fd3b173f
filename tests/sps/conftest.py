from pathlib import Path

import numpy as np
import pytest

from photoz.sps import age_at_redshift, load_grid
from photoz.survey.survey import load_survey


@pytest.fixture(scope="session")
def grid():
    return load_grid()


@pytest.fixture(scope="session")
def bands():
    return load_survey(Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml").bands


@pytest.fixture(scope="session")
def parameters():
    """Draws from Table 1, made here so that the tests do not lean on the prior's code."""
    rng = np.random.default_rng(3)
    n = 600
    redshift = rng.uniform(0.0, 1.2, n)
    tage = age_at_redshift(redshift)
    logzsol = rng.uniform(-0.5, 0.2, n)
    return {
        "redshift": redshift,
        "tage": tage,
        "logzsol": logzsol,
        "tau": rng.uniform(0.1, 12, n),
        "const": rng.uniform(0, 0.25, n),
        "sf_start": rng.uniform(0, 0.999, n) * tage,
        "dust2": rng.uniform(0, 0.6, n),
        "gas_logu": rng.uniform(-4, 1, n),
        "gas_logz": logzsol,
    }
