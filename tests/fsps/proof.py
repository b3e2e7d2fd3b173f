"""The fast path against FSPS's own code, galaxy by galaxy, on the same SSPs and nebular tables."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from photoz.simulations.priors import Prior, sample
from photoz.sps import (
    BandProjector,
    PopulationModel,
    age_weights,
    attenuate,
    load_grid,
    simulate_fluxes,
)
from photoz.sps.build_grid import pixel_means
from photoz.sps.fsps.galaxies import OPTIONS, band_fluxes, spectrum
from photoz.sps.fsps.workers import Workers
from photoz.survey.survey import load_survey
from tests.fsps.home import GAS_LOG_AGES, LOG_AGES

N_GALAXIES, SEED = 200, 20200729
SEEN = (1500.0, 10000.0)  # rest frame, A: what the bands see between redshift 0 and 1.2
BRIGHT = 0.01  # of H alpha: fainter lines move no band
SURVEY = Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml"


@dataclass(frozen=True)
class Comparison:
    """Differences, fast path minus FSPS.

    Attributes
    ----------
    parameters : dict of (n,) arrays
    wavelength : (w,) array, A
    continuum : (n, w) relative difference
    lines : (n, l) relative difference, NaN where faint
    line_name : tuple
    magnitude : (n, band) difference, on the grid made by FSPS
    thinned, shipped : (n, band) difference, on our grid at FSPS's ages and as shipped
    bands : tuple
    """

    parameters: dict
    wavelength: np.ndarray
    continuum: np.ndarray
    lines: np.ndarray
    line_name: tuple
    magnitude: np.ndarray
    thinned: np.ndarray
    shipped: np.ndarray
    bands: tuple


def compare(grid, processes=1):
    """Compute the galaxies both ways; `grid` is the one that `build_fsps_grid` made."""
    bands = load_survey(SURVEY).bands
    prior = Prior()
    parameters = sample(prior, N_GALAXIES, np.random.default_rng(SEED))
    theirs, their_lines, their_flux = run_fsps(grid, parameters, bands, processes)
    spectra = fast_spectra(grid, parameters)
    seen = slice(*np.searchsorted(grid.wavelength, SEEN))
    continuum = spectra.continuum[:, seen] / theirs[:, seen] - 1
    index = [int(np.argmin(np.abs(their_lines[0][0] - w))) for w in grid.line_wavelength]
    luminosity = np.stack([values for _, values in their_lines])[:, index]
    h_alpha = luminosity[:, [int(np.argmin(np.abs(grid.line_wavelength - 6564.6)))]]
    with np.errstate(divide="ignore", invalid="ignore"):
        lines = np.where(luminosity > BRIGHT * h_alpha, spectra.lines / luminosity - 1, np.nan)
    magnitudes = [
        -2.5 * np.log10(fast_fluxes(one, parameters, bands, prior) / their_flux)
        for one in (grid, thinned(load_grid()), load_grid())
    ]
    return Comparison(
        parameters,
        grid.wavelength[seen],
        continuum,
        lines,
        grid.line_name,
        *magnitudes,
        bands.names,
    )


def fast_spectra(grid, p):
    """Spectra of the fast path on all pixels."""
    weights = age_weights(p["tage"], p["tau"], p["const"], p["sf_start"], grid.log_age)
    model = PopulationModel(grid)
    spectra = model.spectra(weights, p["logzsol"], p["gas_logu"], p["gas_logz"])
    return attenuate(spectra, p["dust2"])


def fast_fluxes(grid, parameters, bands, prior):
    """Band fluxes of the fast path."""
    projector = BandProjector(grid.wavelength, grid.line_wavelength, bands, prior.redshift[1])
    return simulate_fluxes(grid, projector, parameters).astype(float)


def run_fsps(grid, parameters, bands, processes):
    """Continuum (n, w), [(line wavelengths, luminosities)] and band fluxes (n, band) of FSPS."""
    number = parameters["redshift"].size
    batches = [{k: v[i : i + 1] for k, v in parameters.items()} for i in range(number)]
    with Workers(OPTIONS, processes) as workers:
        tasks = ((batch, grid.edges, bands) for batch in batches)
        made = workers.map(one_galaxy, tasks, "FSPS", "galaxies")
    continuum, lines, flux = zip(*made, strict=True)
    return np.stack(continuum), list(lines), np.concatenate(flux).astype(float)


def one_galaxy(population, batch, edges, bands):
    """One galaxy of FSPS: pixel means, lines and band fluxes; runs in a worker."""
    galaxy = {name: float(values[0]) for name, values in batch.items()}
    wavelength, continuum, line_wavelength, lines = spectrum(population, galaxy)
    means = pixel_means(wavelength, continuum, edges)
    return means, (line_wavelength, lines), band_fluxes(population, batch, bands)


def thinned(grid):
    """Return our grid with FSPS's ages only: the same SSPs, but on our metallicities."""
    ages = _nearest(grid.log_age, LOG_AGES)
    gas = _nearest(grid.nebular_log_age, GAS_LOG_AGES)
    return replace(
        grid,
        log_age=grid.log_age[ages],
        spectrum=grid.spectrum[:, ages],
        ionizing_rate=grid.ionizing_rate[:, ages],
        living_mass=grid.living_mass[:, ages],
        nebular_log_age=grid.nebular_log_age[gas],
        nebular_continuum=grid.nebular_continuum[:, :, gas],
        line_luminosity=grid.line_luminosity[:, :, gas],
    )


