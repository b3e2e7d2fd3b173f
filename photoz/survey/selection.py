"""Selecting the galaxies that train, validate or are predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.survey.catalogue import Catalogue
from photoz.survey.keys import as_names, as_number, check_keys, did_you_mean


@dataclass(frozen=True, eq=False)
class RawCatalogue:
    """A user's catalogue as read, before any cut.

    Attributes
    ----------
    catalogue : Catalogue
    confidence : (n,) float64 array or None
        Confidence class of the redshift; None if the column map names none.
    masks : dict of (n,) float64 arrays
        Mask columns by name; zero means good.
    """

    catalogue: Catalogue
    confidence: NDArray[np.float64] | None = None
    masks: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.catalogue)


@dataclass(frozen=True)
class Selection:
    """Cuts on a catalogue; the default keeps galaxies measured in every band.

    Attributes
    ----------
    magnitude_min, magnitude_max : float or None
        In the reference band: magnitude_min <= mag < magnitude_max.
    redshift_min, redshift_max : float or None
        redshift_min < z < redshift_max; a galaxy without redshift fails either.
    confidence : tuple of (low, high)
        Keep galaxies whose confidence is in any interval [low, high); empty: no cut.
    unmasked : tuple of str
        Mask columns that must be 0 (a missing mask value is not 0).
    required : "all" or tuple of str
        Bands that must be measured. If the reference band is among them its flux must be
        positive, because everything is normalised by it.
    """

    magnitude_min: float | None = None
    magnitude_max: float | None = None
    redshift_min: float | None = None
    redshift_max: float | None = None
    confidence: tuple[tuple[float, float], ...] = ()
    unmasked: tuple[str, ...] = ()
    required: Literal["all"] | tuple[str, ...] = "all"

    @classmethod
    def from_dict(cls, mapping: Mapping | None, where: str = "selection") -> Selection:
        """Make a selection from plain configuration.

        Raises
        ------
        InputError
            On an unknown key (with a suggestion) or a value of the wrong kind.
        """
        values = check_keys(mapping, cls.__dataclass_fields__, where)
        limits: dict[str, float | None] = {}
        for key in ("magnitude_min", "magnitude_max", "redshift_min", "redshift_max"):
            value = values.get(key)
            limits[key] = None if value is None else as_number(value, f"{where}: {key}")
        for kind in ("magnitude", "redshift"):
            low, high = limits[f"{kind}_min"], limits[f"{kind}_max"]
            if low is not None and high is not None and low >= high:
                raise InputError(f"{where}: {kind}_min {low} is not below {kind}_max {high}")
        required = values.get("required", "all")
        return cls(
            **limits,
            confidence=_intervals(values.get("confidence"), f"{where}: confidence"),
            unmasked=as_names(values.get("unmasked"), f"{where}: unmasked"),
            required=required if required == "all" else as_names(required, f"{where}: required"),
        )


def _intervals(value: object, where: str) -> tuple[tuple[float, float], ...]:
    """[[low, high], ...] as a tuple of pairs."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InputError(f"{where}: a list of [low, high] expected, found {value!r}")
    pairs = []
    for item in value:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise InputError(f"{where}: a list of [low, high] expected, found {value!r}")
        low, high = as_number(item[0], where), as_number(item[1], where)
        if low >= high:
            raise InputError(f"{where}: [{low}, {high}) is empty")
        pairs.append((low, high))
    return tuple(pairs)


def select(raw: RawCatalogue, selection: Selection) -> tuple[Catalogue, dict[str, int]]:
    """Apply the cuts.

    Parameters
    ----------
    raw : RawCatalogue
    selection : Selection

    Returns
    -------
    catalogue : Catalogue
    left : dict
        Galaxies left after each cut, in the order applied, starting with "input".

    Raises
    ------
    InputError
        If a cut needs a column that was not read, or no galaxy is left.
    """
    keep = np.ones(len(raw), dtype=bool)
    left = {"input": len(raw)}
    for name, passed in _cuts(raw, selection):
        keep &= passed
        left[name] = int(keep.sum())
    if not keep.any():
        steps = ", ".join(f"{name} {count}" for name, count in left.items())
        raise InputError(f"the selection leaves no galaxy (left after each cut: {steps}); relax it")
    return raw.catalogue.take(keep), left


def _cuts(raw: RawCatalogue, selection: Selection) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and (n,) outcome of every cut that is asked for; NaN fails each comparison."""
    galaxies = raw.catalogue
    cuts: list[tuple[str, NDArray[np.bool_]]] = []
    if selection.confidence:
        if raw.confidence is None:
            raise InputError("the selection cuts on confidence: add 'confidence' to the column map")
        passed = np.zeros(len(raw), dtype=bool)
        for low, high in selection.confidence:
            passed |= (raw.confidence >= low) & (raw.confidence < high)
        cuts.append(("confidence", passed))
    for name in selection.unmasked:
        if name not in raw.masks:
            hint = did_you_mean(name, raw.masks)
            raise InputError(
                f"the selection needs mask '{name}': add it to 'masks' in the column map; {hint}"
            )
        cuts.append((name, raw.masks[name] == 0))
    if selection.redshift_min is not None:
        cuts.append(("redshift_min", galaxies.redshift > selection.redshift_min))
    if selection.redshift_max is not None:
        cuts.append(("redshift_max", galaxies.redshift < selection.redshift_max))
    if selection.magnitude_min is not None:
        cuts.append(("magnitude_min", galaxies.mag_i >= selection.magnitude_min))
    if selection.magnitude_max is not None:
        cuts.append(("magnitude_max", galaxies.mag_i < selection.magnitude_max))
    required = galaxies.bands if selection.required == "all" else selection.required
    for name in required:
        if name not in galaxies.bands:
            hint = did_you_mean(name, galaxies.bands)
            raise InputError(f"selection: required band '{name}' does not exist; {hint}")
    if required:
        columns = [galaxies.bands.index(name) for name in required]
        measured = np.isfinite(galaxies.flux[:, columns]) & np.isfinite(galaxies.error[:, columns])
        cuts.append(("required", np.all(measured, axis=1)))
    if galaxies.reference_band in required:
        positive = np.greater(galaxies.flux[:, galaxies.reference_index], 0)
        cuts.append(("reference_flux", positive))
    return cuts
