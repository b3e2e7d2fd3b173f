"""Galaxies of the mock survey: correlated properties and star formation histories.

The fast simulation draws every parameter of Table 1 uniformly and independently. Here galaxies
follow the relations real ones do: a red sequence whose share rises with luminosity, a star-forming
sequence, a mass-metallicity relation, dust that grows with mass, ionisation that falls with
metallicity. Their histories are delayed, bursty or quenched, none of which is in Table 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photoz.files import InputError
from photoz.simulations.deviations import draw_dust_law
from photoz.sps.cosmology import age_at_redshift, luminosity_distance

GALAXY_TYPES = ("quiescent", "star_forming", "burst", "recently_quenched")
#: logit of the red share: constant, per magnitude (M + 21), per redshift (z - 0.6), product.
#: Fitted to the galaxies of zCOSMOS that a COSMOS template of type Sa or earlier fits best.
RED_SHARE = (-0.789, -1.321, -2.281, 1.513)


@dataclass(frozen=True)
class PopulationConfig:
    """The galaxy population; every field is a configuration key.

    Attributes
    ----------
    burst_fraction, quenched_fraction : float
        Shares of the star-forming galaxies that had a recent burst or stopped recently.
    sequence_scatter : float
        Width of the star-forming sequence, dex.
    metallicity_scatter : float
        Scatter about the mass-metallicity relation, dex.
    dust_normalisation : float
        Mean colour excess E(B-V) of a star-forming galaxy of 10^10 Msun at z = 0.6.
    other_dust_fraction : float
        Share of galaxies that do not follow Calzetti's law (half of them have a 2175 A bump, half
        follow the SMC).
    continuum_rms, continuum_length : float
        Smooth deviations of the continuum: rms, and correlation length in ln(wavelength).
    line_scatter : float
        Scatter of the ratios between groups of lines, dex.
    ionising_efficiency : float
        Share of the ionising photons that end up in lines; dust inside the ionised gas takes the
        rest, or they escape.
    """

    burst_fraction: float = 0.06
    quenched_fraction: float = 0.03
    sequence_scatter: float = 0.2
    metallicity_scatter: float = 0.05
    dust_normalisation: float = 0.18
    other_dust_fraction: float = 0.3
    continuum_rms: float = 0.05
    continuum_length: float = 0.5
    line_scatter: float = 0.08
    ionising_efficiency: float = 0.65

    def __post_init__(self) -> None:
        for name in (
            "burst_fraction",
            "quenched_fraction",
            "other_dust_fraction",
            "ionising_efficiency",
        ):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"population: {name} is a fraction, got {getattr(self, name)}")
        if self.continuum_length <= 0.0:
            raise InputError("population: continuum_length must be positive")
        for name in ("continuum_rms", "line_scatter", "sequence_scatter", "metallicity_scatter"):
            if getattr(self, name) < 0.0:
                raise InputError(f"population: {name} must not be negative")


@dataclass(frozen=True)
class Galaxies:
    """Properties of n galaxies, each array (n,).

    Ages are look-back times in Gyr from the epoch of the galaxy; `mass` is log10 of Msun as
    guessed from the luminosity; `log_ssfr` log10 of the specific star formation rate per yr asked
    of the delayed history; metallicities log10(Z / Zsun); `dust` E(B-V) of the stars and
    `gas_dust` that of the lines; `law` an index into `MOCK_DUST_LAWS`; `type` into `GALAXY_TYPES`.
    """

    redshift: np.ndarray
    type: np.ndarray
    mass: np.ndarray
    start: np.ndarray
    tau: np.ndarray
    quench_age: np.ndarray
    quench_time: np.ndarray
    burst_age: np.ndarray
    burst_mass: np.ndarray
    log_ssfr: np.ndarray
    logzsol: np.ndarray
    gas_logz: np.ndarray
    gas_logu: np.ndarray
    dust: np.ndarray
    gas_dust: np.ndarray
    law: np.ndarray

    def __len__(self) -> int:
        return len(self.redshift)

    def take(self, index: np.ndarray | slice) -> Galaxies:
        """The galaxies at `index`."""
        return Galaxies(**{name: value[index] for name, value in vars(self).items()})


def absolute_magnitude(redshift: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """AB magnitude at rest wavelength lambda_i / (1 + z), no K-correction needed, (n,)."""
    modulus = 5.0 * np.log10(luminosity_distance(redshift) * 1e5)
    return magnitude - modulus + 2.5 * np.log10(1.0 + redshift)


def draw_types(
    redshift: np.ndarray, absolute: np.ndarray, config: PopulationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Index into `GALAXY_TYPES`, (n,): the red share rises with luminosity and falls with z."""
    constant, per_magnitude, per_redshift, product = RED_SHARE
    m, z = absolute + 21.0, redshift - 0.6
    logit = constant + per_magnitude * m + per_redshift * z + product * m * z
    red = rng.uniform(size=len(redshift)) < 1.0 / (1.0 + np.exp(-logit))
    draw = rng.uniform(size=len(redshift))
    blue = np.where(draw < config.burst_fraction, 2, 1)
    blue = np.where(draw > 1.0 - config.quenched_fraction, 3, blue)
    return np.where(red, 0, blue)


