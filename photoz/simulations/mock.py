"""The two mock surveys that stand in for PAUS data, which are not public.

`make_mock` makes galaxies with populations of our SSP grid, but with other histories, dust and
deviations than the training simulation; `make_template_mock` makes them from the COSMOS templates.
Both share the sky (`sky`) and the telescope (`observing`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from photoz.files import InputError
from photoz.simulations.deviations import (
    MOCK_DUST_LAWS,
    attenuation_curves,
    line_group,
    line_scatter,
    smooth_deviations,
)
from photoz.simulations.galaxies import (
    GALAXY_TYPES,
    Galaxies,
    PopulationConfig,
    age_weights,
    draw_galaxies,
)
from photoz.simulations.observing import ObservingConfig, observe
from photoz.simulations.sky import draw_redshift_magnitude
from photoz.simulations.template_mock import (
    TemplateSpectra,
    draw_template_galaxies,
    line_wavelengths,
    mock_wavelengths,
)
from photoz.sps.grid import SSPGrid, load_grid
from photoz.sps.population import PopulationModel
from photoz.sps.projection import BandProjector
from photoz.survey.catalogue import Catalogue

if TYPE_CHECKING:
    from photoz.survey.survey import Survey

CHUNK = 512
#: Share of galaxies made beyond those asked for: the observed magnitude limit loses some.
SPARE = 0.08
#: Where the sky model ends: i magnitude (AB) and redshift of the zCOSMOS galaxies in it.
SKY_MAGNITUDE, SKY_REDSHIFT = 22.5, 1.2
#: Mean wavelengths (A) of reference bands on which those i magnitudes may be put.
REFERENCE_WAVELENGTHS = (7000.0, 8500.0)
#: Galaxies this far (mag) beyond a limit are made too: noise brings some of them in.
MARGIN = 0.3
_ROUNDS = 500  # of drawing until enough galaxies lie within the selection
#: Lines whose rest-frame equivalent widths go into the catalogue's truth.
EQUIVALENT_WIDTHS = {"oii": 3727.5, "hb": 4862.0, "oiii5007": 5008.0, "ha": 6564.0}


@dataclass(frozen=True)
class MockConfig:
    """A mock survey; every field is a configuration key.

    Attributes
    ----------
    n_galaxies : int
        8566 in the paper.
    population : PopulationConfig
    observing : ObservingConfig
    """

    n_galaxies: int = 8566
    population: PopulationConfig = field(default_factory=PopulationConfig)
    observing: ObservingConfig = field(default_factory=ObservingConfig)

    def __post_init__(self) -> None:
        if self.n_galaxies < 1:
            raise InputError(f"mock: n_galaxies must be at least 1, got {self.n_galaxies}")


def make_mock(
    survey: Survey, config: MockConfig, seed: int, grid: SSPGrid | None = None
) -> Catalogue:
    """Make the mock survey with populations of the SSP grid.

    Parameters
    ----------
    survey : Survey
        Its bands, depths, exposures, zero-point, and the magnitude and redshift limits of its
        selection (22.5 and 1.2 where it has none). The other cuts hold for any mock: every band
        is measured, every redshift right, nothing masked.
    config : MockConfig
    seed : int
        The same survey, configuration and seed give the same catalogue.
    grid : SSPGrid, optional
        The shipped grid by default.

    Returns
    -------
    Catalogue
        `n_galaxies` galaxies within the limits as observed; `truth` holds the properties of
        `Galaxies`, true magnitude, formed mass (`log_mass_formed`), equivalent widths (A).

    Raises
    ------
    InputError
        If the sky model does not reach the survey's limits, hardly any galaxy lies within them,
        or its reference band is not like i.
    """
    grid = grid or load_grid()
    rng = np.random.default_rng(seed)
    redshift, magnitude = _draw_sky(survey, config.n_galaxies, rng)
    galaxies = draw_galaxies(redshift, magnitude, config.population, rng)
    maggies, truth = population_fluxes(galaxies, survey, config.population, grid, rng)
    maggies, scale = _to_magnitude(maggies, magnitude, survey)
    truth["log_mass_formed"] = np.log10(scale)
    truth |= {name: values for name, values in vars(galaxies).items() if name != "redshift"}
    truth["type"] = np.array(GALAXY_TYPES, dtype=str)[galaxies.type]
    return _observed(maggies, redshift, magnitude, survey, config, rng, truth)


def make_template_mock(survey: Survey, config: MockConfig, seed: int) -> Catalogue:
    """Make the mock survey from the COSMOS templates; arguments and result as `make_mock`.

    Of `config.population` only dust law, continuum and line deviations are used. `truth` holds
    `template` (fractional number), `dust`, `law` and the true magnitude.
    """
    rng = np.random.default_rng(seed)
    redshift, magnitude = _draw_sky(survey, config.n_galaxies, rng)
    truth = draw_template_galaxies(redshift, magnitude, config.population, rng)
    projector = BandProjector(mock_wavelengths(), line_wavelengths(), survey.bands, SKY_REDSHIFT)
    spectra = TemplateSpectra(projector, config.population)
    maggies = np.empty((len(redshift), len(survey.bands)))
    order = np.argsort(redshift, kind="stable")
    for rows in _chunks(order):
        maggies[rows] = spectra.fluxes(
            redshift[rows], truth["template"][rows], truth["dust"][rows], truth["law"][rows], rng
        )
    maggies, _ = _to_magnitude(maggies, magnitude, survey)
    return _observed(maggies, redshift, magnitude, survey, config, rng, truth)


def population_fluxes(
    galaxies: Galaxies,
    survey: Survey,
    config: PopulationConfig,
    grid: SSPGrid,
    rng: np.random.Generator,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fluxes of galaxies per Msun formed, with dust, deviations and line scatter.

    Returns
    -------
    maggies : (n, band)
    widths : dict of (n,)
        Rest-frame equivalent widths (A), `ew_<line>` for `EQUIVALENT_WIDTHS`.
    """
    projector = BandProjector(grid.wavelength, grid.line_wavelength, survey.bands, SKY_REDSHIFT)
    model = PopulationModel(grid, projector.pixels)
    wavelength = model.wavelength
    curves = attenuation_curves(wavelength)
    line_curves = attenuation_curves(grid.line_wavelength)
    groups = [
        line_group(name, wavelength)
        for name, wavelength in zip(grid.line_name, grid.line_wavelength, strict=True)
    ]
    maggies = np.empty((len(galaxies), len(survey.bands)))
    widths = {f"ew_{name}": np.empty(len(galaxies)) for name in EQUIVALENT_WIDTHS}
    for rows in _chunks(np.argsort(galaxies.redshift, kind="stable")):
        part = galaxies.take(rows)
        weights = age_weights(part, grid.log_age)
        spectra = model.spectra(weights, part.logzsol, part.gas_logu, part.gas_logz)
        continuum = spectra.continuum * 10.0 ** (-0.4 * part.dust[:, None] * curves[part.law])
        continuum *= smooth_deviations(
            wavelength, len(part), config.continuum_rms, config.continuum_length, rng
        )
        lines = spectra.lines * 10.0 ** (-0.4 * part.gas_dust[:, None] * line_curves[part.law])
        lines *= line_scatter(groups, len(part), config.line_scatter, rng)
        lines *= config.ionising_efficiency
        maggies[rows] = projector.fluxes(continuum, lines, part.redshift)
        for name, centre in EQUIVALENT_WIDTHS.items():
            near = np.abs(grid.line_wavelength - centre) < 3.0
            level = continuum[:, np.abs(wavelength - centre) < 40.0].mean(axis=1)
            widths[f"ew_{name}"][rows] = lines[:, near].sum(axis=1) / level
    return maggies, widths


