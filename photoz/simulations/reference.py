"""The shipped statistics of real zCOSMOS galaxies: the sky model and the realism reference.

`photoz.mock_reference` writes both files, with the nearest-neighbour scatter that is measured a
floor above this one. Only binned counts, percentiles and relations leave the catalogue, never
single galaxies.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from photoz.files import replace_when_done, require_file
from photoz.simulations.realism import broad_colours, colour_percentiles
from photoz.simulations.sky import REFERENCE_FILE, SKY_FILE, clustered_fraction
from photoz.simulations.template_mock import COLOUR_EXCESSES, template_grid_fluxes
from photoz.sps.template_library import load_template_library
from photoz.survey.bands import BandSet

#: Column of each band in the public catalogue, in the order of the reference.
COLUMNS = {
    "u": "u_cfht",
    "B": "subaru_B",
    "V": "subaru_V",
    "r": "subaru_r",
    "i": "subaru_i",
    "z": "subaru_z",
}
PROVENANCE = (
    "zCOSMOS-bright 20k spectroscopic redshifts with COSMOS photometry, public catalogue of the "
    "repository dirac-institute/photoz_template_learning at e422029; 3 <= cc < 5, z > 0.01, "
    "mask_b = mask_v = mask_i = mask_z = 0, mag_subaru_i < 22.5, all six bands measured, z < 1.2"
)
REDSHIFT_MAX = 1.2


def read_real(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """Redshift (n,), magnitudes and errors (n, 6) of the selected real galaxies."""
    table = pd.read_parquet(require_file(path, "zCOSMOS catalogue"))
    keep = (table["cc"] >= 3) & (table["cc"] < 5) & (table["zspec"] > 0.01)
    keep &= (table["zspec"] < REDSHIFT_MAX) & (table["mag_subaru_i"] < 22.5)
    for mask in ("mask_b", "mask_v", "mask_i", "mask_z"):
        keep &= table[mask] == 0
    for column in COLUMNS.values():
        keep &= np.isfinite(table[f"mag_{column}"]) & np.isfinite(table[f"magerr_{column}"])
    table = table[keep]
    return {
        "redshift": table["zspec"].to_numpy(),
        "magnitude": table[[f"mag_{c}" for c in COLUMNS.values()]].to_numpy(),
        "error": table[[f"magerr_{c}" for c in COLUMNS.values()]].to_numpy(),
    }


def match_templates(
    real: dict[str, np.ndarray], bands: BandSet, iterations: int = 6
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best template and E(B-V) of every real galaxy at its redshift, and the band zero-points.

    Returns
    -------
    template, excess : (n,), (n,)
        Indices into the library and into `COLOUR_EXCESSES`.
    zero_point : (6,)
        Magnitudes to be added to the catalogue's, relative to the i band, so that the median
        residual of every band vanishes (compare Ilbert et al. 2009, table 1).
    """
    redshift, magnitude, error = real["redshift"], real["magnitude"], real["error"]
    step = 0.01
    models = template_grid_fluxes(np.arange(0.0, REDSHIFT_MAX + step, step) + 1e-4, bands)
    models = models.reshape(len(models), -1, magnitude.shape[1])
    nearest = np.round(redshift / step).astype(int)
    reference = list(COLUMNS).index("i")
    zero_point = np.zeros(magnitude.shape[1])
    best = np.zeros(len(redshift), dtype=int)
    for _ in range(iterations):
        flux = 10.0 ** (-0.4 * (magnitude + zero_point))
        weight = (flux * 0.921 * np.hypot(error, 0.03)) ** -2
        residual = np.empty_like(magnitude)
        for k in np.unique(nearest):
            rows = np.flatnonzero(nearest == k)
            model = models[k]
            scale = (flux[rows] * weight[rows]) @ model.T / (weight[rows] @ (model**2).T)
            # chi2 without its constant term
            chosen = np.argmax(scale**2 * (weight[rows] @ (model**2).T), axis=1)
            best[rows] = chosen
            fitted = scale[np.arange(len(rows)), chosen][:, None] * model[chosen]
            residual[rows] = -2.5 * np.log10(fitted) - magnitude[rows]
        zero_point = np.median(residual, axis=0)
        zero_point -= zero_point[reference]
    return best // len(COLOUR_EXCESSES), best % len(COLOUR_EXCESSES), zero_point


