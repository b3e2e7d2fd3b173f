"""Does a mock catalogue look like the real one? Both sides as plain arrays, for tests and figures.

The real side is shipped (``zcosmos_reference.json``, ``zcosmos_sky.json``); the mock side is
measured by the same functions.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from photoz.files import InputError
from photoz.simulations.sky import clustered_fraction, load_reference, load_sky
from photoz.survey.catalogue import Catalogue

PERCENTILES = (5.0, 16.0, 50.0, 84.0, 95.0)
COLOUR_REDSHIFT_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.2)
COLOUR_MAGNITUDE_EDGES = (0.0, 20.0, 20.5, 21.0, 21.5, 22.0, 22.5)


def broad_colours(magnitude: np.ndarray) -> np.ndarray:
    """Adjacent colours, (n, band - 1), of magnitudes (n, band)."""
    return magnitude[:, :-1] - magnitude[:, 1:]


def colour_percentiles(
    redshift: np.ndarray, magnitude: np.ndarray, colours: np.ndarray
) -> dict[str, Any]:
    """Percentiles of every colour per redshift bin, per magnitude bin, and of all galaxies.

    Parameters
    ----------
    redshift, magnitude : (n,)
    colours : (n, colour)

    Returns
    -------
    dict
        `percentiles`; `all` [percentile][colour]; `redshift_edges` with `by_redshift`
        [bin][percentile][colour]; the same for `magnitude`. Bins of fewer than 20 hold NaN.
    """

    def of(rows: np.ndarray) -> list[list[float]]:
        if rows.sum() < 20:
            return np.full((len(PERCENTILES), colours.shape[1]), np.nan).tolist()
        table = np.nanpercentile(colours[rows], PERCENTILES, axis=0)
        return [[round(float(value), 4) for value in row] for row in table]

    def binned(values: np.ndarray, edges: tuple[float, ...]) -> list[list[list[float]]]:
        return [of((values >= low) & (values < high)) for low, high in pairwise(edges)]

    return {
        "percentiles": list(PERCENTILES),
        "all": of(np.ones(len(redshift), dtype=bool)),
        "redshift_edges": list(COLOUR_REDSHIFT_EDGES),
        "by_redshift": binned(redshift, COLOUR_REDSHIFT_EDGES),
        "magnitude_edges": list(COLOUR_MAGNITUDE_EDGES),
        "by_magnitude": binned(magnitude, COLOUR_MAGNITUDE_EDGES),
    }


def reference_bands(catalogue: Catalogue) -> list[int]:
    """Positions of the reference's bands u, B, V, r, i, z on the catalogue's band axis.

    Raises
    ------
    InputError
        If the catalogue lacks one of them.
    """
    names = load_reference()["bands"]
    missing = [name for name in names if name not in catalogue.bands]
    if missing:
        raise InputError(
            f"comparison with zCOSMOS needs the bands {', '.join(names)}; the catalogue of "
            f"{catalogue.survey} has no {', '.join(missing)}"
        )
    return [catalogue.bands.index(name) for name in names]


def broad_magnitudes(catalogue: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    """Observed magnitudes and their errors in the bands of the reference, (n, 6) each.

    Raises
    ------
    InputError
        If the catalogue lacks one of the bands u, B, V, r, i, z.
    """
    index = reference_bands(catalogue)
    flux = catalogue.flux[:, index].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        magnitude = catalogue.zero_point - 2.5 * np.log10(flux)
        error = 2.5 / np.log(10.0) * catalogue.error[:, index] / flux
    return magnitude, error


def compare_with_real(catalogue: Catalogue, redshift_width: float = 0.025) -> dict[str, Any]:
    """Distributions of a mock beside those of zCOSMOS.

    The neighbour scatter of the mock is measured by `photoz.training.neighbours`, a floor above
    this one; its real counterpart, in `neighbour_scatter`, by `photoz.mock_reference`.

    Returns
    -------
    dict
        `magnitude_edges`, `magnitude_real`, `magnitude_mock` and `redshift_edges`,
        `redshift_real`, `redshift_mock` (densities); `fine_redshift_edges` (0.001 wide),
        `fine_redshift_real`, `fine_redshift_mock` (counts); `colour_names`, `colours_real`,
        `colours_mock` as from `colour_percentiles`; `median_offset` (bin of redshift, colour) of
        mock minus real; `clustered_fraction_real`, `clustered_fraction_mock`;
        `neighbour_scatter` (real only).
    """
    reference, sky = load_reference(), load_sky()
    magnitude, _ = broad_magnitudes(catalogue)
    colours = broad_colours(magnitude)
    mock = colour_percentiles(catalogue.redshift, catalogue.mag_i, colours)
    names = reference["bands"]

    real_magnitude = sky.magnitude_counts.sum(axis=0)
    magnitude_edges = sky.magnitude_edges
    mock_magnitude = np.histogram(catalogue.mag_i, magnitude_edges)[0]
    per_bin = max(round(redshift_width / 0.001), 1)
    fine_mock = np.histogram(catalogue.redshift, sky.redshift_edges)[0]
    whole = len(fine_mock) // per_bin * per_bin
    coarse_real = sky.redshift_counts[:whole].reshape(-1, per_bin).sum(axis=1)
    coarse_mock = fine_mock[:whole].reshape(-1, per_bin).sum(axis=1)
    redshift_edges = sky.redshift_edges[: whole + 1 : per_bin]
    medians = [
        np.array(side["by_redshift"])[:, PERCENTILES.index(50.0)]
        for side in (mock, reference["colours"])
    ]
    return {
        "magnitude_edges": magnitude_edges,
        "magnitude_real": _density(real_magnitude, magnitude_edges),
        "magnitude_mock": _density(mock_magnitude, magnitude_edges),
        "redshift_edges": redshift_edges,
        "redshift_real": _density(coarse_real, redshift_edges),
        "redshift_mock": _density(coarse_mock, redshift_edges),
        "fine_redshift_edges": sky.redshift_edges,
        "fine_redshift_real": sky.redshift_counts,
        "fine_redshift_mock": fine_mock,
        "colour_names": [f"{a}-{b}" for a, b in pairwise(names)],
        "colours_real": reference["colours"],
        "colours_mock": mock,
        "median_offset": medians[0] - medians[1],
        "clustered_fraction_real": reference["clustered_fraction"],
        "clustered_fraction_mock": clustered_fraction(catalogue.redshift),
        "neighbour_scatter": reference["neighbour_scatter"],
    }


def _density(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    density: np.ndarray = counts / max(float(counts.sum()), 1.0) / np.diff(edges)
    return density