def mock_limits(survey: Survey) -> tuple[tuple[float, float], tuple[float, float]]:
    """Magnitude and redshift limits of a mock: those of the survey's selection.

    Returns
    -------
    (magnitude_min, magnitude_max), (redshift_min, redshift_max)
        Where the selection says nothing, those of the sky model (none at the lower end).

    Raises
    ------
    InputError
        If the sky model does not reach them, or the reference band is not like i.
    """
    cuts, where = survey.selection, f"survey {survey.name}: a mock"
    band = survey.bands[survey.reference_band]
    low, high = REFERENCE_WAVELENGTHS
    if not low <= band.mean_wavelength <= high:
        raise InputError(
            f"{where} has the i magnitudes of zCOSMOS: its reference_band must lie at "
            f"{low:.0f}-{high:.0f} A, but {band.name} lies at {band.mean_wavelength:.0f} A"
        )
    if cuts.magnitude_max is not None and cuts.magnitude_max > SKY_MAGNITUDE:
        raise InputError(
            f"{where} ends at magnitude {SKY_MAGNITUDE}, as zCOSMOS does; lower the selection's "
            f"magnitude_max of {cuts.magnitude_max:g}"
        )
    for name in ("redshift_min", "redshift_max"):
        value = getattr(cuts, name)
        if value is not None and value > SKY_REDSHIFT:
            raise InputError(
                f"{where} ends at redshift {SKY_REDSHIFT}; lower the selection's {name} of "
                f"{value:g}"
            )
    magnitude_min = -np.inf if cuts.magnitude_min is None else cuts.magnitude_min
    magnitude_max = SKY_MAGNITUDE if cuts.magnitude_max is None else cuts.magnitude_max
    redshift_min = -np.inf if cuts.redshift_min is None else cuts.redshift_min
    redshift_max = SKY_REDSHIFT if cuts.redshift_max is None else cuts.redshift_max
    return (magnitude_min, magnitude_max), (redshift_min, redshift_max)


