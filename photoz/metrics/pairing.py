"""Methods are compared galaxy by galaxy, so they must have the same galaxies in the same order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from photoz.files import InputError


def require_same_galaxies(ids: Mapping[str, npt.ArrayLike]) -> None:
    """Check that tables that are paired row by row hold the same galaxies in the same order.

    Parameters
    ----------
    ids : mapping of str to (n,) array
        Identifiers of the galaxies by the file that they are from.

    Raises
    ------
    InputError
        Naming the first file, the first one that differs from it, and where.
    """
    tables = {path: np.asarray(values) for path, values in ids.items()}
    if not tables:
        return
    first, expected = next(iter(tables.items()))
    for path, found in tables.items():
        if len(found) != len(expected):
            where = f"{len(found)} galaxies beside {len(expected)}"
        elif len(differing := np.flatnonzero(found != expected)):
            row = int(differing[0])
            where = f"row {row + 1} is galaxy {found[row]} beside {expected[row]}"
        else:
            continue
        raise InputError(
            f"{path} and {first} do not hold the same galaxies in the same order ({where}); "
            "make both again from one catalogue"
        )
