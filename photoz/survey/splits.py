"""Cross-validation: which fold of which split each galaxy is in.

The networks of fold f in split s train on galaxies with folds[:, s] != f and predict those with
folds[:, s] == f, so that no galaxy is predicted by a network that has seen it. Averaging over
several splits is the paper's combination of multiple networks (section 5.2).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError, replace_when_done, require_file


def make_splits(
    galaxies: int | Sequence | NDArray, n_splits: int, n_folds: int, seed: int
) -> NDArray[np.int8]:
    """Divide galaxies into balanced folds, anew and independently for every split.

    Split k depends on the seed, k and the number of galaxies and folds only: asking for more
    splits later keeps those already trained.

    Parameters
    ----------
    galaxies : int or (n,) array
        Their number, or their ids (whose values play no part).
    n_splits, n_folds : int
    seed : int

    Returns
    -------
    (n, n_splits) int8 array
        Fold of each galaxy; fold sizes differ by one at most.

    Raises
    ------
    InputError
        If a number makes no sense, such as more folds than galaxies.
    """
    n = galaxies if isinstance(galaxies, int | np.integer) else len(galaxies)
    if n_splits < 1:
        raise InputError(f"splits: {n_splits} splits; at least 1 is needed")
    if not 2 <= n_folds <= 127:
        raise InputError(f"splits: {n_folds} folds; choose 2 to 127")
    if n < n_folds:
        raise InputError(f"splits: {n} galaxies cannot fill {n_folds} folds; use fewer folds")
    balanced = (np.arange(n) % n_folds).astype(np.int8)
    seeds = np.random.SeedSequence(seed).spawn(n_splits)
    return np.stack([np.random.default_rng(s).permutation(balanced) for s in seeds], axis=1)


def write_splits(path: str | os.PathLike[str], ids: ArrayLike, folds: NDArray[np.int8]) -> None:
    """Write splits as Parquet with columns id, split_0, split_1, ...

    Raises
    ------
    InputError
        If `ids` (n,) and `folds` (n, n_splits) disagree.
    """
    ids, folds = np.asarray(ids), np.asarray(folds)
    if folds.ndim != 2 or len(ids) != len(folds):
        raise InputError(f"splits: {len(ids)} ids for folds of shape {folds.shape}")
    columns = {"id": pa.array(ids)}
    columns |= {f"split_{k}": pa.array(folds[:, k].astype(np.int8)) for k in range(folds.shape[1])}
    with replace_when_done(path) as temporary:
        pq.write_table(pa.table(columns), temporary, write_page_checksum=True)


def read_folds(path: str | os.PathLike[str], ids: NDArray, split: int) -> NDArray[np.int8]:
    """Fold of each galaxy in one split, checked to be of these galaxies.

    Parameters
    ----------
    path : path-like
        File of splits.
    ids : (n,) array
        Ids of the catalogue's galaxies.
    split : int

    Returns
    -------
    (n,) int8 array

    Raises
    ------
    InputError
        If the file is damaged, lacks the split, or belongs to other galaxies.
    """
    known, folds = read_splits(path)
    if not np.array_equal(known, ids):
        raise InputError(f"{path}: made for other galaxies than the catalogue's; make it again")
    if split >= folds.shape[1]:
        raise InputError(f"{path}: has {folds.shape[1]} splits, split {split} was asked for")
    return folds[:, split]


def read_splits(path: str | os.PathLike[str]) -> tuple[NDArray, NDArray[np.int8]]:
    """Read splits.

    Returns
    -------
    ids : (n,) array
    folds : (n, n_splits) int8 array

    Raises
    ------
    InputError
        If the file is absent, truncated or not one of ours.
    """
    path = require_file(path, "splits")
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a whole Parquet file ({error}); write it again") from error
    names = [f"split_{k}" for k in range(table.num_columns - 1)]
    if not names or set(table.column_names) != {"id", *names}:
        raise InputError(f"{path}: columns id, split_0, ... expected, found {table.column_names}")
    ids = table["id"].to_numpy()
    folds = np.stack([table[name].to_numpy().astype(np.int8) for name in names], axis=1)
    return (ids.astype(str) if ids.dtype == object else ids), folds


def fold_part(folds: NDArray[np.integer], fold: int, part: int, n_parts: int) -> NDArray[np.intp]:
    """Galaxies of one part of a fold, in the order of the catalogue.

    Parameters
    ----------
    folds : (n,) int array
        Fold of each galaxy.
    fold, part, n_parts : int
        Every `n_parts`-th galaxy of the fold belongs to a part, from number `part` on.
    """
    return np.flatnonzero(folds == fold)[part::n_parts]
