"""How templates are fitted, as configuration."""

from __future__ import annotations

from dataclasses import dataclass

from photoz.files import InputError
from photoz.survey.keys import did_you_mean

METHODS = ("exact", "multiplicative")


@dataclass(frozen=True)
class TemplateFitConfig:
    """Settings of a template fit.

    Attributes
    ----------
    method : str
        ``exact`` (non-negative least squares) or ``multiplicative`` (the published update, 1000
        times slower and not converged; for comparisons).
    fit_scale : bool
        Whether the scale k between narrow and broad bands is fitted for each galaxy; it is 1
        where a galaxy has only one kind of band.
    scale_min, scale_max : float
        Bounds of k.
    minimum_bands : int
        Galaxies with fewer measured bands get a flag.
    error_narrow, error_broad : float
        Error of model and calibration as a share of the flux, added in quadrature.
    coarse_step, delta_chi2, margin : int, float, float
        Coarse to fine: every so many redshifts first; see `photoz.templates.fit.chi2_curves`.
        A step of 1 fits all redshifts in all runs.
    chunk_size : int
        Galaxies fitted together; for each, about 7 kB x runs of memory (36 kB with a step of 1).
    zero_point_rounds, zero_point_tolerance : int, float
        Most rounds of the zero-point calibration, and the change of a zero-point (relative) below
        which it ends.
    iterations, scale_every : int
        Of the multiplicative method: updates, and how many between two values of k.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    method: str = "exact"
    fit_scale: bool = True
    scale_min: float = 0.1
    scale_max: float = 10.0
    minimum_bands: int = 5
    error_narrow: float = 0.0
    error_broad: float = 0.0
    coarse_step: int = 5
    delta_chi2: float = 60.0
    margin: float = 1.0
    chunk_size: int = 64
    zero_point_rounds: int = 20
    zero_point_tolerance: float = 1e-3
    iterations: int = 1000
    scale_every: int = 10

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            hint = did_you_mean(self.method, METHODS)
            raise InputError(f"templates: method '{self.method}': {hint}")
        if not 0 < self.scale_min <= 1 <= self.scale_max:
            raise InputError("templates: scale_min and scale_max must enclose 1 and be above 0")
        for name in (
            *("minimum_bands", "coarse_step", "chunk_size"),
            *("zero_point_rounds", "iterations", "scale_every"),
        ):
            if getattr(self, name) < 1:
                raise InputError(f"templates: {name} must be at least 1")
        for name in (
            *("error_narrow", "error_broad", "delta_chi2", "margin", "zero_point_tolerance"),
        ):
            if not getattr(self, name) >= 0:
                raise InputError(f"templates: {name} must not be negative")
