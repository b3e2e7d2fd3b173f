"""The numbers of docs/populations.md that are measured, each made by a command given with it.

``python -m photoz.population_reference`` draws galaxies from Table 1 of the paper and prints the
table of equivalent widths.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from photoz.simulations.priors import Prior, sample
from photoz.sps.equivalent_widths import LINES, equivalent_widths, line_luminosity
from photoz.sps.grid import SSPGrid, load_grid
from photoz.sps.history import age_weights
from photoz.sps.population import PopulationModel

GALAXIES = 20_000
SEED = 1
PERCENTILES = (5, 50, 95)
DECREMENT = "Ha / Hb"
_BATCH = 1000
#: From the literature; the references are in docs/populations.md.
OBSERVED: Mapping[str, str] = {
    "[OII]": "30 - 100 in blue galaxies (1); above 15 in half of all galaxies at z > 0.5 (2)",
    "Hb": "100 and above called high, in luminous compact galaxies (3)",
    "[OIII]5007": "8 - 620, median 69, in ultraviolet-bright galaxies at z = 2 (4)",
    "Ha": "with [NII] most often 25 in nearby spirals (5); rises as (1 + z)^1.8 (6)",
    "[NII]6583": "with [NII]6548 on average half of Ha in nearby galaxies (7)",
    DECREMENT: "2.86 in case B at 10 000 K (8)",
}


def measure_widths(
    n: int = GALAXIES, seed: int = SEED, grid: SSPGrid | None = None
) -> dict[str, NDArray[np.float64]]:
    """Equivalent widths of galaxies drawn from Table 1, and their Balmer decrement.

    Parameters
    ----------
    n : int
    seed : int
    grid : SSPGrid, optional
        Default: the shipped one.

    Returns
    -------
    dict of (n,) arrays
        Rest frame, A, by the names of `LINES`; the flux ratio `DECREMENT`, without dust.
    """
    grid = grid or load_grid()
    # Dust takes from lines and continuum alike, so it is left out.
    drawn = sample(Prior(), n, np.random.default_rng(seed))
    model = PopulationModel(grid)
    by_name = {line.name: line for line in LINES}
    parts: list[dict[str, NDArray[np.float64]]] = []
    for start in range(0, n, _BATCH):
        rows = slice(start, start + _BATCH)
        batch = {name: values[rows] for name, values in drawn.items()}
        weights = age_weights(
            batch["tage"], batch["tau"], batch["const"], batch["sf_start"], grid.log_age
        )
        spectra = model.spectra(weights, batch["logzsol"], batch["gas_logu"], batch["gas_logz"])
        widths = equivalent_widths(spectra)
        balmer = (line_luminosity(spectra, by_name[name]) for name in ("Ha", "Hb"))
        parts.append(widths | {DECREMENT: np.divide(*balmer)})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def width_table(widths: Mapping[str, NDArray[np.floating]]) -> Iterator[str]:
    """Rows of the table in docs/populations.md."""
    yield "| | 5 % | 50 % | 95 % | observed |"
    yield "|---|---|---|---|---|"
    for name, values in widths.items():
        numbers = np.percentile(values, PERCENTILES)
        text = " | ".join(
            f"{number:.2f}"
            if name == DECREMENT
            else f"{number:.2g}"
            if number < 10
            else f"{number:.0f}"
            for number in numbers
        )
        yield f"| {name} | {text} | {OBSERVED[name]} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m photoz.population_reference", description=__doc__
    )
    parser.add_argument("--galaxies", type=int, default=GALAXIES)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    for row in width_table(measure_widths(options.galaxies, options.seed)):
        print(row)


if __name__ == "__main__":
    main()
