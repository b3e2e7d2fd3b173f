"""A small survey whose redshifts a network can learn in seconds."""

import numpy as np
import pytest

from photoz.survey.catalogue import Catalogue, Exposures
from photoz.survey.coadds import coadd

BANDS = ("N1", "N2", "N3", "N4", "i")


def break_fluxes(redshift):
    """Fluxes (n, band) of a spectrum with one break that moves through four bands."""
    edges = np.array([0.2, 0.4, 0.6, 0.8])
    narrow = 1 + 2 / (1 + np.exp(-(redshift[:, None] - edges) / 0.08))
    return np.hstack([narrow, np.full((len(redshift), 1), 4.0)])


def make_catalogue(n=300, seed=0, exposures=4, missing=0.2):
    """Galaxies with noisy exposures in the four narrow bands, some never taken."""
    rng = np.random.default_rng(seed)
    redshift = rng.uniform(0.05, 0.95, n)
    true = break_fluxes(redshift).astype(np.float32)
    shape = (n, 4, exposures)
    error = np.full(shape, 0.1, np.float32)
    flux = true[:, :4, None] + error * rng.standard_normal(shape).astype(np.float32)
    lost = rng.random(shape) < missing
    lost[..., 0] = False
    flux[lost], error[lost] = np.nan, np.nan
    narrow, narrow_error = coadd(flux, error)
    return Catalogue(
        id=np.arange(n),
        redshift=redshift,
        mag_i=np.full(n, 21.0),
        flux=np.hstack([narrow, true[:, 4:]]).astype(np.float32),
        error=np.hstack([narrow_error, np.full((n, 1), 0.02)]).astype(np.float32),
        exposures=Exposures(flux, error, BANDS[:4]),
        bands=BANDS,
        survey="toy",
        zero_point=26.0,
        reference_band="i",
        truth={},
    )


@pytest.fixture(scope="session")
def catalogue():
    """300 galaxies."""
    return make_catalogue()
