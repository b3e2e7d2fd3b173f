"""The galaxies of the template simulation, as configuration (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from photoz.files import InputError
from photoz.simulations.luminosity import LuminosityFunction
from photoz.survey.keys import as_number, check_keys

#: B-band luminosity functions of red and blue galaxies to z = 1.2, AB, H0 = 70 km/s/Mpc
#: (Herbel et al. 2017, from the measurements of Beare et al. 2015).
RED = LuminosityFunction(-0.5, -20.372, -0.708, 3.51e-3, -0.706)
BLUE = LuminosityFunction(-1.3, -20.405, -0.941, 3.70e-3, -0.103)


@dataclass(frozen=True)
class TemplatePopulation:
    """The galaxies of the template simulation; every field is a configuration key.

    Attributes
    ----------
    redshift, magnitude : (low, high)
        Of the galaxies; magnitudes are apparent, AB, in the reference band, lines included.
    red, blue : LuminosityFunction
        In the rest-frame B band.
    colour_excess, colour_excess_max : float
        E(B-V) of templates that have dust: mean of an exponential distribution before its cut,
        and the cut.
    bump_fraction : float
        Share of the galaxies under Calzetti's law that have a 2175 A bump (Noll et al. 2009 find
        it in about a third).
    gas_dust : float
        Stellar E(B-V) over that of the ionised gas (Calzetti et al. 2000: 0.44).
    halpha_scatter : float
        Scatter of H-alpha about the ultraviolet star-formation rate, dex.
    line_scatter : float
        Scatter of each observed line ratio, dex.
    """

    redshift: tuple[float, float] = (0.01, 1.2)
    magnitude: tuple[float, float] = (17.0, 22.5)
    red: LuminosityFunction = RED
    blue: LuminosityFunction = BLUE
    colour_excess: float = 0.15
    colour_excess_max: float = 0.5
    bump_fraction: float = 0.3
    gas_dust: float = 0.44
    halpha_scatter: float = 0.15
    line_scatter: float = 0.1

    def __post_init__(self) -> None:
        low, high = self.redshift
        if not 0.0 <= low < high <= 8.0:
            raise InputError(f"redshift = [{low:g}, {high:g}] must ascend within [0, 8]")
        if not self.magnitude[0] < self.magnitude[1]:
            raise InputError(f"magnitude = {list(self.magnitude)} must ascend")
        for name in ("colour_excess", "colour_excess_max", "gas_dust"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} = {getattr(self, name):g} must be above 0")
        for name in ("halpha_scatter", "line_scatter"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} = {getattr(self, name):g} must not be negative")
        if not 0.0 <= self.bump_fraction <= 1.0:
            raise InputError(f"bump_fraction = {self.bump_fraction:g} is a fraction")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any] | None) -> TemplatePopulation:
        """Build from configuration keys.

        Raises
        ------
        InputError
            For an unknown key or an impossible value.
        """
        given = check_keys(mapping, [field.name for field in fields(cls)], "template simulation")
        values: dict[str, Any] = {}
        for name, value in given.items():
            where = f"template simulation: {name}"
            if name in ("red", "blue"):
                default = RED if name == "red" else BLUE
                values[name] = LuminosityFunction.from_mapping(value, default)
            elif name in ("redshift", "magnitude"):
                if not isinstance(value, list | tuple) or len(value) != 2:
                    raise InputError(f"{where} = {value!r}; give [low, high]")
                values[name] = (as_number(value[0], where), as_number(value[1], where))
            else:
                values[name] = as_number(value, where)
        try:
            return cls(**values)
        except InputError as error:
            raise InputError(f"template simulation: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, as in a configuration."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
