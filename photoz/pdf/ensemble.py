"""Densities put together: the mean of several, or one after the other into a catalogue's order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from photoz.files import InputError
from photoz.pdf import mixture
from photoz.pdf.grid import PDF, GridPDF
from photoz.pdf.mixture import MixturePDF


def average(pdfs: Sequence[PDF]) -> PDF:
    """Mean density of an ensemble, of mixtures or of densities on one grid.

    A galaxy takes the mean over the members that have a p(z) for it, and has none if no member
    does.

    Parameters
    ----------
    pdfs : sequence of MixturePDF or of GridPDF
        The same galaxies in the same order.

    Raises
    ------
    InputError
        If the ensemble is empty or its members are of two kinds or differ in length or grid.
    """
    mixtures = [pdf for pdf in pdfs if isinstance(pdf, MixturePDF)]
    grids = [pdf for pdf in pdfs if isinstance(pdf, GridPDF)]
    if not grids:
        return mixture.average(mixtures)
    if mixtures:
        raise InputError("average: mixtures and grids cannot be averaged; make all of one kind")
    first = grids[0]
    for pdf in grids:
        if len(pdf) != len(first) or not np.array_equal(pdf.z, first.z):
            raise InputError("average: members differ in galaxies or redshifts; make them again")
    if len(grids) == 1:
        return first
    total = np.sum([np.nan_to_num(pdf.density) for pdf in grids], axis=0)
    members = np.sum([pdf.valid for pdf in grids], axis=0)[:, None]
    return GridPDF(first.z, np.where(members > 0, total, np.nan))


def gather(
    parts: Sequence[tuple[PDF, npt.NDArray[np.generic]]], ids: npt.NDArray[np.generic]
) -> tuple[GridPDF, npt.NDArray[np.int64]]:
    """Put densities on one grid, made part by part, in the order of a catalogue.

    Parameters
    ----------
    parts : sequence of (GridPDF, ids (m,))
        Every galaxy of the catalogue in one of them.
    ids : (n,) array
        Identifiers of the catalogue.

    Returns
    -------
    pdf : GridPDF
        n densities.
    rows : (n,) int array
        Where each galaxy is in the parts, put one after the other.

    Raises
    ------
    InputError
        If a galaxy is missing, there twice or unknown, or the parts differ in their grid.
    """
    grids = [pdf for pdf, _ in parts if isinstance(pdf, GridPDF)]
    if not parts or len(grids) < len(parts):
        raise InputError("p(z) on a grid expected in every part; make them again")
    if any(not np.array_equal(pdf.z, grids[0].z) for pdf in grids):
        raise InputError("the parts have p(z) on different grids; make them again")
    found = np.concatenate([part for _, part in parts])
    if len(found) != len(ids) or not np.array_equal(np.sort(found), np.sort(ids)):
        raise InputError(
            f"the parts hold {len(found)} galaxies that are not the catalogue's {len(ids)}, each "
            "once; make them again"
        )
    order = np.argsort(found, kind="stable")
    rows = order[np.argsort(np.argsort(ids, kind="stable"), kind="stable")]
    density = np.concatenate([pdf.density for pdf in grids])[rows]
    return GridPDF(grids[0].z, density), rows
