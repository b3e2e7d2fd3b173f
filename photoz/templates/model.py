"""Fluxes of every template of every run through every band, on a grid of redshifts.

Computed once per survey and kept as a file. The filter integrals are exact for the templates as
distributed (linear between their wavelengths) and piecewise-linear response curves; emission lines
are delta functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photoz.files import InputError
from photoz.progress import track
from photoz.survey.bands import BandSet
from photoz.survey.keys import did_you_mean
from photoz.survey.photometry import band_weights, line_flux
from photoz.templates.runs import LINE_MODES, RUN_SETS, Run
from photoz.templates.spectra import RunSpectra, run_spectra


@dataclass(frozen=True)
class ModelConfig:
    """Settings of a model grid.

    Attributes
    ----------
    redshift_min, redshift_max, redshift_step : float
        Nodes of the redshift grid.
    runs : str
        A named set of runs, key of `photoz.templates.runs.RUN_SETS`.
    lines : str
        Emission lines of the runs that have them. ``free``: two templates of their own, one with
        all lines but [OIII] in fixed ratios and one with [OIII] (BCNz2). ``tied``: each continuum
        template carries the lines of its ultraviolet flux, [OIII] is a template of its own.
        ``fixed``: each continuum template carries all of its lines. ``auto``: free if the survey
        has narrow bands, else fixed, since broad bands alone leave room for two templates.
    line_floor : float
        Line fluxes below this share of the template's largest are set to zero, lest a line in
        the far wing of one band be given a huge amplitude (as BCNz2 does).

    Raises
    ------
    InputError
        If a value is out of its range or a name is unknown.
    """

    redshift_min: float = 0.01
    redshift_max: float = 1.5
    redshift_step: float = 0.001
    runs: str = "published"
    lines: str = "auto"
    line_floor: float = 1e-3

    def __post_init__(self) -> None:
        if not (0 <= self.redshift_min < self.redshift_max and self.redshift_step > 0):
            raise InputError(
                f"templates: redshifts from {self.redshift_min} to {self.redshift_max} by "
                f"{self.redshift_step} make no grid"
            )
        for name, value, known in (
            ("runs", self.runs, tuple(RUN_SETS)),
            ("lines", self.lines, ("auto", *LINE_MODES)),
        ):
            if value not in known:
                raise InputError(f"templates: {name} '{value}': {did_you_mean(value, known)}")
        if not 0 <= self.line_floor < 1:
            raise InputError(f"templates: line_floor is {self.line_floor}; 0 to 1 expected")

    @property
    def redshift(self) -> NDArray[np.float64]:
        """(z,) nodes; the last does not exceed `redshift_max`."""
        steps = int((self.redshift_max - self.redshift_min) / self.redshift_step + 1e-6)
        return np.round(self.redshift_min + self.redshift_step * np.arange(steps + 1), 9)


@dataclass(frozen=True, eq=False)
class ModelGrid:
    """Model fluxes f_i^j(z) of equation A1.

    Attributes
    ----------
    redshift : (z,) float64
        Ascending nodes.
    bands : tuple of str
    is_narrow : (band,) bool
        Bands that the scale k of equation A4 applies to.
    runs : tuple of Run
    templates : tuple of tuple of str
        Names of each run's templates, those of emission lines last.
    flux : (template, z, band) float32
        f_nu of the templates of all runs, one run after the other; each is scaled to a mean of 1
        over redshifts and bands, so an amplitude has no absolute meaning.
    provenance : dict
        Settings, libraries and bands it was made from.

    Raises
    ------
    InputError
        If the shapes contradict each other or a flux is not finite.
    """

    redshift: NDArray[np.float64]
    bands: tuple[str, ...]
    is_narrow: NDArray[np.bool_]
    runs: tuple[Run, ...]
    templates: tuple[tuple[str, ...], ...]
    flux: NDArray[np.float32]
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        total = sum(len(names) for names in self.templates)
        expected = (total, len(self.redshift), len(self.bands))
        if self.flux.shape != expected or len(self.runs) != len(self.templates):
            raise InputError(f"template model: fluxes {self.flux.shape}, expected {expected}")
        if len(self.is_narrow) != len(self.bands) or not (np.diff(self.redshift) > 0).all():
            raise InputError("template model: bands or redshifts do not fit together")
        if not np.isfinite(self.flux).all() or (self.flux < 0).any():
            raise InputError("template model: a flux is negative or not finite")

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """(run + 1,) position of each run's first template; the last entry is their number."""
        return np.cumsum([0, *(len(names) for names in self.templates)]).astype(np.int64)

    @cached_property
    def ordered_flux(self) -> NDArray[np.float32]:
        """(template, z, band) fluxes with the narrow bands first."""
        order = np.argsort(~self.is_narrow, kind="stable")
        if (np.diff(order) == 1).all():
            return self.flux
        return np.ascontiguousarray(self.flux[:, :, order])

    def run_flux(self, run: int) -> NDArray[np.float32]:
        """(template, z, band) fluxes of one run."""
        return self.flux[self.first[run] : self.first[run + 1]]

    def select_bands(self, names: ArrayLike | tuple[str, ...]) -> ModelGrid:
        """Model of some bands, in the order given (that of a catalogue).

        Raises
        ------
        InputError
            If the model lacks a band.
        """
        wanted = tuple(str(name) for name in np.atleast_1d(np.asarray(names)))
        if wanted == self.bands:
            return self
        missing = [name for name in wanted if name not in self.bands]
        if missing:
            hint = did_you_mean(missing[0], self.bands)
            raise InputError(f"the template model has no band '{missing[0]}'; {hint}")
        index = [self.bands.index(name) for name in wanted]
        return ModelGrid(
            self.redshift,
            wanted,
            self.is_narrow[index],
            self.runs,
            self.templates,
            np.ascontiguousarray(self.flux[:, :, index]),
            self.provenance,
        )