def draw_galaxies(
    redshift: np.ndarray,
    magnitude: np.ndarray,
    config: PopulationConfig,
    rng: np.random.Generator,
) -> Galaxies:
    """Draw the properties of galaxies with these redshifts and i magnitudes (n,)."""
    n = len(redshift)
    normal = rng.standard_normal
    absolute = absolute_magnitude(redshift, magnitude)
    kind = draw_types(redshift, absolute, config, rng)
    red = kind == 0
    mass = -0.4 * (absolute - 4.6) + np.where(red, 0.35, -0.1) + 0.15 * normal(n)

    age = age_at_redshift(redshift)
    # Star-forming galaxies start late when small; the red sequence formed early and quickly.
    start = age * np.where(
        red, rng.uniform(0.03, 0.35, n), rng.uniform(0.03, 0.6, n) ** (1.0 + 0.3 * (mass - 10.0))
    )
    since = age - start
    sequence = -9.95 - 0.3 * (mass - 10.0) + 2.8 * np.log10((1.0 + redshift) / 1.6)
    log_ssfr = sequence + config.sequence_scatter * normal(n)
    tau = _tau_from_ssfr(log_ssfr, since)
    tau = np.where(red, rng.uniform(0.086, 0.118, n) * since, tau)

    quench_age = np.where(kind == 3, 10.0 ** rng.uniform(-1.0, 0.2, n), 0.0)
    burst_age = np.where(kind == 2, 10.0 ** rng.uniform(-2.0, -0.3, n), 0.0)
    burst_mass = np.where(kind == 2, 10.0 ** rng.uniform(-2.3, -1.1, n), 0.0)

    offset = config.metallicity_scatter * normal(n)
    relation = np.where(mass < 10.0, 0.35, 0.2) * (mass - 10.0)
    gas_logz = np.clip(-0.09 + relation - 0.15 * (redshift - 0.6) + offset, -1.3, 0.35)
    stars = gas_logz - 0.24 + config.metallicity_scatter * normal(n)
    old = -0.1 + 0.15 * (mass - 10.7) + offset
    logzsol = np.clip(np.where(red, old, stars), -1.5, 0.35)
    gas_logu = -2.9 - 0.6 * (gas_logz + 0.2) + 0.2 * (log_ssfr + 9.1) + 0.15 * normal(n)

    mean = config.dust_normalisation * (1.0 + 1.1 * (mass - 10.0) - 0.2 * (redshift - 0.6))
    spread = rng.gamma(2.4, 1.0 / 2.4, n)
    dust = np.where(red, 0.06 * rng.exponential(size=n), np.maximum(mean, 0.02) * spread)
    dust = np.minimum(dust, 0.8)
    return Galaxies(
        redshift=np.asarray(redshift, dtype=float),
        type=kind,
        mass=mass,
        start=start,
        tau=tau,
        quench_age=quench_age,
        quench_time=np.full(n, 0.1),
        burst_age=burst_age,
        burst_mass=burst_mass,
        log_ssfr=np.where(red, np.nan, log_ssfr),
        logzsol=logzsol,
        gas_logz=gas_logz,
        gas_logu=np.clip(gas_logu, -3.9, -1.5),
        dust=dust,
        gas_dust=dust * rng.uniform(1.4, 2.3, n),
        law=draw_dust_law(n, config.other_dust_fraction, rng),
    )


