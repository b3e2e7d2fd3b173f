"""What a network sees of a galaxy: named, serialised transforms of fluxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from photoz.files import InputError


@dataclass(frozen=True)
class FluxRatio:
    """Fluxes divided by the flux in a reference band (paper, section 2.2).

    Dividing removes the zero-point and the brightness, so simulations of unit stellar mass and
    a catalogue at any zero-point look alike. Noise is added before the division, so the reference
    band reads 1 in simulations as it does in data.
    """

    bands: tuple[str, ...]
    reference_band: str

    @property
    def reference_index(self) -> int:
        """Position of the reference band."""
        return self.bands.index(self.reference_band)

    def __call__(self, flux: Tensor) -> Tensor:
        """Flux ratios of (..., band) fluxes."""
        i = self.reference_index
        return flux / flux[..., i : i + 1]

    def error(self, flux: Tensor, error: Tensor) -> Tensor:
        """Errors of the ratios, (..., band), that of the reference band left out."""
        i = self.reference_index
        return error / flux[..., i : i + 1].abs()

    def to_dict(self) -> dict[str, Any]:
        """Enough to make this transform again."""
        return {
            "name": "flux_ratio",
            "bands": list(self.bands),
            "reference_band": self.reference_band,
        }


def transform_from_dict(mapping: Mapping[str, Any]) -> FluxRatio:
    """Make the transform that `to_dict` described.

    Raises
    ------
    InputError
        For a name that this version does not know.
    """
    if mapping.get("name") != "flux_ratio":
        raise InputError(f"unknown input transform {mapping.get('name')!r}; known: flux_ratio")
    return FluxRatio(tuple(mapping["bands"]), str(mapping["reference_band"]))


def check_bands(transform: FluxRatio, bands: Sequence[str], what: str) -> None:
    """Raise InputError unless `bands` are those of the transform, in order."""
    if tuple(bands) != transform.bands:
        missing = [b for b in transform.bands if b not in bands]
        extra = [b for b in bands if b not in transform.bands]
        raise InputError(
            f"{what} has other bands than expected: missing {missing}, unexpected {extra}"
            + ("" if missing or extra else "; the order differs")
        )
