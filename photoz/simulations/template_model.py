"""What galaxies of the template simulation are made of: which template, how much dust, which law.

The paper gives each galaxy the template and extinction of a COSMOS galaxy of its luminosity,
colour and redshift (section 3.2.1). That catalogue is not shipped; here a rest-frame U-B colour
is drawn for the luminosity, type and redshift, and the template sequence is entered where it has
that colour under the galaxy's dust.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photoz.simulations.nebular_lines import UV_RANGE
from photoz.sps.cosmology import MINIMUM_DISTANCE, luminosity_distance
from photoz.sps.dust import DUST_LAWS
from photoz.sps.template_library import TemplateLibrary, load_template_library
from photoz.survey.bands import Band
from photoz.survey.curves import sedpy_band
from photoz.survey.photometry import AB_FLUX, SPEED_OF_LIGHT, band_flux

_Array = NDArray[np.float64]

LAWS = ("calzetti", "calzetti_weak_bump", "smc")
#: Templates from here on have dust (Sb_A_0), and Calzetti's law instead of the SMC's (SB3_A_0), as
#: Ilbert et al. (2009) fit them.
FIRST_DUSTY, FIRST_CALZETTI = 10, 22
#: Templates before this one (Sa_A_0) have no emission lines: their ultraviolet is of old stars.
FIRST_STAR_FORMING = 8
#: Last template of red galaxies, and first one of blue galaxies.
LAST_RED, FIRST_BLUE = 9, 8
#: Rest-frame U-B (AB): at the knee of the luminosity function, per magnitude, per redshift, and
#: scatter. The red sequence has the slope of Willmer et al. (2006); both get bluer with redshift
#: as Blanton (2006) finds. The rest is ours: the colours of real galaxies follow from it
#: (docs/simulations.md).
RED_COLOUR = (1.21, -0.032, -0.05, 0.06)
BLUE_COLOUR = (0.84, -0.05, -0.02, 0.13)
_EXCESS_STEP = 0.05
_REDSHIFT_STEP = 0.02
#: AB flux of magnitude 0 at 10 pc, erg/s/Hz.
_TEN_PARSEC_AREA = 4.0 * np.pi * (MINIMUM_DISTANCE * 3.0856775814913673e24) ** 2
LUMINOSITY_OF_ZERO = AB_FLUX * _TEN_PARSEC_AREA


def draw_colours(
    is_red: NDArray[np.bool_],
    relative_magnitude: _Array,
    redshift: _Array,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Rest-frame U-B (AB) of galaxies of these types, M - M*(z) and redshifts, (n,)."""
    level, slope, evolution, scatter = (
        np.where(is_red, red, blue) for red, blue in zip(RED_COLOUR, BLUE_COLOUR, strict=True)
    )
    mean = level + slope * relative_magnitude + evolution * redshift
    return mean + scatter * rng.standard_normal(redshift.size)


@dataclass(frozen=True, eq=False)
class Templates:
    """Chosen points of the template sequence.

    Attributes
    ----------
    first : (n,) int
        The earlier of the two templates that are mixed.
    part : (n,)
        Share of the later one, in flux, each template being normalised as distributed.
    excess : (n,)
        E(B-V); 0 for templates without dust.
    law : (n,) int
        Index into `LAWS`.
    """

    first: NDArray[np.intp]
    part: _Array
    excess: _Array
    law: NDArray[np.intp]

    def mix(self, values: _Array) -> NDArray[np.float64]:
        """Values per template (template, ...) at these points, (n, ...)."""
        part = self.part.reshape(-1, *(1,) * (values.ndim - 1))
        return (1.0 - part) * values[self.first] + part * values[self.first + 1]

    def take(self, rows: NDArray[np.generic]) -> Templates:
        """Some of the points."""
        return Templates(self.first[rows], self.part[rows], self.excess[rows], self.law[rows])


