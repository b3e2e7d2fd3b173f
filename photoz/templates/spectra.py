"""Spectra of a run's templates: continuum and emission lines, both behind the run's dust."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.template_library import (
    EMISSION_LINES,
    TemplateLibrary,
    line_luminosities,
    load_template_library,
)
from photoz.survey.keys import did_you_mean
from photoz.templates.runs import ATTENUATION, Run
from photoz.templates.standins import parse_population, population_spectra

LINES, OXYGEN = "lines", "[OIII]"
"""Names of the templates that have emission lines only."""
_IS_OXYGEN = np.array([line.group == "[OIII]" for line in EMISSION_LINES])


@dataclass(frozen=True)
class RunSpectra:
    """Spectra of one run.

    Attributes
    ----------
    names : tuple of str
        Of all templates: continuum first, then those of lines only.
    wavelength : (w,)
        Rest frame, A.
    continuum : (continuum template, w)
        Per A.
    line_wavelength : (line,)
        Rest frame, A.
    lines : (template, line)
        Line luminosities of every template.
    """

    names: tuple[str, ...]
    wavelength: NDArray[np.float64]
    continuum: NDArray[np.float64]
    line_wavelength: NDArray[np.float64]
    lines: NDArray[np.float64]


@lru_cache(maxsize=1)
def _library() -> TemplateLibrary:
    return load_template_library()


def run_spectra(run: Run, lines: str = "free") -> RunSpectra:
    """Spectra of a run's templates.

    The recipe for emission lines is that of BCNz2, after Ilbert et al. (2009): [OII] from the
    ultraviolet continuum, the others in fixed ratios to it, all behind the same dust.

    Parameters
    ----------
    run : Run
    lines : {"free", "tied", "fixed"}
        See `photoz.templates.model.ModelConfig`. Lines of a template of their own have the
        luminosity that the recipe gives to the run's last continuum template.

    Raises
    ------
    InputError
        If a template does not exist, or runs with lines are not made of COSMOS templates.
    """
    wavelength, continuum, luminosity = _continua(run)
    positions = np.array([line.wavelength for line in EMISSION_LINES])
    curve = ATTENUATION[run.law]
    continuum = continuum * 10 ** (-0.4 * run.colour_excess * curve(wavelength))
    luminosity = luminosity * 10 ** (-0.4 * run.colour_excess * curve(positions))
    if not run.lines:
        none = np.zeros_like(luminosity)
        return RunSpectra(run.templates, wavelength, continuum, positions, none)
    oxygen = luminosity[-1:] * _IS_OXYGEN
    if lines == "free":
        others = luminosity[-1:] * ~_IS_OXYGEN
        table = np.concatenate([np.zeros_like(luminosity), others, oxygen])
        names = (*run.templates, LINES, OXYGEN)
    elif lines == "tied":
        table = np.concatenate([luminosity * ~_IS_OXYGEN, oxygen])
        names = (*run.templates, OXYGEN)
    else:
        table, names = luminosity, run.templates
    return RunSpectra(names, wavelength, continuum, positions, table)


def _continua(
    run: Run,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Wavelengths (w,), continua (template, w) and line luminosities (template, line), no dust."""
    library = _library()
    populations = [parse_population(name) is not None for name in run.templates]
    if all(populations) and not run.lines:
        wavelength, continuum = population_spectra(run.templates)
        return wavelength, continuum, np.zeros((len(continuum), len(EMISSION_LINES)))
    unknown = [name for name in run.templates if name not in library.names]
    if unknown:
        hint = did_you_mean(unknown[0], library.names)
        raise InputError(f"template run {run.name}: no COSMOS template '{unknown[0]}'; {hint}")
    index = [library.names.index(name) for name in run.templates]
    return library.wavelength, library.f_lambda[index], line_luminosities(library)[index]
