"""Noise that was learned from a catalogue: errors by flux, exposures, outliers, brightness.

`noise_learning` makes these models from galaxies; here they are kept, written and drawn from. One
model holds the noise of several networks, each learned without the galaxies of its test fold.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.survey.keys import check_keys
from photoz.survey.noise import MODELS, Draws

#: Shape of every field in terms of network, band, node, pattern and the two numbers of quantiles.
SHAPES: dict[str, str] = {
    "scale": "nb",
    "first_node": "nb",
    "node_step": "nb",
    "log_error": "nbk",
    "error_scatter": "nbk",
    "log_exposure_error": "nbk",
    "count_slope": "nb",
    "mean_log_count": "nb",
    "counts": "npb",
    "outlier_rate": "nb",
    "outlier_amplitude": "nq",
    "log_brightness": "nr",
}
_DIGITS = 7


@dataclass(frozen=True, eq=False)
class EmpiricalNoise:
    """Learned noise of n networks (leading axis), in the catalogue's zero-point.

    With x = asinh(flux / scale) and c exposures of a galaxy in a band, the reported error is
    lognormal about

        ln error = log_error(x) + count_slope (ln c - mean_log_count)

    with `error_scatter`(x) as width; log_error and the others are straight lines between nodes.
    The flux gets Gaussian noise of that error. Each exposure is disturbed with probability
    `outlier_rate`, by `outlier_amplitude` of its own error exp(log_exposure_error(x)), which
    shifts the coadd by a c-th of it and which no reported error tells.

    Attributes
    ----------
    scale, first_node, node_step : (network, band) array
        Flux scale of asinh, and the uniform nodes in x.
    log_error, error_scatter, log_exposure_error : (network, band, node) array
    count_slope, mean_log_count : (network, band) array
        -1/2 where exposures average; 0 for bands that are not exposed singly.
    counts : (network, pattern, band) array
        Numbers of exposures that galaxies have in all bands together; 1 for bands without.
    outlier_rate : (network, band) array
    outlier_amplitude : (network, quantile) array
        Quantiles of the signed disturbances, in units of the exposure's error.
    log_brightness : (network, quantile) array
        Quantiles of ln flux in the reference band.
    """

    scale: NDArray[np.float64]
    first_node: NDArray[np.float64]
    node_step: NDArray[np.float64]
    log_error: NDArray[np.float64]
    error_scatter: NDArray[np.float64]
    log_exposure_error: NDArray[np.float64]
    count_slope: NDArray[np.float64]
    mean_log_count: NDArray[np.float64]
    counts: NDArray[np.float64]
    outlier_rate: NDArray[np.float64]
    outlier_amplitude: NDArray[np.float64]
    log_brightness: NDArray[np.float64]
    name: ClassVar[str] = "empirical"
    _cache: dict[Any, dict[str, Any]] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for name, axes in SHAPES.items():
            values = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values)
            fits = values.ndim == len(axes) and values.size > 0 and np.isfinite(values).all()
            for axis, size in zip(axes, values.shape, strict=False):
                fits = fits and sizes.setdefault(axis, size) == size
            if not fits:
                raise InputError(
                    f"empirical noise: {name} has shape {values.shape} or numbers that are not "
                    "finite; learn the model again"
                )
        positive = (self.scale > 0).all() and (self.node_step > 0).all() and (self.counts > 0).all()
        if not positive or sizes["k"] < 2:
            raise InputError("empirical noise: scale, node_step and counts must be positive")

    @property
    def n_networks(self) -> int:
        """Networks the model holds the noise of."""
        return len(self.scale)

    @property
    def n_bands(self) -> int:
        """Bands of the fluxes."""
        return self.scale.shape[1]

    def member(self, network: int) -> EmpiricalNoise:
        """The noise of one network alone."""
        one = {name: getattr(self, name)[network : network + 1] for name in SHAPES}
        return EmpiricalNoise(**one)

    def brightness(self, uniform: Any) -> Any:
        """Flux in the reference band, distributed as in the catalogue; one per `uniform`."""
        xp, tables = self._tables(uniform)
        network = self._network(uniform, xp)
        last = self.log_brightness.shape[1] - 1
        position = uniform * last
        low = _integer(position, xp).clip(0, last - 1)
        flat = network * (last + 1) + low
        left, right = tables["log_brightness"][flat], tables["log_brightness"][flat + 1]
        return xp.exp(left + (position - low) * (right - left))

    def error(self, flux: Any) -> Any:
        """Median reported error of each flux, (..., band), at the mean number of exposures."""
        xp, tables = self._tables(flux)
        return xp.exp(self._at(tables["log_error"], *self._node(flux, xp, tables)))

    def observe(self, flux: Any, draws: Draws) -> tuple[Any, Any]:
        """Noisy fluxes and the errors reported for them, (..., band) each.

        Fluxes are (n, band) for a single network, else (network, n, band).
        """
        xp, tables = self._tables(flux)
        shape = tuple(flux.shape)
        network = self._network(flux, xp)
        node, part = self._node(flux, xp, tables)
        n_patterns = self.counts.shape[1]
        pattern = _integer(draws.uniform((*shape[:-1], 1)) * n_patterns, xp)
        pattern = pattern.clip(0, n_patterns - 1)
        seen = (network * n_patterns + pattern) * self.n_bands + tables["band"]
        log_error = self._at(tables["log_error"], node, part) + tables["count_effect"][seen]
        scatter = self._at(tables["error_scatter"], node, part)
        error = xp.exp(log_error + scatter * draws.normal(shape))
        noisy = flux + error * draws.normal(shape)
        # Of those below the chance of a disturbance, the uniform variable is one anew.
        uniform, chance = draws.uniform(shape), tables["chance"][seen]
        hit = xp.where((uniform < chance).reshape(-1))[0]
        uniform, chance, node, part, seen = (
            values.reshape(-1)[hit] for values in (uniform, chance, node, part, seen)
        )
        last = self.outlier_amplitude.shape[1]
        which = _integer(uniform / chance * last, xp).clip(0, last - 1)
        amplitude = tables["outlier_amplitude"][node // tables["nodes_per_network"] * last + which]
        single = xp.exp(self._at(tables["log_exposure_error"], node, part))
        noisy.reshape(-1)[hit] += amplitude * single / tables["counts"][seen]
        return noisy, error

    def to_dict(self) -> dict[str, Any]:
        """{"name": "empirical", ...} with nested lists."""
        arrays = {name: _rounded(getattr(self, name)) for name in SHAPES}
        return {"name": self.name, **arrays}

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> EmpiricalNoise:
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            On an unknown or missing key, or arrays that do not fit together.
        """
        known = check_keys(mapping, ("name", *SHAPES), "noise model empirical")
        missing = [name for name in SHAPES if name not in known]
        if missing:
            raise InputError(f"noise model empirical: {', '.join(missing)} missing")
        try:
            return cls(**{name: np.array(known[name], dtype=np.float64) for name in SHAPES})
        except (ValueError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"noise model empirical: not a table of numbers ({error})") from error

    def _network(self, values: Any, xp: Any) -> Any:
        """Index of the network of each value, to be broadcast."""
        if self.n_networks == 1:
            return 0
        if values.ndim != 3 or len(values) != self.n_networks:
            raise InputError(
                f"empirical noise of {self.n_networks} networks needs arrays of (network, galaxy, "
                f"...), found {tuple(values.shape)}"
            )
        index = xp.arange(self.n_networks).reshape(-1, 1, 1)
        return index.to(values.device) if xp is not np else index

    def _node(self, flux: Any, xp: Any, tables: Mapping[str, Any]) -> tuple[Any, Any]:
        """Flat index of the node below each flux, and the part of the way to the next."""
        if flux.shape[-1] != self.n_bands:
            raise InputError(
                f"empirical noise: flux {tuple(flux.shape)} does not have {self.n_bands} bands"
            )
        network = self._network(flux, xp)
        row = network * self.n_bands + tables["band"]
        scale, first, step = (tables[name][row] for name in ("scale", "first_node", "node_step"))
        n_nodes = self.log_error.shape[2]
        position = ((xp.arcsinh(flux / scale) - first) / step).clip(0, n_nodes - 1)
        low = _integer(position, xp).clip(0, n_nodes - 2)
        return row * n_nodes + low, position - low

    def _at(self, table: Any, node: Any, part: Any) -> Any:
        left = table[node]
        return left + part * (table[node + 1] - left)

    def _tables(self, like: Any) -> tuple[Any, dict[str, Any]]:
        """The module of `like`, and flat tables as arrays of its kind, type and device."""
        is_tensor = hasattr(like, "new_tensor")
        xp = sys.modules["torch"] if is_tensor else np
        dtype = like.dtype if is_tensor else np.result_type(like, np.float32)
        key = (dtype, str(like.device)) if is_tensor else dtype
        if key not in self._cache:
            arrays = {name: getattr(self, name) for name in SHAPES}
            slope, mean = self.count_slope[:, None], self.mean_log_count[:, None]
            arrays["count_effect"] = slope * (np.log(self.counts) - mean)
            arrays["chance"] = 1.0 - (1.0 - self.outlier_rate[:, None]) ** self.counts
            band = np.arange(self.n_bands)
            if is_tensor:
                made = {name: like.new_tensor(a.ravel()) for name, a in arrays.items()}
                made["band"] = xp.as_tensor(band, device=like.device)
            else:
                made = {name: a.ravel().astype(dtype) for name, a in arrays.items()} | {
                    "band": band
                }
            made["nodes_per_network"] = self.n_bands * self.log_error.shape[2]
            self._cache[key] = made
        return xp, self._cache[key]


def _integer(values: Any, xp: Any) -> Any:
    return values.astype(np.int64) if xp is np else values.long()


def _rounded(values: NDArray[np.float64]) -> Any:
    """Nested lists with `_DIGITS` significant digits; whole numbers without a point."""

    def number(value: float) -> float | int:
        return int(value) if value == int(value) else float(f"{value:.{_DIGITS}g}")

    def nested(item: Any) -> Any:
        return [nested(part) for part in item] if isinstance(item, list) else number(item)

    return nested(values.tolist())


MODELS[EmpiricalNoise.name] = EmpiricalNoise.from_dict
assert set(SHAPES) == {f.name for f in fields(EmpiricalNoise)} - {"_cache"}
