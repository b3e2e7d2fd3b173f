"""Point estimates and quality of each p(z): the columns of the photo-z table (section 6.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from photoz.pdf.grid import PDF

FLAG_FINE = 0
FLAG_NO_PDF = 1


def summarise(pdf: PDF, odds_width: float = 0.003) -> dict[str, npt.NDArray[Any]]:
    """Point estimates and quality parameters.

    Parameters
    ----------
    pdf : MixturePDF or GridPDF
        Densities of n galaxies.
    odds_width : float
        Full width Delta z of the interval about the mode in equation 7.

    Returns
    -------
    dict of (n,) arrays
        z_mode (the point estimate), z_mean, odds, width (distance between the 1 and 99 per cent
        quantiles, `pz_width` of BCNz2), flag (0 fine, 1 no valid p(z): the rest is NaN).
    """
    mode = pdf.mode()
    tails = pdf.quantile([0.01, 0.99])
    return {
        "z_mode": mode,
        "z_mean": pdf.mean(),
        "odds": pdf.odds(odds_width, mode),
        "width": tails[:, 1] - tails[:, 0],
        "flag": np.where(pdf.valid, FLAG_FINE, FLAG_NO_PDF).astype(np.int8),
    }
