"""Noise models: the error of a flux, and noisy realisations (paper section 2.4).

A model says how bright a simulated galaxy is observed, and maps (n, band) fluxes to (n, band)
standard errors. It uses arithmetic only, so that one definition serves numpy arrays and torch
tensors on any device. A new kind of model is a new frozen dataclass with a `name`, `brightness`,
`error`, `observe` and `to_dict`, registered in `MODELS`. The model that is learned from a
catalogue is in `empirical_noise`, that with photometric outliers in `outlying_noise`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from photoz.checksums import sealed, unsealed
from photoz.files import InputError, replace_when_done, require_file
from photoz.survey.bands import BandSet
from photoz.survey.keys import as_number, check_keys, did_you_mean

if TYPE_CHECKING:
    from photoz.survey.survey import Survey

ArrayT = TypeVar("ArrayT")


class Draws(Protocol):
    """Random numbers of the kind of array that a noise model is given."""

    def normal(self, shape: tuple[int, ...]) -> Any:
        """Independent standard normal variables."""
        ...

    def uniform(self, shape: tuple[int, ...]) -> Any:
        """Independent variables in [0, 1)."""
        ...


@dataclass(frozen=True)
class NumpyDraws:
    """Float32 random numbers of a numpy generator."""

    rng: np.random.Generator

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Independent standard normal variables."""
        return self.rng.standard_normal(shape, dtype=np.float32)

    def uniform(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Independent variables in [0, 1)."""
        return self.rng.random(shape, dtype=np.float32)


class NoiseModel(Protocol):
    """What every noise model offers.

    A model may hold the noise of several networks that train side by side, one per fold; then the
    fluxes it is given have a leading network axis of `n_networks`.
    """

    name: ClassVar[str]

    @property
    def n_networks(self) -> int:
        """1, or how many networks the model holds the noise of."""
        ...

    def brightness(self, uniform: ArrayT) -> ArrayT:
        """Flux in the reference band that simulated galaxies are scaled to, one per `uniform`.

        Simulated galaxies have colours but no brightness of their own; `uniform` are independent
        variables in [0, 1) that draw it.
        """
        ...

    def error(self, flux: ArrayT) -> ArrayT:
        """Standard error of each flux: (n, band) -> (n, band), numpy array or torch tensor."""
        ...

    def observe(self, flux: ArrayT, draws: Draws) -> tuple[ArrayT, ArrayT]:
        """Draw noisy fluxes, and the errors that a catalogue would report for them."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings from which `noise_model_from_dict` makes the model again."""
        ...


class GaussianNoise:
    """Noise that the errors tell completely: one model for every network."""

    @property
    def n_networks(self) -> int:
        """One."""
        return 1

    def observe(self, flux: Any, draws: Draws) -> tuple[Any, Any]:
        """Add Gaussian noise of the model's own errors."""
        error = self.error(flux)  # type: ignore[attr-defined]
        return flux + error * draws.normal(tuple(flux.shape)), error


def _like(values: tuple[float, ...], flux: Any) -> Any:
    """Per-band numbers as the same kind of array, type and device as `flux`."""
    if hasattr(flux, "new_tensor"):
        return flux.new_tensor(values)
    return np.asarray(values, dtype=np.result_type(flux, np.float32))


@dataclass(frozen=True)
class FixedSNR(GaussianNoise):
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

    def brightness(self, uniform: ArrayT) -> ArrayT:
        """1 for all: this noise knows no scale."""
        return uniform * 0 + 1  # type: ignore[operator, return-value]

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


@dataclass(frozen=True)
class SurveyDepth(GaussianNoise):
    """The noise of a survey of given depth, for galaxies of many magnitudes.

    Galaxies get magnitudes m between `bright` and `faint` in the reference band with counts
    dN/dm ~ 10^(slope m). The error of a flux is that of the sky, which the depth of the band tells,
    and a fraction of the flux, in quadrature.

    Attributes
    ----------
    sky, floor : tuple of float, one per band
        Flux error of an empty sky, and relative error of a bright source.
    zero_point, bright, faint : float
        In magnitudes.
    slope : float
        Of the counts, in dex per magnitude.
    """

    sky: tuple[float, ...]
    floor: tuple[float, ...]
    zero_point: float
    bright: float = 18.5
    faint: float = 22.5
    slope: float = 0.25
    name: ClassVar[str] = "survey_depth"

    def __post_init__(self) -> None:
        for key in ("sky", "floor"):
            values = tuple(as_number(v, f"survey_depth: {key}") for v in getattr(self, key))
            if not values or not min(values) > 0:
                raise InputError(f"survey_depth: {key} must be positive in every band: {values}")
            object.__setattr__(self, key, values)
        for key in ("zero_point", "bright", "faint", "slope"):
            object.__setattr__(self, key, as_number(getattr(self, key), f"survey_depth: {key}"))
        if len(self.sky) != len(self.floor):
            raise InputError("survey_depth: sky and floor have different numbers of bands")
        if not self.bright < self.faint:
            raise InputError(f"survey_depth: bright {self.bright} is not below faint {self.faint}")
        if self.slope <= 0:
            raise InputError(f"survey_depth: slope must be positive, found {self.slope}")

    @classmethod
    def for_survey(
        cls,
        survey: Survey,
        bright: float = 18.5,
        faint: float = 22.5,
        slope: float = 0.25,
        narrow_floor: float = 0.015,
        broad_floor: float = 0.03,
    ) -> SurveyDepth:
        """The noise of a survey whose file gives depths.

        Raises
        ------
        InputError
            If a band has no depth.
        """
        missing = [n for n, d in zip(survey.bands.names, survey.depth, strict=True) if np.isnan(d)]
        if missing:
            raise InputError(
                f"survey {survey.name}: no depth of {', '.join(missing)}; noise of kind "
                "survey_depth needs `depth` for every band"
            )
        sky = 10 ** (0.4 * (survey.zero_point - survey.depth)) / 5  # depths are at 5 sigma
        floor = np.where(survey.bands.is_narrow, narrow_floor, broad_floor)
        return cls(tuple(sky), tuple(floor), survey.zero_point, bright, faint, slope)

    def brightness(self, uniform: ArrayT) -> ArrayT:
        """Flux in the reference band, by inverting the cumulative counts."""
        brightest = 10 ** (0.4 * (self.zero_point - self.bright))
        span = 10 ** (self.slope * (self.faint - self.bright)) - 1
        return brightest * (1 + uniform * span) ** (-0.4 / self.slope)  # type: ignore[operator]

    def error(self, flux: ArrayT) -> ArrayT:
        """Standard error sqrt(sky^2 + (floor flux)^2), (n, band), in the zero-point's unit."""
        shape: tuple[int, ...] = tuple(flux.shape)  # type: ignore[attr-defined]
        if not shape or shape[-1] != len(self.sky):
            raise InputError(f"survey_depth: flux {shape} does not have {len(self.sky)} bands")
        return (_like(self.sky, flux) ** 2 + (_like(self.floor, flux) * flux) ** 2) ** 0.5

    def to_dict(self) -> dict[str, Any]:
        """{"name": "survey_depth", "sky": [...], ...}."""
        return {"name": self.name, **asdict(self)}

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> SurveyDepth:
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            On an unknown or missing key or an impossible value.
        """
        keys = [field.name for field in fields(cls)]
        known = check_keys(mapping, ("name", *keys), "noise model survey_depth")
        missing = [key for key in ("sky", "floor", "zero_point") if key not in known]
        if missing:
            raise InputError(f"noise model survey_depth: {', '.join(missing)} missing")
        return cls(**{key: known[key] for key in keys if key in known})


MODELS: dict[str, Callable[[Mapping[str, Any]], NoiseModel]] = {
    FixedSNR.name: FixedSNR.from_dict,
    SurveyDepth.name: SurveyDepth.from_dict,
}
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
        temporary.write_text(json.dumps(sealed(content), indent=1, sort_keys=True) + "\n")


def read_noise_model(path: str | os.PathLike[str]) -> tuple[NoiseModel, tuple[str, ...]]:
    """Read a model and the names of its bands.

    Raises
    ------
    InputError
        If the file is absent, truncated or describes no known model.
    """
    path = require_file(path, "noise model")
    try:
        content = unsealed(json.loads(path.read_text()))
        check_keys(content, ("bands", "model"), "noise model")
        return noise_model_from_dict(content["model"]), tuple(content["bands"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a whole noise model ({error}); write it again") from error


def add_noise(
    flux: NDArray, model: NoiseModel, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Observe true fluxes: noisy ones, and their errors.

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
    return model.observe(np.asarray(flux, dtype=np.float32), NumpyDraws(rng))
