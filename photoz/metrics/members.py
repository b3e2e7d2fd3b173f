"""What averaging p(z) over more and more networks does (paper, section 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.files import InputError
from photoz.metrics.bootstrap import N_BOOT, Statistic, bootstrap_errors
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction
from photoz.pdf.ensemble import average
from photoz.pdf.grid import PDF

STATISTICS: dict[str, Statistic] = {
    "sigma68": sigma68,
    "strict_outliers": strict_outlier_fraction,
}


def member_metrics(
    pdfs: Sequence[PDF],
    z_spec: npt.ArrayLike,
    n_boot: int = N_BOOT,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """Scatter of ensembles of every size that the splits of a variant allow.

    Of S splits there are S // k ensembles of k that share no network: the first k splits, the next
    k, and so on. A number is the mean over them.

    Parameters
    ----------
    pdfs : sequence of PDF
        Of every split, the same galaxies in the same order.
    z_spec : (n,) array
        Spectroscopic redshifts; galaxies without one are left out.
    n_boot : int
        Bootstrap resamples of the galaxies, the same for all ensembles.
    rng : numpy Generator or int
        Generator, or the seed of one.

    Returns
    -------
    pandas.DataFrame
        Columns networks (k), ensembles, n (galaxies), sigma68, strict_outliers, and sigma68_error
        and strict_outliers_error over galaxies.

    Raises
    ------
    InputError
        If there is no split, or the splits have other galaxies.
    """
    if not pdfs:
        raise InputError("members: no p(z) given; name a variant with a split")
    known = np.flatnonzero(np.isfinite(np.asarray(z_spec, dtype=np.float64)))
    spec = np.asarray(z_spec, dtype=np.float64)[known]
    rows = []
    for k in range(1, len(pdfs) + 1):
        columns = []
        for first in range(0, len(pdfs) - k + 1, k):
            together = average(pdfs[first : first + k])
            columns.append(redshift_error(together.mode()[known], spec))
        means = {name: _mean_of(statistic) for name, statistic in STATISTICS.items()}
        errors = bootstrap_errors(means, *columns, n_boot=n_boot, rng=rng)
        n = int(np.isfinite(columns).all(axis=0).sum())
        row: dict[str, float] = {"networks": k, "ensembles": len(columns), "n": n}
        for name, mean in means.items():
            row |= {name: mean(*columns), f"{name}_error": errors[name]}
        rows.append(row)
    return pd.DataFrame(rows)


def _mean_of(statistic: Statistic) -> Statistic:
    """The mean of a statistic over several columns of errors."""

    def mean(*columns: npt.ArrayLike) -> float:
        return float(np.mean([statistic(column) for column in columns]))

    return mean
