"""Noise models: the error of a flux, and noisy realisations (paper section 2.4).

A model maps (n, band) fluxes to (n, band) standard errors with arithmetic only, so that one
definition serves numpy arrays and torch tensors on any device. A new kind of model (say, errors
measured as a function of flux in each band) is a new frozen dataclass with a `name`, `error` and
`to_dict`, registered in `MODELS`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError, replace_when_done, require_file
from photoz.survey.bands import BandSet
from photoz.survey.keys import as_number, check_keys, did_you_mean

ArrayT = TypeVar("ArrayT")


class NoiseModel(Protocol):
    """What every noise model offers."""

    name: ClassVar[str]

    def error(self, flux: ArrayT) -> ArrayT:
        """Standard error of each flux: (n, band) -> (n, band), numpy array or torch tensor."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings from which `noise_model_from_dict` makes the model again."""
        ...


def _like(values: tuple[float, ...], flux: Any) -> Any:
    """Per-band numbers as the same kind of array, type and device as `flux`."""
    if hasattr(flux, "new_tensor"):
        return flux.new_tensor(values)
    return np.asarray(values, dtype=np.result_type(flux, np.float32))


@dataclass(frozen=True)
class FixedSNR:
    """The same signal-to-noise for every galaxy in a band: error = |flux| / snr.

    Attributes
    ----------
    snr : tuple of float, one per band
    """

    snr: tuple[float, ...]
    name: ClassVar[str] = "fixed_snr"

    def __post_init__(self) -> None:
        values = tuple(as_number(value, "fixed_snr: snr") for value in self.snr)
        if not values or min(values) <= 0:
            raise InputError(f"fixed_snr: signal-to-noise must be positive, found {self.snr}")
        object.__setattr__(self, "snr", values)

    @classmethod
    def for_bands(cls, bands: BandSet, narrow: float = 10.0, broad: float = 35.0) -> FixedSNR:
        """One value for narrow bands and one for broad (paper section 2.4: 10 and 35)."""
        return cls(tuple(float(x) for x in np.where(bands.is_narrow, narrow, broad)))

    def error(self, flux: ArrayT) -> ArrayT:
        """Standard error |flux| / snr, (n, band), in the flux's unit."""
        shape: tuple[int, ...] = tuple(flux.shape)  # type: ignore[attr-defined]
        if not shape or shape[-1] != len(self.snr):
            raise InputError(f"fixed_snr: flux {shape} does not have {len(self.snr)} bands")
        return abs(flux) / _like(self.snr, flux)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """{"name": "fixed_snr", "snr": [...]}."""
        return {"name": self.name, "snr": list(self.snr)}

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> FixedSNR:
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            On an unknown or missing key or a value that is not a positive number.
        """
        known = check_keys(mapping, ("name", "snr"), "noise model fixed_snr")
        if not isinstance(known.get("snr"), list | tuple):
            raise InputError("noise model fixed_snr: 'snr' must be a list with one number per band")
        return cls(tuple(known["snr"]))


MODELS: dict[str, Callable[[Mapping[str, Any]], NoiseModel]] = {FixedSNR.name: FixedSNR.from_dict}
"""Noise models by name."""


def noise_model_from_dict(mapping: Mapping[str, Any]) -> NoiseModel:
    """Make the model that a mapping from `to_dict` describes.

    Raises
    ------
    InputError
        If its name is unknown (with a suggestion) or its content is wrong.
    """
    name = mapping.get("name") if isinstance(mapping, Mapping) else None
    if name not in MODELS:
        raise InputError(f"no noise model '{name}'; {did_you_mean(name, MODELS)}")
    return MODELS[str(name)](mapping)


def write_noise_model(
    path: str | os.PathLike[str], model: NoiseModel, bands: Iterable[str]
) -> None:
    """Write a model and the names of its bands as JSON."""
    content = {"bands": list(bands), "model": model.to_dict()}
    with replace_when_done(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def read_noise_model(path: str | os.PathLike[str]) -> tuple[NoiseModel, tuple[str, ...]]:
    """Read a model and the names of its bands.

    Raises
    ------
    InputError
        If the file is absent, truncated or describes no known model.
    """
    path = require_file(path, "noise model")
    try:
        content = check_keys(json.loads(path.read_text()), ("bands", "model"), "noise model")
        return noise_model_from_dict(content["model"]), tuple(content["bands"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a whole noise model ({error}); write it again") from error


def add_noise(
    flux: NDArray, model: NoiseModel, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Add Gaussian noise whose error follows from the true flux.

    Parameters
    ----------
    flux : (n, band) array
        True fluxes.
    model : NoiseModel
    rng : numpy.random.Generator

    Returns
    -------
    noisy, error : (n, band) float32 array
        In the flux's unit.
    """
    flux = np.asarray(flux, dtype=np.float32)
    error = model.error(flux)
    noise = rng.standard_normal(flux.shape, dtype=np.float32)
    return flux + error * noise, error