def sky_content(
    real: dict[str, np.ndarray], template: np.ndarray, excess: np.ndarray
) -> dict[str, Any]:
    """Content of ``zcosmos_sky.json``."""
    redshift = real["redshift"]
    magnitude = real["magnitude"][:, list(COLUMNS).index("i")]
    fine = np.bincount(np.floor(redshift / 0.001 + 1e-9).astype(int), minlength=1200)
    coarse = np.round(np.append(np.arange(0.0, 1.0, 0.05), [1.0, 1.2]), 3)
    edges = np.round(np.arange(17.9, 22.51, 0.1), 3)
    counts = np.histogram2d(redshift, magnitude, [coarse, edges])[0]
    mix_redshift = np.array([0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.2])
    mix_magnitude = np.array([0.0, 20.0, 20.75, 21.25, 21.75, 22.1, 22.5])
    sample = np.stack([redshift, magnitude, template], axis=1)
    templates = np.arange(len(load_template_library()) + 1) - 0.5
    excesses = np.arange(len(COLOUR_EXCESSES) + 1) - 0.5
    mix = np.histogramdd(sample, [mix_redshift, mix_magnitude, templates])[0]
    dust = np.histogram2d(template, excess, [templates, excesses])[0]
    return {
        "provenance": PROVENANCE,
        "n": len(redshift),
        "redshift_step": 0.001,
        "redshift_counts": fine.tolist(),
        "coarse_redshift_edges": coarse.tolist(),
        "magnitude_edges": edges.tolist(),
        "magnitude_counts": counts.astype(int).tolist(),
        "template_mix": {
            "provenance": "best COSMOS template and E(B-V), Calzetti, at the true redshift",
            "redshift_edges": mix_redshift.tolist(),
            "magnitude_edges": mix_magnitude.tolist(),
            "template_counts": mix.astype(int).tolist(),
            "colour_excess": list(COLOUR_EXCESSES),
            "colour_excess_counts": dust.astype(int).tolist(),
        },
    }


def reference_content(
    real: dict[str, np.ndarray],
    zero_point: np.ndarray,
    bands: BandSet,
    neighbour_scatter: dict[str, Any],
) -> dict[str, Any]:
    """Content of ``zcosmos_reference.json``."""
    redshift, magnitude, error = real["redshift"], real["magnitude"], real["error"]
    i_band = magnitude[:, list(COLUMNS).index("i")]
    relations = {}
    for j, name in enumerate(COLUMNS):
        nodes = np.round(np.percentile(magnitude[:, j], [0.5, 5, 20, 40, 60, 80, 95, 99.5]), 2)
        near = [np.abs(magnitude[:, j] - node) < 0.15 for node in nodes]
        logs = np.log10(error[:, j])
        p16, p50, p84 = np.array([np.percentile(logs[m], [16, 50, 84]) for m in near]).T
        relations[name] = {
            "wavelength": round(bands[name].mean_wavelength, 1),
            # magnitudes on the corrected scale, that of the mock
            "magnitude": np.round(nodes + zero_point[j], 3).tolist(),
            "log10_error_p16": np.round(p16, 4).tolist(),
            "log10_error_p50": np.round(p50, 4).tolist(),
            "log10_error_p84": np.round(p84, 4).tolist(),
        }
    colours = broad_colours(magnitude + zero_point)
    return {
        "provenance": PROVENANCE,
        "n": len(redshift),
        "bands": list(COLUMNS),
        "zero_point": dict(zip(COLUMNS, np.round(zero_point, 4).tolist(), strict=True)),
        "zero_point_note": (
            "added to the catalogue's magnitudes before colours and error relations are taken: "
            "median residuals of the COSMOS template fit at the true redshifts"
        ),
        "clustered_fraction": round(clustered_fraction(redshift), 4),
        "magnitude_errors": relations,
        "colours": colour_percentiles(redshift, i_band, colours),
        "neighbour_scatter": neighbour_scatter,
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON with one key per line and its lists on that line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    with replace_when_done(path) as temporary:
        temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def build(
    real: dict[str, np.ndarray],
    bands: BandSet,
    neighbour_scatter: dict[str, Any],
    folder: str | PathLike[str],
) -> None:
    """Write both files into `folder`.

    Parameters
    ----------
    real : dict
        From `read_real`.
    bands : BandSet
        The six broad bands u, B, V, r, i, z.
    neighbour_scatter : dict
        How well neighbours in colour tell the redshifts of `real`, as plain numbers and lists.
    folder : path-like
    """
    template, excess, zero_point = match_templates(real, bands)
    folder = Path(folder)
    write_json(folder / SKY_FILE, sky_content(real, template, excess))
    content = reference_content(real, zero_point, bands, neighbour_scatter)
    write_json(folder / REFERENCE_FILE, content)
