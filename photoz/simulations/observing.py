"""From true fluxes to a catalogue: exposures, coadds, zero-points, outlying exposures, errors.

The narrow bands are observed as PAUS observes them (paper, sections 2.1 and 5.1): 3 to 10
exposures per band, inverse-variance coadds, a 1.5 % error floor added after coadding. Depths and
exposure numbers are those of the survey. Reported errors know nothing of zero-point errors and
outlying exposures, as in real catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photoz.files import InputError
from photoz.simulations.sky import load_reference
from photoz.survey.catalogue import Catalogue, Exposures
from photoz.survey.coadds import coadd

if TYPE_CHECKING:
    from photoz.survey.survey import ExposurePlan, Survey

LN10 = float(np.log(10.0))
#: Smallest and largest disturbance of an exposure, in units of its error.
OUTLIER_RANGE = (3.0, 30.0)


@dataclass(frozen=True)
class ObservingConfig:
    """How the mock galaxies are observed; every field is a configuration key.

    Attributes
    ----------
    sky_magnitude : float
        AB magnitude of a source as bright as the sky in its aperture: its own photons double the
        variance. Fainter galaxies are sky-limited.
    cells : int
        The field is `cells` x `cells` pointings; galaxies in a cell share their exposure counts.
    tray_size : int
        Bands side by side in one filter tray, which are exposed together.
    exposure_error_scatter : float
        Scatter (in the natural logarithm) of the noise between exposures: sky and seeing.
    error_floor : float
        Fraction of the flux added in quadrature to the narrow-band errors, after coadding.
    outlier_fraction : float
        Share of the exposures that are disturbed. Their errors do not say so.
    outlier_amplitude, outlier_spread : float
        Disturbances are lognormal in units of the exposure's error: median and logarithmic width,
        clipped to 3-30 errors; hence the median must lie between these.
    outlier_positive : float
        Share of disturbances that add flux (scattered light); the others, electronic cross-talk,
        remove it.
    zero_point_error : float
        Fractional zero-point error of each band, the same for every galaxy.
    scale_scatter : float
        Width of the lognormal narrow/broad flux scale of each galaxy (other apertures).
    broad_error_floor : float
        Scatter of the broad-band magnitudes beyond the catalogue's own errors.
    extended_scatter : float
        The same for large galaxies (apertures, colour gradients, neighbours), in magnitudes at
        20 in the reference band; it falls as 10^(-0.2 mag). Reported errors include both.
    """

    sky_magnitude: float = 19.5
    cells: int = 24
    tray_size: int = 8
    exposure_error_scatter: float = 0.2
    error_floor: float = 0.015
    outlier_fraction: float = 0.01
    outlier_amplitude: float = 6.0
    outlier_spread: float = 0.6
    outlier_positive: float = 0.7
    zero_point_error: float = 0.015
    scale_scatter: float = 0.04
    broad_error_floor: float = 0.005
    extended_scatter: float = 0.016

    def __post_init__(self) -> None:
        for name in ("outlier_fraction", "outlier_positive"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"observing: {name} is a fraction, got {getattr(self, name)}")
        for name in (
            "zero_point_error",
            "scale_scatter",
            "error_floor",
            "broad_error_floor",
            "extended_scatter",
        ):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"observing: {name} must lie in [0, 1), got {getattr(self, name)}")
        low, high = OUTLIER_RANGE
        if not low <= self.outlier_amplitude <= high:
            raise InputError(
                f"observing: outlier_amplitude must lie in [{low:g}, {high:g}], got "
                f"{self.outlier_amplitude}; outlier_fraction: 0 makes no outliers"
            )
        for name in ("cells", "tray_size"):
            if getattr(self, name) < 1:
                raise InputError(f"observing: {name} must be at least 1")


def exposure_counts(
    n: int,
    n_bands: int,
    plan: ExposurePlan,
    config: ObservingConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Exposures of every galaxy in every narrow band, (n, band), correlated on the sky.

    Each field cell and tray of bands draws minimum + Binomial(maximum - minimum) with the nominal
    number as mean; a fifth of the bands lose or gain one exposure (chip gaps, overlaps).
    """
    spread = plan.maximum - plan.minimum
    probability = (plan.nominal - plan.minimum) / spread if spread else 0.0
    n_trays = -(-n_bands // config.tray_size)
    cell_counts = plan.minimum + rng.binomial(spread, probability, (config.cells**2, n_trays))
    position = (rng.uniform(size=(n, 2)) * config.cells).astype(int)
    cell = position[:, 0] * config.cells + position[:, 1]
    counts = cell_counts[cell][:, np.arange(n_bands) // config.tray_size]
    counts = counts + rng.choice([-1, 0, 1], size=counts.shape, p=[0.1, 0.8, 0.1])
    return np.clip(counts, plan.minimum, plan.maximum)


def observe_narrow(
    maggies: np.ndarray,
    depth: np.ndarray,
    plan: ExposurePlan,
    config: ObservingConfig,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expose the narrow bands.

    Parameters
    ----------
    maggies : (n, band)
        Fluxes that the detector receives (zero-points and scales applied), AB maggies.
    depth : (band,)
        5 sigma AB magnitude of a coadd of `plan.nominal` exposures.
    plan : ExposurePlan

    Returns
    -------
    flux, error : (n, band, exposure)
        In maggies, NaN where no exposure was taken.
    outlier : (n, band, exposure)
        True where an exposure was disturbed.
    """
    counts = exposure_counts(len(maggies), maggies.shape[1], plan, config, rng)
    shape = (*maggies.shape, plan.maximum)
    nominal_error = np.sqrt(plan.nominal) * 10.0 ** (-0.4 * depth) / 5.0
    source = np.sqrt(1.0 + np.maximum(maggies, 0.0) / 10.0 ** (-0.4 * config.sky_magnitude))
    scatter = np.exp(config.exposure_error_scatter * rng.standard_normal(shape))
    # Inverse-variance weights favour quiet exposures: undo their gain in depth, on average.
    scatter *= np.exp(config.exposure_error_scatter**2)
    error = (nominal_error * source)[..., None] * scatter
    flux = maggies[..., None] + error * rng.standard_normal(shape)

    outlier = rng.uniform(size=shape) < config.outlier_fraction
    amplitude = config.outlier_amplitude * np.exp(
        config.outlier_spread * rng.standard_normal(outlier.sum())
    )
    sign = np.where(rng.uniform(size=amplitude.size) < config.outlier_positive, 1.0, -1.0)
    flux[outlier] += np.clip(amplitude, *OUTLIER_RANGE) * sign * error[outlier]

    missing = np.arange(plan.maximum) >= counts[..., None]
    flux[missing], error[missing], outlier[missing] = np.nan, np.nan, False
    return flux, error, outlier


def broad_magnitude_error(
    magnitude: np.ndarray, band: str, wavelength: float, rng: np.random.Generator
) -> np.ndarray:
    """Catalogue magnitude errors with the real distribution at each magnitude, (n,).

    The relation is that of the zCOSMOS band of the same name, or else the nearest in wavelength.
    """
    relations = load_reference()["magnitude_errors"]
    if band not in relations:
        band = min(relations, key=lambda name: abs(relations[name]["wavelength"] - wavelength))
    relation = relations[band]
    nodes = relation["magnitude"]
    centre = np.interp(magnitude, nodes, relation["log10_error_p50"])
    lower = centre - np.interp(magnitude, nodes, relation["log10_error_p16"])
    upper = np.interp(magnitude, nodes, relation["log10_error_p84"]) - centre
    draw = np.clip(rng.standard_normal(len(magnitude)), -3.0, 3.0)
    # Beyond the last node errors grow as for a fixed noise in flux.
    beyond = 0.4 * np.maximum(magnitude - nodes[-1], 0.0)
    return 10.0 ** (centre + np.where(draw < 0.0, lower, upper) * draw + beyond)


def observe_broad(
    maggies: np.ndarray,
    names: tuple[str, ...],
    wavelength: np.ndarray,
    reference: np.ndarray,
    config: ObservingConfig,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Observed broad-band fluxes and their errors, (n, band) each, in maggies.

    `reference` (n,) is the flux in the reference band, by which galaxies are large or small.
    """
    extended = config.extended_scatter * np.sqrt(reference * 10.0 ** (0.4 * 20.0))
    floor = np.hypot(config.broad_error_floor, extended)
    flux, error = np.empty_like(maggies), np.empty_like(maggies)
    for j, name in enumerate(names):
        magnitude = -2.5 * np.log10(np.maximum(maggies[:, j], 1e-20))
        catalogue = broad_magnitude_error(magnitude, name, float(wavelength[j]), rng)
        fraction = 0.4 * LN10 * np.hypot(catalogue, floor)
        error[:, j] = fraction * maggies[:, j]
        flux[:, j] = maggies[:, j] + error[:, j] * rng.standard_normal(len(maggies))
    return flux, error


def observe(
    maggies: np.ndarray,
    redshift: np.ndarray,
    survey: Survey,
    config: ObservingConfig,
    rng: np.random.Generator,
    truth: dict[str, np.ndarray] | None = None,
) -> Catalogue:
    """Observe galaxies and make the catalogue a survey would publish.

    Parameters
    ----------
    maggies : (n, band)
        True fluxes in the survey's bands, AB maggies (f_nu / 3631 Jy).
    redshift : (n,)
        True redshifts.
    truth : dict, optional
        More (n,) arrays for the catalogue's `truth`; the narrow/broad scale and the number of
        outlying exposures of each galaxy are added.

    Returns
    -------
    Catalogue
        Fluxes in the survey's zero-point, `mag_i` as measured in its reference band.

    Raises
    ------
    InputError
        If a flux is not finite and positive, or the survey gives a narrow band no depth.
    """
    maggies = np.asarray(maggies, dtype=float)
    if not (np.isfinite(maggies).all() and (maggies > 0.0).all()):
        bad = int(np.flatnonzero(~(np.isfinite(maggies) & (maggies > 0.0)).all(axis=1))[0])
        raise InputError(f"mock galaxy {bad} (z = {redshift[bad]:.4f}) has a flux that is not > 0")
    n, bands = len(maggies), survey.bands
    narrow = np.flatnonzero(bands.is_narrow)
    broad = np.flatnonzero(~np.asarray(bands.is_narrow))
    unit = 10.0 ** (0.4 * survey.zero_point)

    zero_points = np.exp(config.zero_point_error * rng.standard_normal(len(bands)))
    scale = np.exp(config.scale_scatter * rng.standard_normal(n))
    received = maggies * zero_points
    received[:, narrow] *= scale[:, None]

    flux, error = np.empty_like(maggies), np.empty_like(maggies)
    names = bands.names
    mean = np.asarray(bands.mean_wavelengths)
    flux[:, broad], error[:, broad] = observe_broad(
        received[:, broad],
        tuple(names[j] for j in broad),
        mean[broad],
        maggies[:, survey.reference_index],
        config,
        rng,
    )
    exposures, disturbed = None, np.zeros(n, dtype=int)
    if narrow.size:
        depth = np.asarray(survey.depth)[narrow]
        if not np.isfinite(depth).all():
            name = names[narrow[np.argmin(np.isfinite(depth))]]
            raise InputError(f"survey {survey.name}: a mock needs the depth of band {name}")
        single, single_error, outlier = observe_narrow(
            received[:, narrow], depth, survey.exposures, config, rng
        )
        combined, combined_error = coadd(single, single_error)
        flux[:, narrow] = combined
        error[:, narrow] = np.hypot(combined_error, config.error_floor * combined)
        disturbed = outlier.sum(axis=(1, 2))
        exposures = Exposures(
            flux=(single * unit).astype(np.float32),
            error=(single_error * unit).astype(np.float32),
            bands=tuple(names[j] for j in narrow),
        )
    reference = flux[:, survey.reference_index]
    return Catalogue(
        id=np.arange(n, dtype=np.int64),
        redshift=np.asarray(redshift, dtype=float),
        mag_i=-2.5 * np.log10(np.maximum(reference, 1e-20)),
        flux=(flux * unit).astype(np.float32),
        error=(error * unit).astype(np.float32),
        exposures=exposures,
        bands=tuple(names),
        survey=survey.name,
        zero_point=survey.zero_point,
        reference_band=survey.reference_band,
        truth={**(truth or {}), "narrow_scale": scale, "n_outlying_exposures": disturbed},
    )
