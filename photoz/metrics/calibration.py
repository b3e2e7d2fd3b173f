"""Are the p(z) what they claim? PIT, coverage and proper scores (section 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from photoz.metrics.bootstrap import N_BOOT, bootstrap_errors

FloatArray = npt.NDArray[np.float64]

COVERAGE_LEVELS = (0.68, 0.95)
_PIT_EDGE = 1e-10  # Anderson-Darling takes logarithms of the PIT and of 1 - PIT


@dataclass(frozen=True)
class PitTests:
    """Distances of the PIT values from a uniform distribution, with p-values.

    `ks` Kolmogorov-Smirnov, `cvm` Cramer-von Mises, `ad` Anderson-Darling (fully specified).
    `ks_expected` is the mean distance of as many uniform values.
    """

    n: int
    n_invalid: int
    ks: float
    ks_p: float
    ks_expected: float
    cvm: float
    cvm_p: float
    ad: float
    ad_p: float


@dataclass(frozen=True)
class CentralBins:
    """Flatness of the PIT histogram away from its ends, where outliers pile up.

    `ratio` (b,) is each bin's count over the mean of the bins, `deviation` the largest
    |ratio - 1|, `poisson` the scatter of one ratio for uniform values, and `expected` the largest
    deviation that this scatter gives on average among b bins.
    """

    edges: FloatArray
    ratio: FloatArray
    deviation: float
    poisson: float
    expected: float
    n: int


def pit_histogram(
    pit: npt.ArrayLike, n_bins: int = 20
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Edges (b + 1,), density (b,) (1 if uniform) and its Poisson error (b,) of PIT values (n,)."""
    values = _finite(pit)
    count, edges = np.histogram(values, np.linspace(0, 1, n_bins + 1))
    scale = n_bins / max(len(values), 1)
    return edges, count * scale, np.sqrt(count) * scale


def pit_tests(pit: npt.ArrayLike) -> PitTests:
    """Test PIT values (n,) against a uniform distribution; NaN are left out and counted.

    A PIT of exactly 0 or 1 would make Anderson-Darling infinite; it counts as 1e-10 from the end.
    """
    from scipy import stats  # slow to import

    values = _finite(pit)
    lost = int(np.size(pit)) - len(values)
    if len(values) < 2:
        nan = float("nan")
        return PitTests(len(values), lost, nan, nan, nan, nan, nan, nan, nan)
    ks = stats.kstest(values, "uniform")
    cvm = stats.cramervonmises(values, "uniform")
    ad, ad_p = anderson_darling_uniform(values)
    return PitTests(
        len(values),
        lost,
        float(ks.statistic),
        float(ks.pvalue),
        expected_ks(len(values)),
        float(cvm.statistic),
        float(cvm.pvalue),
        ad,
        ad_p,
    )


def ks_distance(pit: npt.ArrayLike) -> float:
    """Kolmogorov-Smirnov distance of PIT values (n,) to uniform, without its p-value."""
    values = np.sort(_finite(pit))
    steps = np.arange(len(values) + 1) / max(len(values), 1)
    if len(values) == 0:
        return float("nan")
    return float(max(np.max(steps[1:] - values), np.max(values - steps[:-1])))


def expected_ks(n: int) -> float:
    """Mean Kolmogorov-Smirnov distance of n uniform values.

    The mean of Kolmogorov's distribution, sqrt(pi / 2) ln 2, over Stephens' (1970, J. R. Stat.
    Soc. B 32, 115) root of n, which is good for any n.
    """
    return float(np.sqrt(np.pi / 2) * np.log(2) / (np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n)))


def anderson_darling_uniform(values: npt.ArrayLike) -> tuple[float, float]:
    """Anderson-Darling statistic and p-value of values (n,) in [0, 1] against uniform.

    The p-value is the asymptotic distribution of Marsaglia & Marsaglia (2004, J. Stat. Softw. 9,
    2), good to 1e-3 for n > 20 or so.
    """
    u = np.clip(np.sort(np.asarray(values, dtype=np.float64)), _PIT_EDGE, 1 - _PIT_EDGE)
    n = len(u)
    odd = 2 * np.arange(1, n + 1) - 1
    statistic = float(-n - np.mean(odd * (np.log(u) + np.log1p(-u[::-1]))))
    a = max(statistic, 1e-6)
    if a < 2:
        terms = (2.00012, 0.247105, -0.0649821, 0.0347962, -0.0116720, 0.00168691)
        below = np.exp(-1.2337141 / a) / np.sqrt(a) * np.polyval(terms[::-1], a)
    else:
        terms = (1.0776, -2.30695, 0.43424, -0.082433, 0.008056, -0.0003146)
        # The fit is for a < 32; beyond, the p-value is zero in any case.
        below = np.exp(-np.exp(np.polyval(terms[::-1], min(a, 32.0))))
    return statistic, float(np.clip(1 - below, 0.0, 1.0))


