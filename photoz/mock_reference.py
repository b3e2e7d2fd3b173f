"""The numbers behind the mock surveys, each made by a command that is given with it.

``python -m photoz.mock_reference build zcosmos20k_broadband.parquet`` counts the real galaxies
again: it writes ``zcosmos_sky.json`` and ``zcosmos_reference.json`` into ``photoz/data`` and prints
the table of neighbours in docs/metrics.md.

``python -m photoz.mock_reference measure`` makes mock surveys of the seeds given and prints the
numbers of docs/mock.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from photoz.metrics.calibration import pit_tests
from photoz.metrics.point import nmad, redshift_error, sigma68
from photoz.pdf.mixture import MixturePDF
from photoz.simulations.mock import MockConfig, make_mock, make_template_mock
from photoz.simulations.realism import COLOUR_MAGNITUDE_EDGES, compare_with_real, reference_bands
from photoz.simulations.reference import COLUMNS, build, read_real
from photoz.simulations.sky import load_reference
from photoz.simulations.template_mock import line_strength
from photoz.sps.template_library import EMISSION_LINES, line_luminosities, load_template_library
from photoz.survey.catalogue import Catalogue
from photoz.survey.photometry import flux_from_magnitude
from photoz.survey.survey import Survey, load_survey
from photoz.training.neighbours import NeighbourConfig, neighbour_scatter, predict_folds

SEEDS = (1, 2, 3, 4, 5)
FOLDS = 5
#: How hard a survey is: what `photoz.training.neighbours.neighbour_scatter` does.
PLAIN = NeighbourConfig(n_neighbours=10, fit="mean", magnitude_scale=None)
METHODS = {
    "80 neighbours, plane (default)": NeighbourConfig(),
    "the same without the magnitude": NeighbourConfig(magnitude_scale=None),
    "mean of 10 neighbours, without the magnitude": PLAIN,
}
MAKERS: dict[str, Callable[[Survey, MockConfig, int], Catalogue]] = {
    "mock": make_mock,
    "template mock": make_template_mock,
}


def real_catalogue(real: dict[str, np.ndarray]) -> Catalogue:
    """What `photoz.simulations.reference.read_real` returns, as a catalogue in maggies."""
    flux = flux_from_magnitude(real["magnitude"], 0.0)
    return Catalogue(
        id=np.arange(len(flux)),
        redshift=real["redshift"],
        mag_i=real["magnitude"][:, list(COLUMNS).index("i")],
        flux=flux.astype(np.float32),
        error=(flux * real["error"] * np.log(10.0) / 2.5).astype(np.float32),
        bands=tuple(COLUMNS),
        survey="zCOSMOS",
        zero_point=0.0,
        reference_band="i",
    )


def scatter(catalogue: Catalogue, edges: Sequence[float], seed: int = SEEDS[0]) -> np.ndarray:
    """sigma68 of plain neighbours in magnitude bins with these edges, (bin,)."""
    index = reference_bands(catalogue)
    return neighbour_scatter(
        catalogue.flux[:, index],
        catalogue.error[:, index],
        catalogue.redshift,
        catalogue.mag_i,
        index.index(catalogue.reference_index),
        edges,
        n_folds=FOLDS,
        seed=seed,
    )


def shipped_scatter(real: Catalogue) -> dict[str, Any]:
    """Entry `neighbour_scatter` of ``zcosmos_reference.json``: mean of splits with `SEEDS`."""

    def mean(edges: Sequence[float]) -> list[float]:
        runs = [scatter(real, edges, seed) for seed in SEEDS]
        return [round(float(value), 4) for value in np.mean(runs, axis=0)]

    edges = COLOUR_MAGNITUDE_EDGES
    return {
        "provenance": (
            "sigma68 of (z_p - z_s) / (1 + z_s), the mean redshift of 10 nearest neighbours in "
            f"error-scaled adjacent colours; {FOLDS} folds, mean of {len(SEEDS)} splits"
        ),
        "magnitude_edges": list(edges),
        "n": np.histogram(real.mag_i, edges)[0].tolist(),
        "sigma68": mean(edges),
        "all": {"n": len(real), "sigma68": mean((-np.inf, np.inf))[0]},
    }


def predict_out_of_fold(catalogue: Catalogue, config: NeighbourConfig, seed: int) -> MixturePDF:
    """p(z) of every galaxy from the galaxies of the other folds, in the bands of the reference."""
    fold = (np.random.default_rng(seed).permutation(len(catalogue)) % FOLDS).astype(np.int8)
    training = {k: np.flatnonzero(fold != k) for k in range(FOLDS)}
    config = replace(config, bands=tuple(reference_bands(catalogue)))
    return predict_folds(catalogue, fold, training, config)


def neighbour_table(real: Catalogue, seed: int = SEEDS[0]) -> Iterator[str]:
    """Rows of the table of neighbours in docs/metrics.md."""
    yield "| method | sigma68 | NMAD | beyond 0.02 | beyond 0.15 | PIT KS |"
    yield "|---|---|---|---|---|---|"
    for name, config in METHODS.items():
        pdf = predict_out_of_fold(real, config, seed)
        dz = redshift_error(pdf.means[:, 0], real.redshift)
        far = [100.0 * np.mean(np.abs(dz) > limit) for limit in (0.02, 0.15)]
        ks = pit_tests(pdf.pit(real.redshift)).ks
        yield (
            f"| {name} | {sigma68(dz):.4f} | {nmad(dz):.4f} | {far[0]:.1f} % | {far[1]:.1f} % | "
            f"{ks:.3f} |"
        )


def template_widths(catalogue: Catalogue) -> dict[str, np.ndarray]:
    """Rest-frame equivalent widths (A) of a template mock before dust and scatter, by line."""
    library = load_template_library()
    template = np.asarray(catalogue.truth["template"], dtype=float)
    low = np.minimum(template.astype(int), len(library) - 2)
    part = template - low
    wavelength = np.array([line.wavelength for line in EMISSION_LINES])
    luminosity, level = line_luminosities(library), library.resample(wavelength)
    ratio = ((1.0 - part[:, None]) * luminosity[low] + part[:, None] * luminosity[low + 1]) / (
        (1.0 - part[:, None]) * level[low] + part[:, None] * level[low + 1]
    )
    width = ratio * line_strength(template)[:, None]
    return {line.name: width[:, k] for k, line in enumerate(EMISSION_LINES)}


def measure(survey: Survey, seeds: tuple[int, ...]) -> Iterator[str]:
    """Lines of text with the numbers of docs/mock.md, from mocks of the default configuration."""
    real = load_reference()["neighbour_scatter"]
    scatters, rows = {}, []
    for kind, make in MAKERS.items():
        mocks = [make(survey, MockConfig(), seed) for seed in seeds]
        runs = np.array([scatter(mock, real["magnitude_edges"]) for mock in mocks])
        scatters[kind] = runs.mean(axis=0)
        compared = [compare_with_real(mock) for mock in mocks]
        clustered = [100.0 * c["clustered_fraction_mock"] for c in compared]
        offset = np.mean([c["median_offset"] for c in compared], axis=0)
        single = 100.0 * runs.std(axis=0, ddof=1) / runs.mean(axis=0)
        rows += [
            f"{kind}: {len(mocks[0])} galaxies, seeds {', '.join(map(str, seeds))}",
            f"  in dense redshift bins {np.mean(clustered):.1f} +- {np.std(clustered):.1f} %, real "
            f"{100.0 * compared[0]['clustered_fraction_real']:.1f} %",
            f"  sigma68 of single mocks scatters by {single.min():.0f}-{single.max():.0f} %",
            f"  median colours: mean |offset| {np.abs(offset).mean():.3f}, most "
            f"{np.abs(offset).max():.3f} mag",
            f"  neighbours beyond 0.15: {100.0 * np.mean([_far(mock) for mock in mocks]):.2f} %",
            *(f"  {line}" for line in _signal_to_noise(mocks[0])),
            *(f"  {line}" for line in _widths(mocks[0])),
        ]
    yield "| i | real n | real | " + " | ".join(MAKERS) + " |"
    yield "|---|---|---|" + "---|" * len(MAKERS)
    for k, n in enumerate(real["n"]):
        low, high = real["magnitude_edges"][k : k + 2]
        label = f"< {high:g}" if low <= 0 else f"{low:g}-{high:g}"
        cells = [
            f"{s[k]:.4f} ({100.0 * (s[k] / real['sigma68'][k] - 1.0):+.0f} %)"
            for s in scatters.values()
        ]
        yield f"| {label} | {n} | {real['sigma68'][k]:.4f} | {' | '.join(cells)} |"
    yield ""
    yield from rows


def _far(mock: Catalogue) -> float:
    """Share of the galaxies that plain neighbours put beyond 0.15 of their redshift."""
    pdf = predict_out_of_fold(mock, PLAIN, SEEDS[0])
    return float(np.mean(np.abs(redshift_error(pdf.means[:, 0], mock.redshift)) > 0.15))


def _signal_to_noise(mock: Catalogue) -> Iterator[str]:
    """Median narrow-band S/N at two magnitudes, faintest to brightest band."""
    narrow = [k for k, name in enumerate(mock.bands) if name.startswith("NB")]
    for magnitude in (19.5, 21.5) if narrow else ():
        rows = np.abs(np.asarray(mock.truth["mag_i"], dtype=float) - magnitude) < 0.1
        ratio = np.median((mock.flux / mock.error)[rows][:, narrow], axis=0)
        yield f"narrow-band S/N at i = {magnitude}: {ratio.min():.0f} to {ratio.max():.0f}"


def _widths(mock: Catalogue) -> Iterator[str]:
    """Equivalent widths, A."""
    if "type" not in mock.truth:
        for name, width in template_widths(mock).items():
            if name in ("[OII]3727", "Hb", "[OIII]5007", "Ha"):
                p50, p84, p95 = np.percentile(width, [50, 84, 95])
                yield f"EW {name} 50/84/95 %: {p50:.0f}/{p84:.0f}/{p95:.0f}"
        return
    for kind in ("star_forming", "burst", "quiescent"):
        rows = mock.truth["type"] == kind
        for name in ("oii", "hb", "oiii5007", "ha"):
            p5, p50, p95 = np.percentile(mock.truth[f"ew_{name}"][rows], [5, 50, 95])
            yield f"EW {name} of {kind} 5/50/95 %: {p5:.0f}/{p50:.0f}/{p95:.0f}"


def main(arguments: list[str] | None = None) -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m photoz.mock_reference")
    parser.add_argument("--survey", default="config/surveys/paus.yaml", help="survey file")
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="count the real galaxies")
    builder.add_argument("catalogue", help="zcosmos20k_broadband.parquet")
    builder.add_argument("--folder", default=Path(__file__).parent / "data", help="where to write")
    measurer = commands.add_parser("measure", help="measure mock surveys")
    measurer.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    given = parser.parse_args(arguments)
    survey = load_survey(given.survey)
    if given.command == "build":
        real = read_real(given.catalogue)
        bands = survey.bands.subset(COLUMNS)
        catalogue = real_catalogue(real)
        build(real, bands, shipped_scatter(catalogue), given.folder)
        print(f"{len(catalogue)} galaxies")
        lines = neighbour_table(catalogue)
    else:
        lines = measure(survey, tuple(given.seeds))
    for line in lines:
        print(line)


if __name__ == "__main__":
    main()
