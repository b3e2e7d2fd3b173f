"""Photometric outliers in training: some fluxes are wrong, and no error says so (appendix B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from photoz.files import InputError
from photoz.survey.keys import as_number, check_keys
from photoz.survey.noise import MODELS, Draws, NoiseModel, noise_model_from_dict


def with_wrong_fluxes(flux: Any, fraction: float, amplitude: float, draws: Draws) -> Any:
    """Make some fluxes wrong by a share that varies (paper, appendix B).

    Parameters
    ----------
    flux : (..., band) array or tensor
    fraction : float
        Share of the fluxes that are wrong, whatever their band.
    amplitude : float
        They are multiplied by 1 + a with a uniform between minus and plus this.
    draws : Draws
        Of the same kind of array as `flux`.
    """
    wrong = draws.uniform(tuple(flux.shape)) < fraction
    share = amplitude * (2 * draws.uniform(tuple(flux.shape)) - 1)
    return flux * (1 + wrong * share)


@dataclass(frozen=True)
class OutlyingNoise:
    """Another noise, of which some fluxes, in any band, are also wrong.

    Attributes
    ----------
    usual : NoiseModel
        Any kind but this.
    fraction, amplitude : float
        As in `with_wrong_fluxes`. The paper has 10 per cent "with varying amplitudes".
    """

    usual: NoiseModel
    fraction: float = 0.1
    amplitude: float = 0.5
    name: ClassVar[str] = "outlying"

    def __post_init__(self) -> None:
        if isinstance(self.usual, OutlyingNoise):
            raise InputError("outlying: its usual noise is outlying too; name the noise below it")
        for key, most in (("fraction", 1.0), ("amplitude", float("inf"))):
            value = as_number(getattr(self, key), f"outlying: {key}")
            object.__setattr__(self, key, value)
            if not 0 <= value <= most:
                raise InputError(f"outlying: {key} must lie in [0, {most:g}], found {value}")

    @property
    def n_networks(self) -> int:
        """That of the usual noise."""
        return self.usual.n_networks

    def brightness(self, uniform: Any) -> Any:
        """That of the usual noise."""
        return self.usual.brightness(uniform)

    def error(self, flux: Any) -> Any:
        """Errors know nothing of outliers."""
        return self.usual.error(flux)

    def observe(self, flux: Any, draws: Draws) -> tuple[Any, Any]:
        """Draw noisy fluxes and make some of them wrong."""
        noisy, error = self.usual.observe(flux, draws)
        return with_wrong_fluxes(noisy, self.fraction, self.amplitude, draws), error

    def to_dict(self) -> dict[str, Any]:
        """{"name": "outlying", "usual": {...}, ...}."""
        numbers = {"fraction": self.fraction, "amplitude": self.amplitude}
        return {"name": self.name, "usual": self.usual.to_dict(), **numbers}

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> OutlyingNoise:
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            On an unknown or missing key, an impossible value, or a usual noise that is none.
        """
        known = check_keys(
            mapping, ("name", "usual", "fraction", "amplitude"), "noise model outlying"
        )
        if "usual" not in known:
            raise InputError("noise model outlying: usual missing")
        numbers = {key: known[key] for key in ("fraction", "amplitude") if key in known}
        return cls(noise_model_from_dict(known["usual"]), **numbers)


MODELS[OutlyingNoise.name] = OutlyingNoise.from_dict