def _draw_sky(survey: Survey, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Redshifts and true magnitudes of `n` galaxies within the limits, spares and a margin."""
    (bright, faint), (near, far) = mock_limits(survey)
    wanted = int(np.ceil(n * (1.0 + SPARE))) + 20
    parts: list[np.ndarray] = []
    found = 0
    for _ in range(_ROUNDS):
        redshift, magnitude = draw_redshift_magnitude(wanted, rng)
        keep = (redshift > near) & (redshift < far)
        keep &= (magnitude > bright - MARGIN) & (magnitude < faint + MARGIN)
        parts.append(np.stack([redshift, magnitude])[:, keep])
        found += int((keep & (magnitude >= bright) & (magnitude < faint)).sum())
        if found >= wanted:
            redshift, magnitude = np.concatenate(parts, axis=1)
            return redshift, magnitude
    raise InputError(
        f"survey {survey.name}: hardly any galaxy of the mock's sky lies within the magnitude and "
        "redshift limits of the selection; widen them"
    )


def _chunks(order: np.ndarray) -> list[np.ndarray]:
    return [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]


def _to_magnitude(
    maggies: np.ndarray, magnitude: np.ndarray, survey: Survey
) -> tuple[np.ndarray, np.ndarray]:
    """Scale fluxes so that the reference band has its magnitude; the factors too, (n,)."""
    scale = 10.0 ** (-0.4 * magnitude) / maggies[:, survey.reference_index]
    return maggies * scale[:, None], scale


def _observed(
    maggies: np.ndarray,
    redshift: np.ndarray,
    magnitude: np.ndarray,
    survey: Survey,
    config: MockConfig,
    rng: np.random.Generator,
    truth: dict[str, np.ndarray],
) -> Catalogue:
    """Observe, keep the galaxies within the magnitude limits, and number them."""
    truth = {**truth, "mag_i": magnitude}
    truth["dust_law"] = np.array(MOCK_DUST_LAWS, dtype=str)[truth.pop("law")]
    catalogue = observe(maggies, redshift, survey, config.observing, rng, truth)
    (low, high), _ = mock_limits(survey)
    seen = np.flatnonzero((catalogue.mag_i >= low) & (catalogue.mag_i < high))
    if len(seen) < config.n_galaxies:
        raise InputError(
            f"mock: only {len(seen)} of {config.n_galaxies} galaxies are observed within the "
            f"magnitude limits ({high:g}); make zero_point_error or broad_error_floor smaller"
        )
    seen = seen[: config.n_galaxies]
    return replace(catalogue.take(seen), id=np.arange(config.n_galaxies, dtype=np.int64))
