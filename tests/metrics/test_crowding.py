import numpy as np
import pytest

from photoz.files import InputError
from photoz.metrics.crowding import count_classes, crowding_metrics, redshift_counts
from photoz.metrics.point import sigma68


def test_counts_are_those_of_a_histogram():
    rng = np.random.default_rng(1)
    z = rng.uniform(0.1, 0.2, 500)
    number, edges = np.histogram(z, bins=np.arange(0.1, 0.2011, 0.001))
    own = number[np.searchsorted(edges, z, side="right") - 1]
    np.testing.assert_array_equal(redshift_counts(z), own)


def test_rounded_redshifts_are_in_the_bins_that_they_begin():
    # 0.57 / 0.001 is a little below 570
    np.testing.assert_array_equal(redshift_counts([0.57, 0.5705, 0.5699]), [2, 2, 1])


def test_galaxies_without_redshift_do_not_count():
    np.testing.assert_array_equal(redshift_counts([np.nan, 0.3, 0.3001, np.nan]), [0, 2, 2, 0])


def test_classes_hold_every_galaxy_once_and_enough_of_them():
    rng = np.random.default_rng(2)
    counts = rng.permutation(np.repeat(np.arange(1, 60), np.arange(1, 60)))
    edges = count_classes(counts, fewest=100)
    assert edges[0] == 1 and edges[-1] == 60
    members = np.histogram(counts, bins=edges)[0]
    assert members.sum() == len(counts) and (members >= 100).all()
    assert count_classes([3, 3, 3], fewest=100) == [3, 4]
    with pytest.raises(InputError, match="no galaxy has a spectroscopic redshift"):
        count_classes([0, 0])


def test_metrics_of_each_class_are_those_of_its_galaxies():
    rng = np.random.default_rng(3)
    crowd = 0.5 + rng.uniform(0, 0.0009, 300)
    alone = 0.6 + 0.001 * np.arange(250) + 0.0005
    z = np.concatenate([crowd, alone])
    good = z + 0.001 * rng.normal(size=len(z))
    poor = z + np.where(z > 0.55, 0.02, 0.001) * rng.normal(size=len(z))
    poor[:5] = np.nan
    table = crowding_metrics({"good": good, "poor": poor}, z, n_boot=30)
    assert set(zip(table["count_low"], table["count_high"], strict=True)) == {(1, 2), (2, 301)}
    rows = table[(table["metric"] == "sigma68")].set_index(["variant", "count_low"])
    expected = sigma68((poor[300:] - z[300:]) / (1 + z[300:]))
    assert rows.loc[("poor", 1), "value"] == pytest.approx(expected)
    assert rows.loc[("poor", 2), ["galaxies", "n"]].tolist() == [300, 295]
    assert 0 < rows.loc[("good", 1), "error"] < 0.3 * rows.loc[("good", 1), "value"]
    assert rows.loc[("poor", 1), "value"] > 5 * rows.loc[("poor", 2), "value"]
