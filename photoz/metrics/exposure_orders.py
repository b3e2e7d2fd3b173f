"""Scatter of redshifts between orders of the same exposures (paper, appendix F and Fig. F1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photoz.metrics.point import FloatArray, redshift_error, sigma68


def order_scatter(modes: npt.ArrayLike, z_spec: npt.ArrayLike) -> dict[str, FloatArray]:
    """What the order alone adds to the error of each galaxy, and the error of one order.

    Parameters
    ----------
    modes : (n, orders) array
        Redshifts of every order.
    z_spec : (n,) array

    Returns
    -------
    dict of (n,) arrays
        z_spec; dz, the redshift error (equation 4) of the first order; and order_scatter, the
        sigma68 of the redshifts between orders, over 1 + z_spec. NaN where either redshift is.
    """
    modes = np.asarray(modes, dtype=np.float64)
    spec = np.asarray(z_spec, dtype=np.float64)
    errors = redshift_error(modes, spec[:, None])
    scatter = np.array([sigma68(row) for row in errors])
    return {"z_spec": spec, "dz": errors[:, 0], "order_scatter": scatter}
