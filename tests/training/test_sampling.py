"""Rare redshifts drawn more often."""

import numpy as np
import pytest

from photoz.networks import seeded_generators
from photoz.training.batches import TrainingBatches
from photoz.training.config import FinetuningConfig
from photoz.training.sampling import sampling_weights

REDSHIFT = np.array([0.11, 0.12, 0.13, 0.14, 0.31, 0.32, 0.55])
MEMBERS = [np.arange(7), np.array([0, 4, 5, 6])]


def test_every_bin_is_drawn_as_often_with_a_power_of_one():
    full, part = sampling_weights(REDSHIFT, MEMBERS, 1.0, 0.1)
    np.testing.assert_allclose(full, [1 / 12] * 4 + [1 / 6] * 2 + [1 / 3])
    np.testing.assert_allclose(part, [1 / 3, 1 / 6, 1 / 6, 1 / 3])


def test_half_the_power_is_half_way_and_none_is_none():
    (weights,) = sampling_weights(REDSHIFT, MEMBERS[:1], 0.5, 0.1)
    assert weights[6] / weights[4] == pytest.approx(np.sqrt(2))
    assert weights[6] / weights[0] == pytest.approx(2)
    assert sampling_weights(REDSHIFT, MEMBERS, 0.0, 0.1) is None


def drawn(batches, n, **how):
    return np.concatenate([batches.next(**how).numpy() for _ in range(n)], axis=1)


def test_batches_follow_the_weights_until_they_are_even():
    weights = sampling_weights(REDSHIFT, MEMBERS, 1.0, 0.1)
    batches = TrainingBatches(MEMBERS, 4, seeded_generators([1, 2]), weights)
    first, second = drawn(batches, 3000)
    share = np.bincount(first, minlength=7) / first.size
    np.testing.assert_allclose(share, weights[0], atol=0.02)
    assert set(second) == set(MEMBERS[1])
    drawn(batches, 2, evenly=True)  # what is left of the last weighted epoch
    even = drawn(batches, 7, evenly=True)
    np.testing.assert_array_equal(np.bincount(even[1], minlength=7)[MEMBERS[1]], 7)


def test_without_weights_the_batches_are_those_of_a_shuffle():
    plain = TrainingBatches(MEMBERS, 3, seeded_generators([1, 2]))
    evenly = TrainingBatches(
        MEMBERS, 3, seeded_generators([1, 2]), sampling_weights(REDSHIFT, MEMBERS, 1.0, 0.1)
    )
    np.testing.assert_array_equal(drawn(plain, 9), drawn(evenly, 9, evenly=True))


@pytest.mark.parametrize("power", [-0.1, 1.5])
def test_powers_out_of_range_are_refused(power):
    with pytest.raises(ValueError, match="oversampling"):
        FinetuningConfig(oversampling=power)
