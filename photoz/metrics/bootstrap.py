"""Bootstrap errors, and paired comparisons of two methods on the same galaxies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from photoz.files import InputError

FloatArray = npt.NDArray[np.float64]
Statistic = Callable[..., float]

N_BOOT = 200


class PairedDifference(NamedTuple):
    """Comparison of a statistic of method a with that of method b on the same galaxies.

    `difference` is a - b with its bootstrap `error`; `p_value` is two-sided for no difference;
    `ratio` is a / b with `ratio_error`; `n` galaxies have both, `n_invalid` lack either.
    """

    difference: float
    error: float
    p_value: float
    ratio: float
    ratio_error: float
    value_a: float
    value_b: float
    n: int
    n_invalid: int


def bootstrap_error(
    statistic: Statistic,
    *values: npt.ArrayLike,
    n_boot: int = N_BOOT,
    rng: np.random.Generator | int = 0,
) -> float:
    """Standard deviation of a statistic over resamples of the galaxies.

    Parameters
    ----------
    statistic : callable
        Takes the `values`, returns a number.
    *values : (n,) arrays
        Resampled together. Galaxies with a NaN in any are left out.
    n_boot : int
        Resamples.
    rng : numpy Generator or int
        Generator, or the seed of one.

    Returns
    -------
    float
        NaN for fewer than two galaxies.
    """
    arrays, _ = _complete(values)
    samples = [statistic(*(a[i] for a in arrays)) for i in resamples(len(arrays[0]), n_boot, rng)]
    return _scatter(np.array(samples))


def bootstrap_errors(
    statistics: Mapping[str, Statistic],
    *values: npt.ArrayLike,
    n_boot: int = N_BOOT,
    rng: np.random.Generator | int = 0,
) -> dict[str, float]:
    """`bootstrap_error` of several statistics on the same resamples."""
    arrays, _ = _complete(values)
    samples: dict[str, list[float]] = {name: [] for name in statistics}
    for i in resamples(len(arrays[0]), n_boot, rng):
        drawn = [a[i] for a in arrays]
        for name, statistic in statistics.items():
            samples[name].append(statistic(*drawn))
    return {name: _scatter(np.array(s)) for name, s in samples.items()}


def paired_difference(
    statistic: Statistic,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    rng: np.random.Generator | int = 0,
    n_boot: int = 1000,
) -> PairedDifference:
    """Compare a statistic of two methods, resampling the same galaxies for both.

    Parameters
    ----------
    statistic : callable
        Takes an (n,) array, returns a number (sigma68 of redshift errors, say).
    a, b : (n,) or (n, s) array
        The same galaxies in the same order. Those with a NaN in either are left out of both. With
        s columns (networks, say) the statistic is the mean of the columns' own.
    rng : numpy Generator or int
        Generator, or the seed of one.
    n_boot : int
        Resamples; the least p-value is 2 / (n_boot + 1).

    Raises
    ------
    InputError
        If a and b differ in length.
    """

    def values(drawn: list[FloatArray]) -> tuple[float, float]:
        return _column_mean(statistic, drawn[0]), _column_mean(statistic, drawn[1])

    return compare_numbers(values, (a, b), rng, n_boot)


def ratio_contrast(
    statistic: Statistic,
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    rng: np.random.Generator | int = 0,
    n_boot: int = 1000,
) -> PairedDifference:
    """Compare the ratio of a statistic of two methods with the ratio of two others.

    Parameters
    ----------
    statistic : callable
        Takes an (n,) array, returns a number.
    first, second : pair of (n,) arrays
        Methods (a, b) and (c, d): the same galaxies in the same order in all four.
    rng, n_boot
        As for `paired_difference`.

    Returns
    -------
    PairedDifference
        `value_a` is statistic(a) / statistic(b), `value_b` is statistic(c) / statistic(d). All NaN
        where a denominator vanishes.

    Raises
    ------
    InputError
        If lengths differ.
    """

    def values(drawn: list[FloatArray]) -> tuple[float, float]:
        a, b, c, d = (statistic(x) for x in drawn)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.divide(a, b)), float(np.divide(c, d))

    return compare_numbers(values, (*first, *second), rng, n_boot)


def compare_numbers(
    values: Callable[[list[FloatArray]], tuple[float, float]],
    galaxies: Sequence[npt.ArrayLike],
    rng: np.random.Generator | int,
    n_boot: int,
) -> PairedDifference:
    """Compare two numbers that depend on the same galaxies.

    Parameters
    ----------
    values : callable
        Takes the resampled `galaxies` as a list and returns the two numbers.
    galaxies : sequence of (n,) or (n, s) arrays
        Resampled together. Galaxies with a NaN in any are left out.
    rng, n_boot
        As for `paired_difference`.

    Raises
    ------
    InputError
        If lengths differ.
    """
    arrays, lost = _complete(galaxies)
    n = len(arrays[0])
    first, second = values(arrays)
    drawn = [values([x[i] for x in arrays]) for i in resamples(n, n_boot, rng)]
    pairs = np.array(drawn).reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) == 0 or not np.isfinite([first, second]).all():
        nan = float("nan")
        return PairedDifference(nan, nan, nan, nan, nan, first, second, n, lost)
    difference = pairs[:, 0] - pairs[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = pairs[:, 0] / pairs[:, 1]
        ratio = float(np.divide(first, second))
    # Add one: the sample itself is one of the resamples that could have been drawn.
    tail = min(np.sum(difference <= 0), np.sum(difference >= 0))
    p_value = min(1.0, 2 * (int(tail) + 1) / (len(pairs) + 1))
    return PairedDifference(
        first - second,
        _scatter(difference),
        p_value,
        ratio,
        _scatter(ratios[np.isfinite(ratios)]),
        first,
        second,
        n,
        lost,
    )


def _column_mean(statistic: Statistic, values: FloatArray) -> float:
    columns = values[:, None] if values.ndim == 1 else values
    return float(np.mean([statistic(column) for column in columns.T]))


def _complete(values: Sequence[npt.ArrayLike]) -> tuple[list[FloatArray], int]:
    arrays = [np.asarray(v, dtype=np.float64) for v in values]
    if not arrays or any(a.ndim not in (1, 2) or len(a) != len(arrays[0]) for a in arrays):
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise InputError(f"bootstrap: the same galaxies in each array expected, got {shapes}")
    columns = [a[:, None] if a.ndim == 1 else a for a in arrays]
    finite = np.all([np.isfinite(a).all(axis=1) for a in columns], axis=0)
    return [a[finite] for a in arrays], int(np.sum(~finite))


def resamples(
    n: int, n_boot: int, rng: np.random.Generator | int
) -> Iterator[npt.NDArray[np.int64]]:
    """Indices (n,) of `n_boot` resamples of n galaxies; none for fewer than two galaxies."""
    if n < 2:
        return
    generator = np.random.default_rng(rng)
    for _ in range(n_boot):
        yield generator.integers(0, n, n)


def _scatter(samples: FloatArray) -> float:
    return float(np.std(samples, ddof=1)) if len(samples) > 1 else float("nan")
