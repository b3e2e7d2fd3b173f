"""Keys of a user's configuration: an unknown one is an error with a suggestion, never ignored."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from typing import Any, cast

from photoz.files import InputError

_LARGEST_ZERO_POINT = 100.0


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return "did you mean 'x'?", or the list of known names where none is close."""
    names = [str(item) for item in known]
    lower = {item.lower(): item for item in reversed(names)}
    close = difflib.get_close_matches(str(name).lower(), list(lower), n=1, cutoff=0.6)
    if close:
        return f"did you mean '{lower[close[0]]}'?"
    shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    return f"known: {shown}" if names else "there are none"


def check_keys(mapping: object, known: Iterable[str], where: str) -> dict[str, Any]:
    """Return `mapping` as a dict if it is a mapping that has only `known` keys.

    Raises
    ------
    InputError
        Naming `where`, the unknown key and the closest known one.
    """
    known = tuple(known)
    if mapping is None:
        return {}
    if not isinstance(mapping, Mapping):
        raise InputError(f"{where}: expected keys and values, found {mapping!r}")
    for key in mapping:
        if key not in known:
            raise InputError(f"{where}: unknown key '{key}'; {did_you_mean(key, known)}")
    return {str(key): value for key, value in mapping.items()}


def as_number(value: object, where: str) -> float:
    """Return `value` as a finite float.

    Raises
    ------
    InputError
        If it is not a number (YAML reads 1e-3 as text: write 1.0e-3).
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # a whole number may be larger than any float
    if is_number and abs(cast(float, value)) < sys.float_info.max:
        return float(cast(float, value))
    raise InputError(f"{where}: a finite number expected, found {value!r}")


def as_zero_point(value: object, where: str) -> float:
    """Return a zero-point, an AB magnitude, as a float.

    Raises
    ------
    InputError
        If it is not a number, or so far off that fluxes could not be converted.
    """
    number = as_number(value, where)
    if abs(number) > _LARGEST_ZERO_POINT:
        raise InputError(f"{where}: {number:g} is no magnitude; that of microjansky is 23.9")
    return number


def as_names(value: object, where: str) -> tuple[str, ...]:
    """Return a list of names (one name alone is a list of one) as a tuple of strings.

    Raises
    ------
    InputError
        If it is something else, or a name occurs twice.
    """
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise InputError(f"{where}: a list of names expected, found {value!r}")
    if len(set(items)) != len(items):
        raise InputError(f"{where}: a name occurs twice in {items}")
    return tuple(items)
