"""The columns of the photo-z table: what every galaxy of a catalogue gets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from photoz.pdf.grid import PDF
from photoz.pdf.summary import summarise
from photoz.survey.catalogue import Catalogue


def photoz_columns(
    pdf: PDF,
    catalogue: Catalogue,
    odds_width: float = 0.003,
    extra: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Put a catalogue and its densities side by side.

    Parameters
    ----------
    pdf : MixturePDF or GridPDF
        Densities of the catalogue's n galaxies, in its order.
    catalogue : Catalogue
    odds_width : float
        Full width of the interval that ODDS integrates (paper, equation 7).
    extra : mapping of str to (n,) array, optional
        What else the method tells of each galaxy: the columns of a template fit, say. Columns that
        the table has already are left out.

    Returns
    -------
    dict of (n,) arrays
        id, z_spec, mag_i, z_mode, z_mean, odds, width, flag and pit (equation 6; NaN where there
        is no spectroscopic redshift); then those of `extra`.
    """
    columns = {
        "id": catalogue.id,
        "z_spec": catalogue.redshift,
        "mag_i": catalogue.mag_i,
        **summarise(pdf, odds_width),
        "pit": pdf.pit(catalogue.redshift),
    }
    return columns | {name: v for name, v in (extra or {}).items() if name not in columns}
