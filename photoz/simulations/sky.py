"""Where the mock galaxies are: the clustered n(z, i) of zCOSMOS, and broad-band errors.

Real redshifts are not a smooth distribution. Groups and walls put about four galaxies in ten into
Delta z = 0.001 bins that hold 20 or more, against one in ten for a smooth n(z), and a network can
learn those spikes (paper, section 3.4). The shipped counts are binned, never per galaxy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

SKY_FILE = "zcosmos_sky.json"
REFERENCE_FILE = "zcosmos_reference.json"
#: Share of the redshift intensity that is a smooth n(z), so that no redshift is impossible.
SMOOTH_SHARE = 0.02
#: Width of that smooth n(z) in redshift.
SMOOTH_WIDTH = 0.02


@lru_cache(maxsize=4)
def _load_json(name: str) -> dict[str, Any]:
    text = resources.files("photoz.data").joinpath(name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def load_reference() -> dict[str, Any]:
    """Statistics of the real catalogue, with their provenance (``zcosmos_reference.json``)."""
    return _load_json(REFERENCE_FILE)


@dataclass(frozen=True)
class SkyModel:
    """Binned redshift and magnitude distribution of zCOSMOS to i < 22.5.

    Attributes
    ----------
    redshift_edges : (n_z + 1,)
        Edges of the fine redshift bins, 0.001 wide.
    redshift_counts : (n_z,)
        Real galaxies in each.
    coarse_edges : (n_c + 1,)
        Edges of the redshift bins within which magnitudes are counted.
    magnitude_edges : (n_m + 1,)
        i-band magnitude (AB).
    magnitude_counts : (n_c, n_m)
        Real galaxies in each cell.
    """

    redshift_edges: np.ndarray
    redshift_counts: np.ndarray
    coarse_edges: np.ndarray
    magnitude_edges: np.ndarray
    magnitude_counts: np.ndarray


def load_sky() -> SkyModel:
    """Read the shipped sky model."""
    content = _load_json(SKY_FILE)
    step, counts = content["redshift_step"], np.array(content["redshift_counts"], float)
    return SkyModel(
        redshift_edges=step * np.arange(len(counts) + 1),
        redshift_counts=counts,
        coarse_edges=np.array(content["coarse_redshift_edges"]),
        magnitude_edges=np.array(content["magnitude_edges"]),
        magnitude_counts=np.array(content["magnitude_counts"], float),
    )


def draw_redshift_magnitude(
    n: int, rng: np.random.Generator, sky: SkyModel | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw galaxies from the clustered n(z, i).

    Redshifts are a multinomial draw from the fine bins (uniform inside each); magnitudes follow the
    counts of a coarse redshift bin, chosen with a dither of half its width so that their
    distribution changes smoothly with redshift.

    Returns
    -------
    redshift, magnitude : (n,), (n,)
    """
    sky = sky or load_sky()
    step = sky.redshift_edges[1] - sky.redshift_edges[0]
    counts = sky.redshift_counts
    smooth = gaussian_filter1d(counts, SMOOTH_WIDTH / step, mode="constant")
    intensity = (1 - SMOOTH_SHARE) * counts + SMOOTH_SHARE * smooth
    fine = rng.choice(len(counts), n, p=intensity / intensity.sum())
    redshift = sky.redshift_edges[fine] + step * rng.uniform(size=n)
    redshift = np.maximum(redshift, sky.redshift_edges[np.flatnonzero(counts)[0]])

    widths = np.diff(sky.coarse_edges)
    own = _bin(redshift, sky.coarse_edges)
    dithered = redshift + widths[own] * rng.uniform(-0.5, 0.5, n)
    cumulative = np.cumsum(sky.magnitude_counts, axis=1)
    cumulative /= cumulative[:, -1:]
    rows = cumulative[_bin(dithered, sky.coarse_edges)]
    column = (rng.uniform(size=n)[:, None] > rows).sum(axis=1)
    low, high = sky.magnitude_edges[column], sky.magnitude_edges[column + 1]
    magnitude = low + (high - low) * rng.uniform(size=n)
    return redshift, magnitude


def clustered_fraction(redshift: np.ndarray, step: float = 0.001, minimum: int = 20) -> float:
    """Share of the galaxies in redshift bins of width `step` that hold `minimum` or more."""
    redshift = np.asarray(redshift)
    counts = np.bincount(np.floor(redshift / step + 1e-9).astype(int))
    return float(counts[counts >= minimum].sum() / len(redshift))


def _bin(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


@dataclass(frozen=True)
class TemplateMix:
    """How often each COSMOS template fits real galaxies best.

    Attributes
    ----------
    redshift_edges, magnitude_edges : (n_z + 1,), (n_m + 1,)
    template_counts : (n_z, n_m, template)
    colour_excess_counts : (template, E(B-V) node)
    """

    redshift_edges: np.ndarray
    magnitude_edges: np.ndarray
    template_counts: np.ndarray
    colour_excess_counts: np.ndarray


def load_template_mix() -> TemplateMix:
    """Read the shipped mix of templates."""
    content = _load_json(SKY_FILE)["template_mix"]
    return TemplateMix(
        redshift_edges=np.array(content["redshift_edges"]),
        magnitude_edges=np.array(content["magnitude_edges"]),
        template_counts=np.array(content["template_counts"], float),
        # one more of each keeps rows of templates that fit no galaxy
        colour_excess_counts=np.array(content["colour_excess_counts"], float)
        + np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.0]),
    )