def _tau_from_ssfr(log_ssfr: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Time scale (Gyr) of the delayed history that has this rate `since` its start (Gyr).

    With x = since / tau, sSFR x since = x^2 exp(-x) / (1 - (1 + x) exp(-x)), which falls from 2.
    """
    x = np.geomspace(0.02, 12.0, 400)
    rate = x**2 * np.exp(-x) / (1.0 - (1.0 + x) * np.exp(-x))
    asked = 10.0 ** (log_ssfr + 9.0) * since
    return since / np.interp(-asked, -rate, x)


def star_formation_rate(galaxies: Galaxies, lookback: np.ndarray) -> np.ndarray:
    """Star formation rate (Msun / Gyr per Msun of the smooth history) at look-back times.

    Parameters
    ----------
    galaxies : Galaxies
    lookback : (t,)
        Gyr before the epoch of each galaxy.

    Returns
    -------
    (n, t)
    """
    age = age_at_redshift(galaxies.redshift)
    since = (age - galaxies.start)[:, None]
    tau = galaxies.tau[:, None]
    time = since - lookback
    x = since / tau
    formed = tau**2 * (1.0 - (1.0 + x) * np.exp(-x))
    rate = np.where(time > 0.0, time, 0.0) * np.exp(-np.maximum(time, 0.0) / tau) / formed

    quench = galaxies.quench_age[:, None]
    decline = np.exp(-np.maximum(quench - lookback, 0.0) / galaxies.quench_time[:, None])
    rate = rate * decline

    burst = galaxies.burst_age[:, None]
    length = np.maximum(0.5 * burst, 1e-3)
    active = np.maximum(burst - lookback, 0.0) / length
    pulse = np.where(lookback < burst, np.exp(-active), 0.0) / (
        length * (1.0 - np.exp(-burst / length)) + (burst == 0.0)
    )
    return rate + galaxies.burst_mass[:, None] * pulse


def age_weights(galaxies: Galaxies, log_age: np.ndarray) -> np.ndarray:
    """Share of the stellar mass formed on each node of an SSP grid.

    The populations are linear in log age between nodes; the history is integrated with four
    Gauss-Legendre points in each interval.

    Parameters
    ----------
    galaxies : Galaxies
    log_age : (a,)
        log10 of the SSP ages in yr, ascending.

    Returns
    -------
    (n, a)
        Non-negative, rows sum to one.
    """
    points, measure = np.polynomial.legendre.leggauss(4)
    step = np.diff(log_age)
    fraction = (points + 1.0) / 2.0
    at = log_age[:-1, None] + step[:, None] * fraction
    lookback = 10.0 ** (at.ravel() - 9.0)
    width = (lookback.reshape(at.shape) * np.log(10.0) * step[:, None] * measure / 2.0).ravel()
    hats = np.zeros((at.size, len(log_age)))
    interval = np.repeat(np.arange(len(step)), len(points))
    hats[np.arange(at.size), interval] = np.tile(1.0 - fraction, len(step))
    hats[np.arange(at.size), interval + 1] = np.tile(fraction, len(step))
    mass = star_formation_rate(galaxies, lookback) * width
    weights = mass @ hats
    # Stars younger than the youngest population shine like it.
    weights[:, 0] += star_formation_rate(galaxies, np.array([0.0]))[:, 0] * 10.0 ** (log_age[0] - 9)
    total: np.ndarray = weights.sum(axis=1, keepdims=True)
    return weights / total