def build_model(
    bands: BandSet, config: ModelConfig | None = None, runs: tuple[Run, ...] | None = None
) -> ModelGrid:
    """Compute the model fluxes of a survey's bands.

    Parameters
    ----------
    bands : BandSet
    config : ModelConfig, optional
    runs : tuple of Run, optional
        Other runs than the set that `config` names.

    Raises
    ------
    InputError
        If a template does not exist, or a band sees beyond the templates at some redshift.
    """
    config = config or ModelConfig()
    runs = RUN_SETS[config.runs]() if runs is None else runs
    redshift = config.redshift
    lines = config.lines
    if lines == "auto":
        lines = "free" if bands.is_narrow.any() else "fixed"
    spectra = [run_spectra(run, lines) for run in runs]
    continua = _continuum_fluxes(spectra, redshift, bands)
    parts = [
        _with_lines(part, continuum, redshift, bands, config.line_floor)
        for part, continuum in zip(spectra, continua, strict=True)
    ]
    flux = np.concatenate(parts)
    flux /= flux.mean(axis=(1, 2), keepdims=True)
    return ModelGrid(
        redshift=redshift,
        bands=bands.names,
        is_narrow=bands.is_narrow,
        runs=tuple(runs),
        templates=tuple(part.names for part in spectra),
        flux=flux.astype(np.float32),
        provenance=_provenance(bands, config, lines),
    )


def _provenance(bands: BandSet, config: ModelConfig, lines: str) -> dict[str, Any]:
    settings = {name: getattr(config, name) for name in config.__dataclass_fields__}
    return {
        "settings": settings | {"lines": lines},
        "templates": "COSMOS templates (Ilbert et al. 2009), populations from the shipped SSP grid",
        "curves": {
            band.name: [
                float(band.wavelength[0]),
                float(band.wavelength[-1]),
                float(np.trapezoid(band.transmission, band.wavelength)),
            ]
            for band in bands
        },
    }


def _continuum_fluxes(
    spectra: list[RunSpectra], redshift: NDArray[np.float64], bands: BandSet
) -> list[NDArray[np.float64]]:
    """Continuum fluxes (continuum template, z, band) of each run, in the spectra's unit."""
    groups: dict[bytes, list[int]] = {}  # runs on the same wavelengths share the filter weights
    for number, part in enumerate(spectra):
        groups.setdefault(part.wavelength.tobytes(), []).append(number)
    result: dict[int, NDArray[np.float64]] = {}
    for members in groups.values():
        wavelength = spectra[members[0]].wavelength
        curves = np.ascontiguousarray(np.concatenate([spectra[m].continuum for m in members]).T)
        out = np.empty((len(bands), len(redshift), curves.shape[1]))
        for b in track(len(bands), "template fluxes", "bands"):
            band = bands[b]
            for k, z in enumerate(redshift):
                ends = band.wavelength[[0, -1]] / (1 + z)
                low, high = np.searchsorted(wavelength, ends)
                nodes = slice(max(int(low) - 1, 0), int(high) + 1)
                out[b, k] = band_weights(wavelength[nodes] * (1 + z), band) @ curves[nodes]
        sizes = np.cumsum([len(spectra[m].continuum) for m in members])[:-1]
        result |= dict(zip(members, np.split(out.transpose(2, 1, 0), sizes), strict=True))
    return [result[number] for number in range(len(spectra))]


def _with_lines(
    spectra: RunSpectra,
    continuum: NDArray[np.float64],
    redshift: NDArray[np.float64],
    bands: BandSet,
    line_floor: float,
) -> NDArray[np.float64]:
    """Fluxes (template, z, band) of all templates of a run: continuum (...) plus lines."""
    out = np.zeros((len(spectra.names), *continuum.shape[1:]))
    out[: len(continuum)] = continuum
    if not spectra.lines.any():
        return out
    observed = spectra.line_wavelength * (1 + redshift[:, None])
    for b, band in enumerate(bands):
        response = line_flux(observed, 1 + redshift[:, None], band)
        out[:, :, b] += spectra.lines @ response.T
    only_lines = out[len(continuum) :]
    peak = only_lines.max(axis=(1, 2), keepdims=True, initial=0.0)
    only_lines[only_lines < line_floor * peak] = 0.0
    return out