class TemplateModel:
    """Tables of the template library: rest-frame fluxes under every law and colour excess.

    Parameters
    ----------
    excess_max : float
        Largest E(B-V).
    library : TemplateLibrary, optional
        The shipped one by default.
    """

    def __init__(self, excess_max: float, library: TemplateLibrary | None = None) -> None:
        self.library = library or load_template_library()
        count = max(int(np.ceil(excess_max / _EXCESS_STEP)), 1) + 1
        self.excess = np.linspace(0.0, excess_max, count)
        wave = self.library.wavelength
        self.attenuated = np.stack(  # (law, template, excess, wavelength)
            [
                self.library.f_lambda[:, None]
                * 10.0 ** (-0.4 * self.excess[:, None] * DUST_LAWS[name].curve(wave))
                for name in LAWS
            ]
        )
        rest = {name: rest_band(name) for name in ("U", "B")}
        self.log_u, self.log_b = (
            np.log(band_flux(wave, self.attenuated, rest[name])) for name in ("U", "B")
        )
        f_nu = self.library.f_lambda * wave**2 / SPEED_OF_LIGHT
        inside = np.linspace(*UV_RANGE, 200)
        self.uv = np.array([np.interp(inside, wave, f).mean() for f in f_nu])
        self.uv[:FIRST_STAR_FORMING] = 0.0

    def choose(
        self,
        is_red: NDArray[np.bool_],
        colour: _Array,
        excess: _Array,
        bump: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Templates:
        """Enter the template sequence where it has the colour `colour` (U-B, AB).

        Dust is `excess` for the templates that have it, 0 for the others. Where several
        neighbours have that colour between them, one pair is chosen at random; where none has,
        the nearest point of the sequence.
        """
        segment = np.arange(len(self.library) - 1)
        shape = (colour.size, segment.size)
        dusty = segment >= FIRST_DUSTY
        law = np.where(segment >= FIRST_CALZETTI, bump[:, None].astype(int), LAWS.index("smc"))
        amount = np.where(dusty, excess[:, None], 0.0)
        u, b = (
            [np.exp(self._at(table, law, segment + end, amount)) for end in (0, 1)]
            for table in (self.log_u, self.log_b)
        )
        ratio = 10.0 ** (-0.4 * colour[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (ratio * b[0] - u[0]) / ((u[1] - u[0]) - ratio * (b[1] - b[0]))
        allowed = np.where(is_red[:, None], segment < LAST_RED, segment >= FIRST_BLUE)
        inside = allowed & (part >= 0.0) & (part <= 1.0)
        part = np.clip(np.nan_to_num(part), 0.0, 1.0)
        mixed = [(1.0 - part) * x[0] + part * x[1] for x in (u, b)]
        distance = np.where(allowed, np.abs(np.log(mixed[0] / mixed[1] / ratio)), np.inf)
        score = np.where(inside, 1.0 + rng.random(shape), -distance)
        first = score.argmax(axis=1)
        rows = np.arange(colour.size)
        return Templates(first, part[rows, first], amount[rows, first], law[rows, first])

    def _at(
        self,
        table: _Array,
        law: NDArray[np.integer],
        template: NDArray[np.integer],
        excess: _Array,
    ) -> NDArray[np.float64]:
        """A table (law, template, E(B-V)) at `excess`, by straight lines."""
        position = excess / self.excess[1]
        low = np.minimum(position.astype(np.intp), self.excess.size - 2)
        flat = (law * table.shape[1] + template) * table.shape[2] + low
        values = table.ravel()
        left = values[flat]
        return left + (position - low) * (values[flat + 1] - left)

    def b_flux(self, templates: Templates) -> NDArray[np.float64]:
        """Rest-frame f_nu in B, (n,), in the library's unit x A / Hz."""
        return self._mixed(self.log_b, templates)

    def _mixed(self, table: _Array, t: Templates) -> NDArray[np.float64]:
        ends = [np.exp(self._at(table, t.law, t.first + end, t.excess)) for end in (0, 1)]
        return (1.0 - t.part) * ends[0] + t.part * ends[1]

    def reference(self, band: Band, redshift: tuple[float, float]) -> ReferenceMagnitudes:
        """Apparent minus absolute B magnitudes of the continuum in a band."""
        return ReferenceMagnitudes(self, band, redshift)


class ReferenceMagnitudes:
    """m - M_B of templates in an observed band: distance modulus and K correction together."""

    def __init__(self, model: TemplateModel, band: Band, redshift: tuple[float, float]) -> None:
        count = int(np.ceil((redshift[1] - redshift[0]) / _REDSHIFT_STEP)) + 1
        self.model, self.redshift = model, np.linspace(*redshift, max(count, 2))
        wave = model.library.wavelength
        self.tables = []  # ln of the apparent flux over that in B at 10 pc, per redshift
        for z in self.redshift:
            dimming = (MINIMUM_DISTANCE / luminosity_distance(z)) ** 2 / (1.0 + z)
            flux = band_flux(wave * (1.0 + z), model.attenuated, band) * dimming
            self.tables.append(np.log(flux))

    def offset(self, templates: Templates, redshift: _Array) -> NDArray[np.float64]:
        """Apparent minus absolute magnitudes of galaxies, (n,)."""
        step = self.redshift[1] - self.redshift[0]
        position = (redshift - self.redshift[0]) / step
        low = np.clip(position.astype(np.intp), 0, self.redshift.size - 2)
        result = np.empty(redshift.size)
        for k in np.unique(low):
            rows = np.flatnonzero(low == k)
            t = templates.take(rows)
            ends = [self._magnitudes(k + end, t) for end in (0, 1)]
            result[rows] = ends[0] + (position[rows] - k) * (ends[1] - ends[0])
        return result + 2.5 * np.log10(self.model.b_flux(templates))

    def _magnitudes(self, node: int, templates: Templates) -> NDArray[np.float64]:
        return -2.5 * np.log10(self.model._mixed(self.tables[node], templates))

    def smallest(self, is_red: bool) -> NDArray[np.float64]:
        """Smallest m - M_B that a type has at each redshift node, (node,)."""
        shape = self.model.log_b.shape
        _, template, excess = np.ogrid[: shape[0], : shape[1], : shape[2]]
        allowed = template <= LAST_RED if is_red else template >= FIRST_BLUE
        allowed = allowed & ((template >= FIRST_DUSTY - 1) | (excess == 0))
        calzetti = np.array([name != "smc" for name in LAWS])[:, None, None]
        dusty = np.where(calzetti, template >= FIRST_CALZETTI, template <= FIRST_CALZETTI)
        allowed = allowed & (dusty | (excess == 0))
        offsets = [-2.5 / np.log(10.0) * (table - self.model.log_b) for table in self.tables]
        return np.array([np.where(allowed, offset, np.inf).min() for offset in offsets])


@lru_cache(maxsize=4)
def rest_band(name: str) -> Band:
    """Bessell's U or B, in which rest-frame luminosities and colours are given."""
    return sedpy_band(name, "broad", f"bessell_{name}")