def central_bins(
    pit: npt.ArrayLike, n_bins: int = 20, low: float = 0.05, high: float = 0.95
) -> CentralBins:
    """Histogram of PIT values (n,) in equal bins between `low` and `high`, over its mean."""
    values = _finite(pit)
    count, edges = np.histogram(values, np.linspace(low, high, n_bins + 1))
    mean = count.mean()
    if mean == 0:
        nan = float("nan")
        return CentralBins(edges, np.full(n_bins, np.nan), nan, nan, nan, 0)
    ratio = count / mean
    poisson = 1 / np.sqrt(mean)
    largest = _largest_of_normals(n_bins)
    deviation = float(np.abs(ratio - 1).max())
    return CentralBins(
        edges, ratio, deviation, float(poisson), float(poisson * largest), int(count.sum())
    )


@cache
def _largest_of_normals(n: int) -> float:
    """Mean of the largest absolute value of n standard normal numbers."""
    from scipy import integrate  # slow to import

    return float(integrate.quad(lambda x: 1 - (2 * ndtr(x) - 1) ** n, 0, 12)[0])


def coverage(pit: npt.ArrayLike, levels: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Fraction of galaxies inside the central intervals of probability `levels` (m,).

    Calibrated densities cover what they claim.

    Returns
    -------
    fraction, error : (m,) array
        With the binomial error; NaN if no PIT is finite.
    """
    values = _finite(pit)
    level = np.atleast_1d(np.asarray(levels, dtype=np.float64))
    if len(values) == 0:
        return np.full(len(level), np.nan), np.full(len(level), np.nan)
    fraction = np.mean(np.abs(values[:, None] - 0.5) <= level / 2, axis=0)
    return fraction, np.sqrt(fraction * (1 - fraction) / len(values))


def calibration_table(
    ensemble: npt.ArrayLike,
    splits: Sequence[npt.ArrayLike],
    n_boot: int = N_BOOT,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """How uniform the PIT of an ensemble is, and that of each of its splits by itself.

    Splits are not pooled: they share their galaxies, so pooled values are not independent and
    every p-value would be too small.

    Parameters
    ----------
    ensemble : (n,) array
        PIT values.
    splits : sequence of (n,) array
        PIT values of every split.
    n_boot : int
        Bootstrap resamples behind `ks_error` and `central_error`.
    rng : numpy Generator or int
        Generator, or the seed of one.

    Returns
    -------
    DataFrame
        Rows `ensemble`, `split 0`, `split 1` ... in the column density; `split 0` alone where there
        is no other, because it is the ensemble. Columns: the fields of
        `PitTests`, ks_error, central_deviation, central_error, central_expected, and the coverage
        of the central 68 and 95 per cent intervals with its error.
    """
    densities = {"ensemble": ensemble} if len(splits) != 1 else {}
    densities |= {f"split {k}": pit for k, pit in enumerate(splits)}
    rows = []
    for name, pit in densities.items():
        statistics = {"ks": ks_distance, "central": lambda x: central_bins(x).deviation}
        errors = bootstrap_errors(statistics, pit, n_boot=n_boot, rng=rng)
        centre = central_bins(pit)
        row = {"density": name} | asdict(pit_tests(pit)) | {"ks_error": errors["ks"]}
        row |= {"central_deviation": centre.deviation, "central_error": errors["central"]}
        row["central_expected"] = centre.expected
        fraction, error = coverage(pit, COVERAGE_LEVELS)
        for level, inside, scatter in zip(COVERAGE_LEVELS, fraction, error, strict=True):
            row |= {f"coverage_{100 * level:.0f}": inside}
            row |= {f"coverage_{100 * level:.0f}_error": scatter}
        rows.append(row)
    return pd.DataFrame(rows)


def _finite(pit: npt.ArrayLike) -> FloatArray:
    values = np.ravel(np.asarray(pit, dtype=np.float64))
    return values[np.isfinite(values)]
