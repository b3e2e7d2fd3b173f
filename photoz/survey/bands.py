"""Bands: a named, piecewise-linear response curve, and the ordered set of them in a survey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.survey.keys import did_you_mean

Kind = Literal["narrow", "broad"]


@dataclass(frozen=True, eq=False)
class Band:
    """One band of a survey.

    Attributes
    ----------
    name : str
    kind : "narrow" or "broad"
    wavelength : (n,) array
        Angstrom, strictly ascending.
    transmission : (n,) array
        Photon-counting response: detected photons per incident photon, up to a factor. Linear
        between the nodes and zero outside them.
    """

    name: str
    kind: Kind
    wavelength: NDArray[np.float64]
    transmission: NDArray[np.float64]

    def __post_init__(self) -> None:
        wavelength = np.array(self.wavelength, dtype=np.float64)
        transmission = np.array(self.transmission, dtype=np.float64)
        if self.kind not in ("narrow", "broad"):
            raise InputError(f"band {self.name}: kind is {self.kind!r}; use 'narrow' or 'broad'")
        if wavelength.ndim != 1 or wavelength.shape != transmission.shape or wavelength.size < 2:
            raise InputError(
                f"band {self.name}: wavelength {wavelength.shape} and transmission "
                f"{transmission.shape} must be two equal columns of at least two rows"
            )
        if not (np.isfinite(wavelength).all() and np.isfinite(transmission).all()):
            raise InputError(f"band {self.name}: the response curve has values that are not finite")
        if wavelength[0] <= 0 or not (np.diff(wavelength) > 0).all():
            raise InputError(f"band {self.name}: wavelengths must be positive and ascending")
        if (transmission < 0).any() or not (transmission > 0).any():
            raise InputError(f"band {self.name}: the response must be >= 0 and not zero everywhere")
        wavelength.flags.writeable = transmission.flags.writeable = False
        object.__setattr__(self, "wavelength", wavelength)
        object.__setattr__(self, "transmission", transmission)

    def response(self, wavelength: ArrayLike) -> NDArray[np.float64]:
        """Response at any wavelength (A), same shape; zero outside the curve."""
        return np.interp(
            np.asarray(wavelength, dtype=np.float64),
            self.wavelength,
            self.transmission,
            left=0.0,
            right=0.0,
        )

    @cached_property
    def integral_per_wavelength(self) -> float:
        """Exact integral of T / wavelength (dimensionless): the AB normalisation over c."""
        w, t = self.wavelength, self.transmission
        slope = np.diff(t) / np.diff(w)
        intercept = t[:-1] - slope * w[:-1]
        # log1p keeps its digits on the short intervals of a finely sampled curve
        return float(np.sum(intercept * np.log1p(np.diff(w) / w[:-1]) + slope * np.diff(w)))

    @cached_property
    def _moments(self) -> tuple[float, float]:
        """Exact integrals of T and of T x wavelength."""
        w, t = self.wavelength, self.transmission
        step = np.diff(w)
        zeroth = step * (t[:-1] + t[1:]) / 2
        middle = (w[:-1] + w[1:]) * (t[:-1] + t[1:])
        first = step * (w[:-1] * t[:-1] + middle + w[1:] * t[1:]) / 6
        return float(zeroth.sum()), float(first.sum())

    @property
    def mean_wavelength(self) -> float:
        """Response-weighted mean wavelength (A)."""
        return self._moments[1] / self._moments[0]


@dataclass(frozen=True, eq=False)
class BandSet:
    """The bands of a survey in the order of every flux array's band axis."""

    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        names = [band.name for band in self.bands]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"band {twice[0]} is defined twice; give each band its own name")
        if not names:
            raise InputError("a survey needs at least one band")
        object.__setattr__(self, "bands", tuple(self.bands))

    @property
    def names(self) -> tuple[str, ...]:
        """Band names in order."""
        return tuple(band.name for band in self.bands)

    @property
    def is_narrow(self) -> NDArray[np.bool_]:
        """(band,) True for narrow bands."""
        return np.array([band.kind == "narrow" for band in self.bands])

    @property
    def mean_wavelengths(self) -> NDArray[np.float64]:
        """(band,) mean wavelengths in angstrom."""
        return np.array([band.mean_wavelength for band in self.bands])

    def __len__(self) -> int:
        return len(self.bands)

    def __iter__(self) -> Iterator[Band]:
        return iter(self.bands)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, key: str | int) -> Band:
        return self.bands[self.index(key) if isinstance(key, str) else key]

    def index(self, name: str) -> int:
        """Position of a band on the band axis.

        Raises
        ------
        InputError
            If there is no such band; the closest name is suggested.
        """
        if name not in self.names:
            raise InputError(f"no band '{name}'; {did_you_mean(name, self.names)}")
        return self.names.index(name)

    def subset(self, names: Iterable[str]) -> BandSet:
        """The named bands, in the order given."""
        return BandSet(tuple(self[name] for name in names))
