"""Galaxies of one spectral template at many redshifts (paper, section 4.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.projection import BandProjector
from photoz.sps.template_library import load_template_library
from photoz.survey.bands import BandSet
from photoz.survey.keys import did_you_mean

ELLIPTICAL = "Ell1_A_0"
"""The template of Figure 4."""
_LOG_STEP = 8e-4  # finer than the templates' own sampling of 0.23 %
_BATCH = 1000


def template_fluxes(
    bands: BandSet, redshift: NDArray[np.floating], template: str = ELLIPTICAL
) -> NDArray[np.float32]:
    """Band fluxes of a COSMOS template, without dust and emission lines.

    Parameters
    ----------
    bands : BandSet
    redshift : (n,) array
        From 0 on.
    template : str
        Name in the template library.

    Returns
    -------
    (n, band) float32
        f_nu in arbitrary units.

    Raises
    ------
    InputError
        If there is no such template, or it does not cover a band at some redshift.
    """
    library = load_template_library()
    if template not in library.names:
        raise InputError(f"no template '{template}'; {did_you_mean(template, library.names)}")
    redshift = np.asarray(redshift, dtype=np.float64)
    low, high = np.log(library.wavelength[[0, -1]])
    wavelength = np.exp(np.arange(low, high, _LOG_STEP))
    spectrum = np.interp(
        wavelength, library.wavelength, library.f_lambda[library.names.index(template)]
    )
    projector = BandProjector(wavelength, np.empty(0), bands, float(redshift.max(initial=0.0)))
    fluxes = np.empty((redshift.size, len(bands)), dtype=np.float32)
    # A template's luminosity is arbitrary; this one keeps the fluxes far from the float's ends.
    spectrum /= spectrum.mean()
    for start in range(0, redshift.size, _BATCH):
        part = redshift[start : start + _BATCH]
        seen = spectrum[projector.pixels]
        repeated = np.broadcast_to(seen, (part.size, seen.size))
        fluxes[start : start + _BATCH] = projector.fluxes(repeated, None, part)
    return fluxes
