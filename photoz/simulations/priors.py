"""The parameter ranges of Table 1, and draws from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.cosmology import age_at_redshift
from photoz.survey.keys import as_number, check_keys, did_you_mean

Range = tuple[float, float]

#: What each range must stay within; the stellar populations mean nothing outside.
_DOMAINS: dict[str, Range] = {
    "redshift": (0.0, 8.0),
    "logzsol": (-3.0, 1.0),
    "tau": (1e-3, 1e3),
    "const": (0.0, 1.0),
    "dust2": (0.0, 50.0),
    "gas_logu": (-10.0, 10.0),
}

NAMED: dict[str, dict[str, Any]] = {
    "redshift": {"table1": [0.0, 1.2], "public_code": [0.0, 1.5]},
    "gas_logu": {"table1": [-4.0, 1.0], "cloudy": [-4.0, -1.0], "fixed": -2.0},
    "colour_cut": {"public_code": 10.0},
}
"""Values with names, for what the paper and its public code do differently."""


@dataclass(frozen=True)
class Prior:
    """Uncorrelated ranges of the simulated galaxies, uniform in Table 1 (section 3.2.2).

    Two numbers are a range; equal ends fix the parameter. Besides these, ``tage`` is the age of the
    universe at the redshift, ``sf_start`` is uniform between 0 and ``tage``, and the gas has the
    metallicity of the stars.

    Attributes
    ----------
    redshift : (low, high)
        Table 1: zred. The public code goes to 1.5.
    logzsol : (low, high)
        log10(Z / Zsun).
    tau : (low, high)
        e-folding time of star formation, Gyr.
    const : (low, high)
        Fraction of the mass formed at a constant rate.
    dust2 : (low, high)
        Optical depth at 5500 A (FSPS); Table 1 calls it E(B - V).
    gas_logu : (low, high)
        log10 of the ionisation parameter, Table 1: log_gasu. Values above -1 act as -1, where
        FSPS's tables end. The public code never passed it on: FSPS's default is -2.
    colour_cut : float or None
        Galaxies with any band further than this from the reference band, in magnitudes, are drawn
        again. The public code drops those beyond 10; the paper mentions no cut.
    logarithmic : tuple of str
        Ranges to draw from uniformly in the logarithm. The paper has none, and so hardly a galaxy
        without star formation: those need a short tau and a small const at once.
    """

    redshift: Range = (0.0, 1.2)
    logzsol: Range = (-0.5, 0.2)
    tau: Range = (0.1, 12.0)
    const: Range = (0.0, 0.25)
    dust2: Range = (0.0, 0.6)
    gas_logu: Range = (-4.0, 1.0)
    colour_cut: float | None = None
    logarithmic: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _DOMAINS.items():
            low, high = getattr(self, name)
            if not lowest <= low <= high <= highest:
                raise InputError(
                    f"prior: {name} = [{low:g}, {high:g}] must ascend within "
                    f"[{lowest:g}, {highest:g}]"
                )
        if self.colour_cut is not None and not self.colour_cut > 0:
            raise InputError(f"prior: colour_cut = {self.colour_cut:g} must be above 0, or null")
        for name in self.logarithmic:
            if name not in _DOMAINS:
                raise InputError(
                    f"prior: logarithmic: no range '{name}'; {did_you_mean(name, _DOMAINS)}"
                )
            if not getattr(self, name)[0] > 0:
                raise InputError(
                    f"prior: {name} starts at {getattr(self, name)[0]:g}; a logarithmic range "
                    "starts above 0"
                )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any] | None) -> Prior:
        """Build from configuration keys: a range is ``[low, high]``, one number or a name.

        Raises
        ------
        InputError
            For an unknown key or a value that is no range.
        """
        checked = check_keys(mapping, [field.name for field in fields(cls)], "prior")
        given = {name: _named(name, value) for name, value in checked.items()}
        values: dict[str, Any] = {
            name: _range(given[name], name) for name in _DOMAINS & given.keys()
        }
        if given.get("colour_cut") is not None:
            values["colour_cut"] = as_number(given["colour_cut"], "prior: colour_cut")
        if given.get("logarithmic") is not None:
            values["logarithmic"] = tuple(given["logarithmic"])
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, as in a configuration."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def _named(name: str, value: Any) -> Any:
    """Return what stands behind a name, and anything else as it is."""
    choices = NAMED.get(name, {})
    if not isinstance(value, str) or not choices:
        return value
    if value not in choices:
        raise InputError(f"prior: {name}: no choice '{value}'; {did_you_mean(value, choices)}")
    return choices[value]


def _range(value: Any, name: str) -> Range:
    ends = [value, value] if isinstance(value, int | float) else value
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise InputError(f"prior: {name} = {value!r}; give [low, high] or one number")
    low, high = (as_number(end, f"prior: {name}") for end in ends)
    return low, high


def sample(prior: Prior, n: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Draw galaxies from a prior.

    Parameters
    ----------
    prior : Prior
    n : int
    rng : numpy Generator

    Returns
    -------
    dict of (n,) arrays
        The keys of `photoz.sps.PARAMETERS`.
    """
    drawn = {}
    for name in _DOMAINS:
        low, high = getattr(prior, name)
        if name in prior.logarithmic:
            drawn[name] = np.exp(rng.uniform(np.log(low), np.log(high), size=n))
        else:
            drawn[name] = rng.uniform(low, high, size=n)
    drawn["tage"] = age_at_redshift(drawn["redshift"])
    drawn["sf_start"] = drawn["tage"] * rng.uniform(0.0, 1.0 - 1e-9, size=n)
    drawn["gas_logz"] = drawn["logzsol"].copy()
    return drawn
