"""Whether random coadds at test time tell good redshifts from bad ones (paper, section 6.2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from photoz.metrics.bootstrap import N_BOOT
from photoz.metrics.point import redshift_error
from photoz.metrics.quality import completeness_curve

CUTS: dict[str, tuple[str, str, bool]] = {
    "odds": ("z_mode", "odds", True),
    "augmented_odds": ("augmented_z_mode", "augmented_odds", True),
    "high_variation": ("z_mode", "variation", True),
    "low_variation": ("z_mode", "variation", False),
}
"""Quality cuts: the redshift that is cut, what it is cut on, and whether high values are kept."""

TABLE = (1.0, 0.75, 0.5, 0.25)


def random_coadd_curves(
    columns: Mapping[str, npt.ArrayLike],
    z_spec: npt.ArrayLike,
    n_boot: int = N_BOOT,
    seed: int = 0,
) -> pd.DataFrame:
    """Scatter against completeness for every cut of `CUTS`.

    Parameters
    ----------
    columns : mapping of name to (n,) array
        As `photoz.training.random_coadds.predict_random_coadds` returns them.
    z_spec : (n,) array
        Galaxies without spectroscopic redshift are left out.
    n_boot, seed : int
        Bootstrap resamples; every curve has the same.

    Returns
    -------
    pandas.DataFrame
        sort_by, and the columns of `photoz.metrics.quality.completeness_curve`.
    """
    spec = np.asarray(z_spec, dtype=np.float64)
    known = np.isfinite(spec)
    curves = []
    for name, (redshift, quality, higher) in CUTS.items():
        dz = redshift_error(columns[redshift], spec)[known]
        values = np.asarray(columns[quality], dtype=np.float64)[known]
        curve = completeness_curve(dz, values, higher_is_better=higher, n_boot=n_boot, rng=seed)
        curve.insert(0, "sort_by", name)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)


def random_coadd_table(curves: pd.DataFrame) -> pd.DataFrame:
    """The curves at a few completenesses, to read."""
    kept = [np.isclose(curves["completeness"], value) for value in TABLE]
    return curves[np.any(kept, axis=0)].sort_values(
        ["sort_by", "completeness"], ascending=[True, False], ignore_index=True
    )