def _nearest(nodes, at):
    return [int(np.argmin(np.abs(nodes - value))) for value in at]


def report(comparison):
    """The page's tables, as Markdown."""
    c = comparison
    size = np.abs(c.magnitude)
    rows = [
        ("continuum, 1500-10000 A, pixels of 3 A", np.abs(c.continuum), "%", 100, "0.5 %"),
        ("lines brighter than 1 % of H alpha", np.abs(c.lines), "%", 100, "1 %"),
        ("46 bands, on FSPS's own grid", size, "mag", 1, "0.02 mag, median 0.003 mag"),
        ("46 bands, on our grid at FSPS's ages", np.abs(c.thinned), "mag", 1, ""),
        ("46 bands, on our grid as shipped", np.abs(c.shipped), "mag", 1, ""),
        ("the same, relative to the i band", np.abs(_colours(c)), "mag", 1, ""),
    ]
    lines = [
        f"{N_GALAXIES} galaxies drawn from Table 1 (seed {SEED}), fast path against FSPS:",
        "",
        "| | median | 99 % | largest | bound |",
        "|---|---|---|---|---|",
    ]
    for what, values, unit, factor, bound in rows:
        values = values[np.isfinite(values)] * factor
        numbers = (np.median(values), np.quantile(values, 0.99), values.max())
        shown = " | ".join(f"{number:.4f} {unit}" for number in numbers)
        lines.append(f"| {what} | {shown} | {bound} |")
    names = ("redshift", "logzsol", "tau", "const", "sf_start", "tage", "dust2", "gas_logu")
    lines += [
        "",
        "The five galaxies that differ most:",
        "",
        f"| galaxy | band | difference (mag) | continuum (%) | lines (%) | {' | '.join(names)} |",
        "|---" * (5 + len(names)) + "|",
    ]
    for row in np.argsort(-size.max(axis=1))[:5]:
        band = int(size[row].argmax())
        values = " | ".join(f"{c.parameters[name][row]:.3f}" for name in names)
        spectrum_off = 100 * np.abs(c.continuum[row]).max()
        lines_off = 100 * np.nanmax(np.abs(c.lines[row]))
        lines.append(
            f"| {row} | {c.bands[band]} | {c.magnitude[row, band]:+.4f} | {spectrum_off:.3f} | "
            f"{lines_off:.3f} | {values} |"
        )
    return "\n".join(lines)


def _colours(c):
    return c.shipped - c.shipped[:, [c.bands.index("i")]]
