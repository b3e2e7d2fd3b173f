"""A three-band survey small enough to reason about."""

import numpy as np
import pytest

from photoz.survey import Band, BandSet, Survey


def box(name, kind, low, high):
    w = np.array([low - 1.0, low, high, high + 1.0])
    return Band(name, kind, w, np.array([0.0, 1.0, 1.0, 0.0]))


@pytest.fixture
def survey():
    bands = BandSet(
        (
            box("NB455", "narrow", 4480.0, 4620.0),
            box("u", "broad", 3300.0, 4000.0),
            box("i", "broad", 6900.0, 8400.0),
        )
    )
    return Survey("toy", 26.0, "i", bands, depth=np.array([22.0, 26.0, 25.0]))
