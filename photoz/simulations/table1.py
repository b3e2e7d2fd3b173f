"""Table 1 of the paper beside the ranges that a run draws its simulated galaxies from."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from photoz.simulations.priors import Prior

#: FSPS's name, the paper's symbol, unit and range, and our range or what stands in its place.
ROWS = (
    ("zred", "z", "", (0.0, 1.2), "redshift"),
    ("logzsol", "log10(Z / Zsun)", "dex", (-0.5, 0.2), "logzsol"),
    ("tage", "age", "Gyr", (0.0, 14.0), "age of the universe at zred"),
    ("tau", "tau", "Gyr", (0.1, 12.0), "tau"),
    ("const", "k", "fraction", (0.0, 0.25), "const"),
    ("sf_start", "t_i", "Gyr", (0.0, 14.0), "[0, tage]"),
    ("dust2", "E(B-V)", "mag", (0.0, 0.6), "dust2"),
    ("log_gasu", "log10(U)", "dex", (-4.0, 1.0), "gas_logu"),
)


def table1(priors: Mapping[str, Prior]) -> pd.DataFrame:
    """Ranges of the simulated galaxies' parameters (paper, Table 1).

    Parameters
    ----------
    priors : mapping of str to Prior
        By the simulation's name.

    Returns
    -------
    DataFrame
        Columns parameter, symbol, unit, paper, and one for each simulation. A range is drawn from
        uniformly unless it says "log"; a single number is fixed.
    """
    rows = []
    for name, symbol, unit, published, key in ROWS:
        row = {"parameter": name, "symbol": symbol, "unit": unit, "paper": _interval(*published)}
        for simulation, prior in priors.items():
            row[simulation] = _drawn(prior, key) if hasattr(prior, key) else key
        rows.append(row)
    return pd.DataFrame(rows)


def _drawn(prior: Prior, key: str) -> str:
    low, high = getattr(prior, key)
    if low == high:
        return f"{low:g}"
    return _interval(low, high) + (", log" if key in prior.logarithmic else "")


def _interval(low: float, high: float) -> str:
    return f"[{low:g}, {high:g}]"
