import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey import make_splits, read_folds, read_splits, write_splits


def test_folds_are_balanced_in_every_split():
    folds = make_splits(103, 4, 5, seed=1)
    assert folds.shape == (103, 4)
    assert folds.dtype == np.int8
    for split in folds.T:
        counts = np.bincount(split, minlength=5)
        assert counts.min() == 20 and counts.max() == 21


def test_split_k_is_the_same_whatever_the_number_of_splits():
    np.testing.assert_array_equal(make_splits(50, 3, 5, 7), make_splits(50, 10, 5, 7)[:, :3])
    ids = np.array([f"g{k}" for k in range(50)])
    np.testing.assert_array_equal(make_splits(ids, 3, 5, 7), make_splits(50, 3, 5, 7))
    assert (make_splits(50, 3, 5, 8) != make_splits(50, 3, 5, 7)).any()


def test_splits_are_independent():
    # a galaxy is in the same fold of two splits one time in n_folds
    folds = make_splits(20000, 2, 5, 0)
    assert (folds[:, 0] == folds[:, 1]).mean() == pytest.approx(0.2, abs=0.01)
    # and neighbours in the file do not share folds
    assert (folds[1:, 0] == folds[:-1, 0]).mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 1, 5, 0), "use fewer folds"),
        ((10, 0, 5, 0), "at least 1"),
        ((10, 1, 1, 0), "choose 2 to 127"),
        ((1000, 1, 128, 0), "choose 2 to 127"),
    ],
)
def test_impossible_requests(arguments, message):
    with pytest.raises(InputError, match=message):
        make_splits(*arguments)


@pytest.mark.parametrize("ids", [np.arange(20) * 7, np.array([f"galaxy{k}" for k in range(20)])])
def test_file_round_trip_and_same_bytes(tmp_path, ids):
    folds = make_splits(ids, 2, 4, 0)
    for name in ("a.parquet", "b.parquet"):
        write_splits(tmp_path / name, ids, folds)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    ids_read, folds_read = read_splits(tmp_path / "a.parquet")
    np.testing.assert_array_equal(ids_read, ids)
    np.testing.assert_array_equal(folds_read, folds)
    assert folds_read.dtype == np.int8


def test_folds_are_read_for_their_own_galaxies_only(tmp_path):
    path = tmp_path / "s.parquet"
    ids = np.arange(20) * 3
    folds = make_splits(ids, 2, 4, 0)
    write_splits(path, ids, folds)
    np.testing.assert_array_equal(read_folds(path, ids, 1), folds[:, 1])
    with pytest.raises(InputError, match=r"s\.parquet: made for other galaxies"):
        read_folds(path, ids[::-1], 1)
    with pytest.raises(InputError, match="2 splits, split 2"):
        read_folds(path, ids, 2)


def test_broken_files(tmp_path):
    path = tmp_path / "s.parquet"
    write_splits(path, np.arange(20), make_splits(20, 2, 4, 0))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a whole Parquet file"):
        read_splits(path)
    import pandas as pd

    pd.DataFrame({"id": [1], "fold": [0]}).to_parquet(path)
    with pytest.raises(InputError, match="split_0"):
        read_splits(path)
    with pytest.raises(InputError, match="3 ids"):
        write_splits(path, [1, 2, 3], make_splits(20, 2, 4, 0))
