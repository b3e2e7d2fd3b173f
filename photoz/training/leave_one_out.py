"""Coadds that lack one exposure, and what a network makes of them (paper, section 5.3, Fig. 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.pdf.grid import PDF
from photoz.survey.catalogue import Catalogue
from photoz.survey.coadds import coadd
from photoz.training.checkpoints import TrainedNetworks
from photoz.training.galaxies import usable_galaxies
from photoz.training.predict import mean_density

NEAR = 0.02
"""|dz| / (1 + z) below which the full coadd's redshift is no outlier (equation 5)."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """One galaxy with each of its exposures left out in turn.

    Attributes
    ----------
    pdf : MixturePDF or GridPDF
        1 + m densities: that of all exposures first.
    band : list of str, 1 + m
        Band of the exposure that is left out; empty for the first.
    exposure : (1 + m,) int array
        Its place in the band; -1 for the first.
    """

    pdf: PDF
    band: list[str]
    exposure: NDArray[np.int64]


def coadds_without_one(catalogue: Catalogue, galaxy: int) -> tuple[NDArray[np.float32], NDArray]:
    """Fluxes of one galaxy with each of its exposures left out in turn.

    An exposure that is the only one of its band is never left out: the band would be empty.

    Returns
    -------
    flux : (m, band) array
    left_out : (m, 2) int array
        Number of the exposed band, and place of the exposure in it.
    """
    exposures = catalogue.exposures
    if exposures is None:
        raise InputError(
            "this catalogue has no single exposures to leave out; set `figures.test_time: false`, "
            "or read its exposures"
        )
    flux, error = exposures.flux[galaxy], exposures.error[galaxy]
    taken = np.isfinite(flux) & np.isfinite(error)
    left_out = np.argwhere(taken & (taken.sum(-1, keepdims=True) > 1))
    rows = np.arange(len(left_out))
    others = np.where(taken, flux, np.nan)[left_out[:, 0]]
    others[rows, left_out[:, 1]] = np.nan
    without, _ = coadd(others, np.where(np.isfinite(others), error[left_out[:, 0]], np.nan))
    columns = np.array([catalogue.bands.index(band) for band in exposures.bands])
    result = np.repeat(catalogue.flux[[galaxy]], len(left_out), axis=0)
    result[rows, columns[left_out[:, 0]]] = without
    return result, left_out


def leave_one_out(one: TrainedNetworks, catalogue: Catalogue, galaxy: int) -> LeftOut:
    """Predict a galaxy with all its exposures, and with each left out in turn.

    Parameters
    ----------
    one : TrainedNetworks
        A single network, which has not seen the galaxy.
    catalogue : Catalogue
        With exposures.
    galaxy : int
        Its row.

    Raises
    ------
    InputError
        If the catalogue has no exposures.
    """
    without, left_out = coadds_without_one(catalogue, galaxy)
    same = replace(catalogue.take(np.full(len(without) + 1, galaxy)), exposures=None)
    flux = np.concatenate([catalogue.flux[[galaxy]], without])
    pdf = mean_density([(one, one.network)], replace(same, flux=flux))
    bands = catalogue.exposures.bands if catalogue.exposures else ()
    return LeftOut(
        pdf, ["", *(bands[b] for b in left_out[:, 0])], np.append(-1, left_out[:, 1]).astype(int)
    )


def leave_one_out_moves(
    trained: TrainedNetworks, catalogue: Catalogue, folds: NDArray[np.integer], most: int
) -> pd.DataFrame:
    """How far the redshifts of galaxies move when one exposure is left out.

    Parameters
    ----------
    trained : TrainedNetworks
        One network per fold.
    catalogue : Catalogue
        With exposures.
    folds : ndarray (n,)
    most : int
        So many galaxies are tried: the first ones with a redshift that a network can read.

    Returns
    -------
    DataFrame
        row (in the catalogue), id, z_spec, z_mode (of all exposures), n_left_out, width (half the
        central 68 per cent of p(z) of all exposures), move (largest change of the mode), and
        nearest and farthest, the smallest and largest |dz| of them all; these four over 1 + z_spec.
    """
    known = np.isfinite(catalogue.redshift) & usable_galaxies(catalogue)
    singles = [
        TrainedNetworks(trained.network.member(k), trained.transform)
        for k in range(trained.network.n_networks)
    ]
    rows = []
    for galaxy in np.flatnonzero(known)[:most]:
        pdf = leave_one_out(singles[folds[galaxy]], catalogue, galaxy).pdf
        modes = pdf.mode()
        scale = 1 + catalogue.redshift[galaxy]
        dz = np.abs(modes - catalogue.redshift[galaxy]) / scale
        move = np.abs(modes - modes[0]).max() / scale
        width = np.diff(pdf.take([0]).quantile([0.16, 0.84])[0])[0] / 2 / scale
        numbers = (len(modes) - 1, width, move, dz.min(), dz.max())
        rows.append((galaxy, catalogue.id[galaxy], catalogue.redshift[galaxy], modes[0], *numbers))
    names = ["row", "id", "z_spec", "z_mode", "n_left_out", "width", "move"]
    names += ["nearest", "farthest"]
    return pd.DataFrame(rows, columns=names)


def most_moved(moves: pd.DataFrame) -> int:
    """Row of the galaxy that moves farthest, of those with a good redshift and a narrow p(z).

    Narrow is the better half: what is known badly moves far for no reason worth a figure.

    Raises
    ------
    InputError
        If there is no galaxy.
    """
    if len(moves) == 0:
        raise InputError("no galaxy with a redshift and all bands; nothing to leave exposures out")
    error = (moves["z_mode"] - moves["z_spec"]).abs() / (1 + moves["z_spec"])
    good = moves[(error < NEAR) & (moves["width"] <= moves["width"].median())]
    chosen = good if len(good) else moves
    return int(chosen["row"].to_numpy()[np.nanargmax(chosen["move"].to_numpy(float))])
