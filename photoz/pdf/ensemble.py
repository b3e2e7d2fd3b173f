"""Densities put together: the mean of several, or one after the other into a catalogue's order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    return average_grids(grids)


def average_grids(pdfs: Iterable[GridPDF]) -> GridPDF:
    """Mean of densities on one grid; memory does not grow with their number.

    Parameters
    ----------
    pdfs : iterable of GridPDF
        The same galaxies in the same order; each is asked for once the one before is added.

    Raises
    ------
    InputError
        If there is none, or they differ in length or grid.
    """
    members = iter(pdfs)
    first = next(members, None)
    if first is None:
        raise InputError("average: an ensemble needs at least one p(z)")
    total: npt.NDArray[np.float64] | None = None
    for pdf in members:
        if len(pdf) != len(first) or not np.array_equal(pdf.z, first.z):
            raise InputError("average: members differ in galaxies or redshifts; make them again")
        total = np.nan_to_num(first.density) if total is None else total
        total += np.nan_to_num(pdf.density)
    if total is None:
        return first
    # Densities are scaled to have an integral of one; a galaxy that no member has is left without.
    return GridPDF(first.z, total)


def joined(parts: Sequence[PDF]) -> PDF:
    """Densities of one kind one after the other, as of the parts of a catalogue.

    Raises
    ------
    InputError
        If there is none, or they are of two kinds or on different grids.
    """
    mixtures = [pdf for pdf in parts if isinstance(pdf, MixturePDF)]
    grids = [pdf for pdf in parts if isinstance(pdf, GridPDF)]
    if mixtures and not grids:
        weights = np.concatenate([part.weights for part in mixtures])
        means = np.concatenate([part.means for part in mixtures])
        sigmas = np.concatenate([part.sigmas for part in mixtures])
        return MixturePDF(weights, means, sigmas, mixtures[0].zmin)
    if not grids or mixtures or any(not np.array_equal(g.z, grids[0].z) for g in grids):
        raise InputError("densities of one kind and on one grid expected; make them again")
    return GridPDF(grids[0].z, np.concatenate([grid.density for grid in grids]))


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
