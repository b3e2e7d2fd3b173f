"""A second mock survey, from the 31 COSMOS templates: no stellar library in common with the sims.

Types and colour excesses follow the best-fitting templates of real galaxies of the same redshift
and magnitude, as the paper's template simulation takes them from the COSMOS catalogue (section
3.2.1). Emission lines follow the ultraviolet continuum (Ilbert et al. 2009), with scatter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from photoz.simulations.deviations import (
    attenuation_curves,
    draw_dust_law,
    line_scatter,
    smooth_deviations,
)
from photoz.simulations.galaxies import PopulationConfig
from photoz.simulations.sky import load_template_mix
from photoz.sps.template_library import EMISSION_LINES, line_luminosities, load_template_library
from photoz.survey.bands import BandSet
from photoz.survey.photometry import band_weights, line_flux

if TYPE_CHECKING:
    from photoz.sps.projection import BandProjector

#: E(B-V) of the grid that real galaxies are matched with.
COLOUR_EXCESSES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
#: Line strength along the template sequence: none in Ell1 ... S0, rising through Sa, Sb.
FIRST_LINE_TEMPLATE, FULL_LINE_TEMPLATE = 8, 12
#: Templates are resampled to this step in ln(wavelength) over this range (A).
LOG_STEP, WAVELENGTH_RANGE = 8e-4, (1250.0, 12000.0)


def mock_wavelengths() -> np.ndarray:
    """Rest wavelengths (A) of the mock spectra, uniform in the logarithm."""
    low, high = np.log(WAVELENGTH_RANGE)
    return np.exp(np.arange(low, high, LOG_STEP))


def line_wavelengths() -> np.ndarray:
    """Rest wavelengths (A) of the emission lines, (line,)."""
    return np.array([line.wavelength for line in EMISSION_LINES])


def line_strength(template: np.ndarray) -> np.ndarray:
    """Share of the ultraviolet that belongs to young stars, 0 to 1, by (fractional) template."""
    return np.clip(
        (template - FIRST_LINE_TEMPLATE + 1.0) / (FULL_LINE_TEMPLATE - FIRST_LINE_TEMPLATE + 1.0),
        0.0,
        1.0,
    )


def template_grid_fluxes(redshifts: Sequence[float] | np.ndarray, bands: BandSet) -> np.ndarray:
    """Fluxes of all templates with Calzetti dust, for matching real galaxies.

    Returns
    -------
    (redshift, template, E(B-V), band)
        f_nu in arbitrary units, the same for all bands of a galaxy.
    """
    library = load_template_library()
    wavelength = mock_wavelengths()
    lines = line_wavelengths()
    excess = np.array(COLOUR_EXCESSES)[:, None]
    continuum = library.resample(wavelength)[:, None]
    continuum = continuum * 10.0 ** (-0.4 * excess * attenuation_curves(wavelength)[0])
    strength = line_strength(np.arange(len(library)))[:, None]
    luminosity = (line_luminosities(library) * strength)[:, None]
    luminosity = luminosity * 10.0 ** (-0.4 * excess * attenuation_curves(lines)[0])
    out = np.empty((len(redshifts), len(library), len(COLOUR_EXCESSES), len(bands)))
    for k, redshift in enumerate(redshifts):
        observed = lines * (1.0 + redshift)
        for b, band in enumerate(bands):
            out[k, ..., b] = continuum @ band_weights(wavelength * (1.0 + redshift), band)
            out[k, ..., b] += luminosity @ (line_flux(observed, 1.0, band) * (1.0 + redshift))
    return out


def draw_templates(
    redshift: np.ndarray, magnitude: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fractional template number and E(B-V), (n,) each, as in real galaxies like these."""
    mix = load_template_mix()
    counts = mix.template_counts
    z = np.clip(np.searchsorted(mix.redshift_edges, redshift) - 1, 0, counts.shape[0] - 1)
    m = np.clip(np.searchsorted(mix.magnitude_edges, magnitude) - 1, 0, counts.shape[1] - 1)
    # A cell of few galaxies borrows from the magnitudes around it.
    filled = counts + 0.02 * counts.sum(axis=1, keepdims=True)
    template = _draw_rows(filled[z, m], rng)
    excess = _draw_rows(mix.colour_excess_counts[template], rng)
    fractional = template + rng.uniform(-0.5, 0.5, len(redshift))
    step = COLOUR_EXCESSES[1] - COLOUR_EXCESSES[0]
    dust = np.array(COLOUR_EXCESSES)[excess] + step * rng.uniform(-0.5, 0.5, len(redshift))
    last = counts.shape[2] - 1
    return np.clip(fractional, 0.0, last), np.maximum(dust, 0.0)


def _draw_rows(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    cumulative = np.cumsum(weights, axis=1)
    threshold = rng.uniform(size=len(weights)) * cumulative[:, -1]
    column: np.ndarray = (threshold[:, None] >= cumulative).sum(axis=1)
    return np.minimum(column, weights.shape[1] - 1)


class TemplateSpectra:
    """Spectra of template galaxies, made chunk by chunk; see `fluxes`."""

    def __init__(self, projector: BandProjector, config: PopulationConfig) -> None:
        library = load_template_library()
        self.projector, self.config = projector, config
        self.wavelength = mock_wavelengths()
        self.templates = library.resample(self.wavelength)
        self.luminosity = line_luminosities(library)
        self.groups = [line.group for line in EMISSION_LINES]
        self.curves = attenuation_curves(self.wavelength)
        self.line_curves = attenuation_curves(line_wavelengths())

    def fluxes(
        self,
        redshift: np.ndarray,
        template: np.ndarray,
        dust: np.ndarray,
        law: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Fluxes (n, band) of galaxies between adjacent templates, with deviations and lines."""
        n, config = len(redshift), self.config
        low = np.minimum(template.astype(int), len(self.templates) - 2)
        part = (template - low)[:, None]
        # Normalised templates are mixed in flux: their scales along the sequence are arbitrary.
        continuum = (1.0 - part) * self.templates[low] + part * self.templates[low + 1]
        lines = (1.0 - part) * self.luminosity[low] + part * self.luminosity[low + 1]
        continuum *= 10.0 ** (-0.4 * dust[:, None] * self.curves[law])
        continuum *= smooth_deviations(
            self.wavelength, n, config.continuum_rms, config.continuum_length, rng
        )
        lines *= 10.0 ** (-0.4 * dust[:, None] * self.line_curves[law])
        lines *= line_strength(template)[:, None]
        lines *= line_scatter(self.groups, n, config.line_scatter, rng)
        return self.projector.fluxes(continuum, lines, redshift)


def draw_template_galaxies(
    redshift: np.ndarray,
    magnitude: np.ndarray,
    config: PopulationConfig,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """`template`, `dust` (E(B-V)) and `law` of galaxies with these redshifts and magnitudes."""
    template, dust = draw_templates(redshift, magnitude, rng)
    law = draw_dust_law(len(redshift), config.other_dust_fraction, rng)
    return {"template": template, "dust": dust, "law": law}
