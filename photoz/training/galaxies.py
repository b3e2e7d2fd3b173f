"""Which galaxies can be read, and which of them the networks and fits of a fold learn from.

Apart from the trainings, so that the rivals that need no networks need not import them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photoz.pdf.mixture import ZMIN
from photoz.survey.catalogue import Catalogue

SUBSET, WEIGHTS, TRAINING = range(3)  # what a random stream is for


def usable_galaxies(catalogue: Catalogue) -> np.ndarray:
    """Galaxies a network can read: every band finite, the reference flux positive; (n,) bool."""
    reference = catalogue.flux[:, catalogue.bands.index(catalogue.reference_band)]
    return np.isfinite(catalogue.flux).all(1) & (reference > 0)


def labelled_galaxies(catalogue: Catalogue) -> np.ndarray:
    """Usable galaxies with a redshift that a p(z) can have; (n,) bool."""
    redshift = catalogue.redshift
    return np.isfinite(redshift) & (redshift >= ZMIN) & usable_galaxies(catalogue)


def training_galaxies(
    catalogue: Catalogue, folds: np.ndarray, fold: int, fraction: float, seed: Sequence[int]
) -> np.ndarray:
    """Indices of the galaxies that the network of `fold` learns from.

    All usable galaxies with a redshift outside the fold, or a random `fraction` of them that is
    the same for every variant with the same seed.
    """
    index = np.flatnonzero(labelled_galaxies(catalogue) & (folds != fold))
    if fraction < 1:
        rng = np.random.default_rng([*seed, fold, SUBSET])
        index = np.sort(rng.choice(index, size=round(fraction * len(index)), replace=False))
    return index
