"""The template simulation (paper, section 3.2.1): a realistic sky of template galaxies.

Luminosity functions of red and blue galaxies give redshifts and luminosities down to a magnitude
limit; luminosity, type and redshift give a colour, the colour a place in the sequence of COSMOS
templates (`template_model`); the ultraviolet gives the star-formation rate and with it H-alpha, and
observed ratios the other lines (`nebular_lines`). Unlike the template mock survey, nothing here
is taken from the catalogue of real galaxies: no redshift, magnitude or template count.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import PathLike
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.memory import Batches
from photoz.simulations.luminosity import draw_redshifts, redshift_counts
from photoz.simulations.nebular_lines import (
    LINES,
    halpha_luminosity,
    line_luminosities,
    star_formation_rate,
)
from photoz.simulations.simulation import Simulation, write_chunk
from photoz.simulations.template_model import (
    LAWS,
    LUMINOSITY_OF_ZERO,
    TemplateModel,
    Templates,
    draw_colours,
)
from photoz.simulations.template_population import TemplatePopulation
from photoz.sps.dust import DUST_LAWS
from photoz.sps.grid import SOLAR_LUMINOSITY
from photoz.sps.projection import BandProjector
from photoz.survey.bands import BandSet

UNITS = "maggies"
_LOG_STEP = 1e-3  # of the spectra in ln(wavelength); the library's own step is 2.3e-3
_LINE_MARGIN = 0.4  # mag that emission lines may add to the reference band
_BATCH = 512  # spectra in flight
_CANDIDATES = 20_000
_REDSHIFT_NODES = 600
_FRUITLESS = 3  # rounds without any galaxy before giving up


@dataclass(frozen=True, eq=False)
class _Galaxies:
    """Galaxies before their spectra are made."""

    redshift: NDArray[np.float64]
    absolute_magnitude: NDArray[np.float64]
    relative_magnitude: NDArray[np.float64]  # to the knee of the luminosity function
    is_red: NDArray[np.bool_]
    templates: Templates

    def take(self, rows: NDArray[np.generic]) -> _Galaxies:
        return _Galaxies(
            self.redshift[rows],
            self.absolute_magnitude[rows],
            self.relative_magnitude[rows],
            self.is_red[rows],
            self.templates.take(rows),
        )


class TemplateSimulator:
    """Draws galaxies of a population and computes their band fluxes.

    Parameters
    ----------
    population : TemplatePopulation
    bands : BandSet
    reference : str
        Band of the apparent magnitudes.

    Raises
    ------
    InputError
        If a band sees beyond the templates (900 A to 2.5 micron in the rest frame).
    """

    def __init__(self, population: TemplatePopulation, bands: BandSet, reference: str) -> None:
        self.population, self.bands = population, bands
        self.reference_index = bands.index(reference)
        self.model = TemplateModel(population.colour_excess_max)
        library = self.model.library
        wavelength = _rest_wavelengths(bands, population.redshift[1], library.wavelength)
        self.lines = np.array(list(LINES.values()))
        self.projector = BandProjector(wavelength, self.lines, bands, population.redshift[1])
        seen = wavelength[self.projector.pixels]
        self.continuum = library.resample(seen).astype(np.float32)
        curves = [DUST_LAWS[name].curve for name in LAWS]
        # exp(-E k ln10 / 2.5)
        scale = -0.4 * np.log(10.0)
        self.curves = np.stack([scale * curve(seen) for curve in curves]).astype(np.float32)
        self.line_curves = np.stack([scale * curve(self.lines) for curve in curves])
        self.magnitudes = self.model.reference(bands[reference], population.redshift)

    def draw(self, n: int, rng: np.random.Generator) -> Simulation:
        """Draw `n` galaxies within the limits and compute their fluxes in maggies.

        Raises
        ------
        InputError
            If hardly any galaxy lies within the limits.
        """
        parts: list[Simulation] = []
        wanted, share, fruitless = n, 0.3, 0
        while wanted > 0 or not parts:
            number = min(int(wanted / share * 1.05) + 200, _CANDIDATES)
            part = self._within_limits(self._candidates(number, rng), rng)
            parts.append(part)
            wanted -= len(part)
            share = max(len(part) / number, 0.02)
            fruitless = 0 if len(part) else fruitless + 1
            if fruitless == _FRUITLESS:
                self._nothing_there()
        return _joined(parts, n)

    def _nothing_there(self) -> NoReturn:
        raise InputError(
            "template simulation: hardly any galaxy lies within redshift "
            f"{list(self.population.redshift)} and magnitude {list(self.population.magnitude)}; "
            "widen them"
        )

    def _candidates(self, n: int, rng: np.random.Generator) -> _Galaxies:
        """Galaxies that may be bright enough, from the luminosity functions."""
        p, nodes = self.population, self.magnitudes.redshift
        functions = (p.blue, p.red)
        fine = np.linspace(nodes[0], nodes[-1], _REDSHIFT_NODES)
        faintest, counts = [], []
        for number, function in enumerate(functions):
            limit = p.magnitude[1] + _LINE_MARGIN - self.magnitudes.smallest(bool(number))
            faintest.append(np.interp(fine, nodes, limit))
            counts.append(redshift_counts(function, fine, faintest[-1]))
        total = [float(values.sum()) for values in counts]
        if not sum(total) > 0:
            self._nothing_there()
        is_red = rng.random(n) < total[1] / (total[0] + total[1])
        redshift, magnitude, relative = np.empty(n), np.empty(n), np.empty(n)
        for number, function in enumerate(functions):
            rows = np.flatnonzero(is_red == bool(number))
            z = draw_redshifts(fine, counts[number], rows.size, rng)
            redshift[rows] = z
            magnitude[rows] = function.draw(z, np.interp(z, fine, faintest[number]), rng)
            relative[rows] = magnitude[rows] - function.knee(z)
        colour = draw_colours(is_red, relative, redshift, rng)
        excess = _exponential(p.colour_excess, p.colour_excess_max, n, rng)
        bump = rng.random(n) < p.bump_fraction
        templates = self.model.choose(is_red, colour, excess, bump, rng)
        return _Galaxies(redshift, magnitude, relative, is_red, templates)

    def _within_limits(self, galaxies: _Galaxies, rng: np.random.Generator) -> Simulation:
        """Fluxes of the candidates that are within the magnitude limits."""
        bright, faint = self.population.magnitude
        offset = self.magnitudes.offset(galaxies.templates, galaxies.redshift)
        magnitude = galaxies.absolute_magnitude + offset
        # Lines make brighter only; the exact magnitude decides below.
        seen = (magnitude < faint + _LINE_MARGIN) & (magnitude > bright - 0.05)
        galaxies = galaxies.take(np.flatnonzero(seen))
        t = galaxies.templates
        scale = 10.0 ** (-0.4 * galaxies.absolute_magnitude) / self.model.b_flux(t)
        rate = star_formation_rate(scale * t.mix(self.model.uv) * LUMINOSITY_OF_ZERO)
        halpha = halpha_luminosity(rate)
        halpha *= 10.0 ** (self.population.halpha_scatter * rng.standard_normal(halpha.size))
        scatter = self.population.line_scatter
        lines = line_luminosities(halpha, galaxies.relative_magnitude, scatter, rng)
        flux = self._fluxes(galaxies, scale, lines)
        with np.errstate(divide="ignore"):  # no star formation: lines of -inf
            apparent = -2.5 * np.log10(flux[:, self.reference_index].astype(np.float64))
            log_lines = np.log10(lines)
        keep = (apparent > bright) & (apparent < faint)
        params: dict[str, NDArray[np.floating]] = {
            "redshift": galaxies.redshift,
            "magnitude": apparent,
            "absolute_magnitude": galaxies.absolute_magnitude,
            "relative_magnitude": galaxies.relative_magnitude,
            "is_red": galaxies.is_red.astype(np.float64),
            "template": t.first + t.part,
            "dust": t.excess,
            "law": t.law.astype(np.float64),
            "star_formation_rate": rate,
        }
        params |= {f"log_{name}": log_lines[:, k] for k, name in enumerate(LINES)}
        params = {name: values[keep] for name, values in params.items()}
        return Simulation(flux[keep], galaxies.redshift[keep], self.bands.names, params)

    def _fluxes(
        self, galaxies: _Galaxies, scale: NDArray[np.float64], lines: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Band fluxes in maggies. `scale` makes templates f_nu in B at 10 pc; lines in erg/s."""
        flux = np.empty((galaxies.redshift.size, len(self.bands)), dtype=np.float32)
        # f_lambda at 10 pc to Lsun/A
        amplitude = (scale * LUMINOSITY_OF_ZERO / SOLAR_LUMINOSITY).astype(np.float32)
        order = np.argsort(galaxies.redshift, kind="stable")
        batches = Batches(order.size, _BATCH, "simulation")
        for batch in batches:
            with batches.attempt():
                rows = order[batch]
                flux[rows] = self._batch_fluxes(galaxies.take(rows), amplitude[rows], lines[rows])
        return flux

    def _batch_fluxes(
        self,
        galaxies: _Galaxies,
        amplitude: NDArray[np.float32],
        lines: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        t = galaxies.templates
        excess, part = t.excess.astype(np.float32)[:, None], t.part.astype(np.float32)[:, None]
        spectra = self.curves[t.law]
        spectra *= excess
        np.exp(spectra, out=spectra)
        mixed = self.continuum[t.first + 1]
        mixed -= self.continuum[t.first]
        mixed *= part
        mixed += self.continuum[t.first]
        spectra *= mixed
        spectra *= amplitude[:, None]
        gas = t.excess[:, None] / self.population.gas_dust
        bright = lines * np.exp(gas * self.line_curves[t.law]) / SOLAR_LUMINOSITY
        return self.projector.fluxes(spectra, bright, galaxies.redshift)


def simulate_template_chunk(
    path: str | PathLike[str],
    population: TemplatePopulation,
    bands: BandSet,
    n: int,
    seed: int,
    chunk: int,
    config_hash: str,
    *,
    reference: str = "i",
) -> None:
    """Simulate one chunk of template galaxies and write it.

    The generator depends on (`seed`, `chunk`) only: any chunk can be made alone, in any order.

    Parameters
    ----------
    path : path-like
        HDF5 file to write, as `photoz.simulations.simulation.read_simulation` reads it. Fluxes are
        apparent AB maggies.
    population : TemplatePopulation
    bands : BandSet
    n, seed, chunk : int
    config_hash : str
        Stored, so that a reader can tell which configuration made the file.
    reference : str
        Band of the magnitude limits.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chunk,)))
    simulation = TemplateSimulator(population, bands, reference).draw(n, rng)
    attributes: dict[str, str | int] = {
        "units": UNITS,
        "seed": seed,
        "chunk": chunk,
        "config_hash": config_hash,
        "population": json.dumps(population.to_dict(), sort_keys=True),
    }
    write_chunk(path, simulation, attributes)


def _rest_wavelengths(
    bands: BandSet, redshift_max: float, covered: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rest wavelengths (A) that the bands see, uniform in the logarithm."""
    low = min(band.wavelength[0] for band in bands) / (1.0 + redshift_max)
    high = max(band.wavelength[-1] for band in bands)
    ends = np.log([max(0.98 * low, covered[0]), min(1.02 * high, covered[-1])])
    return np.exp(np.arange(ends[0], ends[1], _LOG_STEP))


def _exponential(
    mean: float, highest: float, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Exponential variables below `highest`, by inversion."""
    return -mean * np.log1p(-rng.random(n) * -np.expm1(-highest / mean))


def _joined(parts: list[Simulation], n: int) -> Simulation:
    params = {
        name: np.concatenate([part.params[name] for part in parts])[:n] for name in parts[0].params
    }
    flux = np.concatenate([part.flux for part in parts])[:n]
    return Simulation(flux, params["redshift"], parts[0].bands, params)
