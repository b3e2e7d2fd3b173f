from pathlib import Path

import numpy as np
import pytest

from photoz.survey.catalogue import Catalogue
from photoz.survey.survey import load_survey
from photoz.templates import ModelConfig, build_model, published_runs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def bands():
    """Every fourth narrow band and all broad ones: quick, and still both kinds."""
    every = load_survey(ROOT / "config" / "surveys" / "paus.yaml").bands
    return every.subset([*every.names[:40:4], *every.names[40:]])


@pytest.fixture(scope="session")
def model(bands):
    """The runs without dust, with every tenth of the others, at steps of 0.005."""
    runs = published_runs()
    config = ModelConfig(redshift_min=0.2, redshift_max=0.7, redshift_step=0.005)
    return build_model(bands, config, (*runs[:5], *runs[5::10]))


@pytest.fixture(scope="session")
def galaxies(model):
    """Galaxies that the model nearly is: flux, error, redshift, run, k."""
    return draw(model, 60, np.random.default_rng(1))


def draw(model, n, rng, error=0.05, misfit=0.03):
    run = rng.integers(len(model.runs), size=n)
    node = rng.integers(5, len(model.redshift) - 5, size=n)
    k = np.exp(0.05 * rng.standard_normal(n))
    flux = np.empty((n, len(model.bands)))
    for i in range(n):
        own = model.run_flux(run[i])[:, node[i]]
        amplitude = rng.exponential(size=len(own)) * (rng.uniform(size=len(own)) < 0.4)
        amplitude[rng.integers(len(model.runs[run[i]].templates))] += 1.0
        flux[i] = amplitude @ own * np.where(model.is_narrow, k[i], 1.0)
    flux *= 100.0 * np.exp(misfit * rng.standard_normal(flux.shape))
    sigma = error * flux * np.where(model.is_narrow, 1.0, 0.5) + 0.3
    flux = flux + sigma * rng.standard_normal(flux.shape)
    return flux, sigma, model.redshift[node], run, k


def catalogue_of(model, flux, error, redshift):
    n = len(flux)
    return Catalogue(
        id=np.arange(n),
        redshift=np.asarray(redshift, dtype=np.float64),
        mag_i=np.linspace(19.0, 22.5, n),
        flux=flux.astype(np.float32),
        error=error.astype(np.float32),
        bands=model.bands,
        survey="test",
        zero_point=26.0,
        reference_band="i",
        exposures=None,
        truth={},
    )
