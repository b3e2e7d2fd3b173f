"""Single exposures laid out as bands of their own, for networks that read them (appendix F).

The catalogue that comes out is an ordinary one, so that whatever trains on coadds trains on single
exposures too. Its bands are `NB455:0`, `NB455:1`, ... and the reference band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.survey.catalogue import Catalogue

SEPARATOR = ":"


def lay_out(catalogue: Catalogue, present: float, seed: int) -> Catalogue:
    """Give every exposure a band of its own, as a dense array without a mask (appendix F).

    Exposures are a set: each band of each galaxy has its own in random places. Bands without
    exposures are left out, except the reference band, which stays to divide by. That of the paper
    is not known.

    Parameters
    ----------
    catalogue : Catalogue
        With exposures.
    present : float
        Share of the exposures that is kept, by chance; 0.3 in the paper.
    seed : int

    Returns
    -------
    Catalogue
        Flux 0 and error NaN where there is no exposure.

    Raises
    ------
    InputError
        If the catalogue has no exposures.
    """
    exposures = catalogue.exposures
    if exposures is None:
        raise InputError(
            "the catalogue has no single exposures to lay out; give it some, or train on coadds "
            "(`individual_exposures: null`)"
        )
    rng = np.random.default_rng(seed)
    taken = np.isfinite(exposures.flux) & np.isfinite(exposures.error)
    taken &= rng.random(taken.shape) < present
    place = rng.random(taken.shape).argsort(-1)
    columns = []
    for values, absent in ((exposures.flux, 0.0), (exposures.error, np.nan)):
        filled = np.where(taken, values, np.float32(absent))
        columns.append(np.take_along_axis(filled, place, -1).reshape(len(catalogue), -1))
    reference = catalogue.reference_index
    names = [
        f"{band}{SEPARATOR}{slot}"
        for band in exposures.bands
        for slot in range(exposures.flux.shape[2])
    ]
    return replace(
        catalogue,
        flux=np.column_stack([columns[0], catalogue.flux[:, reference]]),
        error=np.column_stack([columns[1], catalogue.error[:, reference]]),
        bands=(*names, catalogue.reference_band),
        exposures=None,
    )


def exposure_slots(bands: Sequence[str]) -> NDArray[np.int64]:
    """Where the exposures of each band are among the bands of `lay_out`, (band, exposure).

    Raises
    ------
    InputError
        If none of them is an exposure.
    """
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(bands):
        band, separator, _ = name.rpartition(SEPARATOR)
        if separator:
            groups.setdefault(band, []).append(position)
    if not groups or len({len(places) for places in groups.values()}) > 1:
        raise InputError(
            "bands of single exposures expected, as many of each band; make the catalogue of them "
            "again (rule exposure_layout)"
        )
    return np.array(list(groups.values()), dtype=np.int64)
