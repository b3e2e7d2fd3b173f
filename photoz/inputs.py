"""The user's files that jobs read, and a check of them before the first job starts.

What the workflow asks for whenever it is parsed, in every job's process too, is read from YAML
alone; only `check` and `narrow_bands` load the survey.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from photoz.files import InputError
from photoz.yaml_files import read_yaml

FSPS = "fsps"
"""Value of a simulation's `grid` or `engine` that needs FSPS."""


def band_names(config: Mapping[str, Any]) -> set[str]:
    """Names of the survey's own bands, without those of `source`."""
    return {str(entry.get("name")) for entry in _bands(config)}


def narrow_bands(config: Mapping[str, Any]) -> int:
    """Number of the survey's narrow bands, those of `source` included; loads the survey."""
    from photoz.survey.survey import load_survey  # slow to import

    return int(load_survey(config["survey"]).bands.is_narrow.sum())


def curve_files(config: Mapping[str, Any]) -> list[str]:
    """Response curves that the survey names; whatever reads the survey reads them.

    Raises
    ------
    InputError
        If the survey file is absent or not YAML.
    """
    folder = Path(config["survey"]).parent
    names = [entry["file"] for entry in _bands(config) if isinstance(entry.get("file"), str)]
    return list(dict.fromkeys(str(folder / name) for name in names))


def exposure_tables(config: Mapping[str, Any], catalogue: str) -> list[str]:
    """The table of exposures beside a catalogue's file, where its column map names one.

    Raises
    ------
    InputError
        If the survey file is absent or not YAML.
    """
    section = config["catalogues"][catalogue]
    if section["kind"] != "file":
        return []
    columns = section["columns"] or read_yaml(config["survey"], "survey").get("columns")
    exposures = columns.get("exposures") if isinstance(columns, Mapping) else None
    path = exposures.get("path") if isinstance(exposures, Mapping) else None
    return [str(Path(section["path"]).parent / path)] if isinstance(path, str) else []


def check(config: Mapping[str, Any]) -> None:
    """Load the survey, and read the column maps and cuts of the user's catalogues.

    Raises
    ------
    InputError
        One line that names the file or the key.
    """
    from photoz.survey.columns import parse_columns  # slow to import
    from photoz.survey.keys import did_you_mean
    from photoz.survey.selection import Selection
    from photoz.survey.survey import load_survey

    survey = load_survey(config["survey"])
    fsps_redshift_max(config)
    for name, section in config["catalogues"].items():
        if section["kind"] != "file":
            continue
        where = f"config: catalogues.{name}"
        if not (section["columns"] or survey.columns):
            raise InputError(
                f"{where}.columns: missing; {config['survey']} has no `columns` either"
            )
        parse_columns(section["columns"] or survey.columns, survey.bands.names, f"{where}.columns")
        cuts = asdict(survey.selection) | dict(section["selection"])
        selection = Selection.from_dict(cuts, f"{where}.selection")
        for band in () if selection.required == "all" else selection.required:
            if band not in survey.bands:
                hint = did_you_mean(band, survey.bands.names)
                raise InputError(f"{where}.selection.required: no band '{band}'; {hint}")


def fsps_simulations(config: Mapping[str, Any]) -> list[str]:
    """Simulations that FSPS makes, or the grid of, in the order of the configuration."""
    return [
        name
        for name, section in config["simulations"].items()
        if section.get("engine") == FSPS or section.get("grid") == FSPS
    ]


def fsps_redshift_max(config: Mapping[str, Any]) -> float | None:
    """Largest redshift of the simulations that need FSPS; None where none does.

    Raises
    ------
    InputError
        If a simulation's prior is wrong, or it names both a grid and FSPS as its engine.
    """
    redshifts = []
    for name in fsps_simulations(config):
        from photoz.simulations.priors import Prior  # slow to import

        section = config["simulations"][name]
        if section["engine"] == FSPS and section["grid"] is not None:
            raise InputError(
                f"config: simulations.{name}.grid: `engine: fsps` computes each galaxy without a "
                "grid; remove one of the two"
            )
        redshifts.append(Prior.from_mapping(section["prior"]).redshift[1])
    return max(redshifts, default=None)


def check_fsps(config: Mapping[str, Any]) -> None:
    """Check that FSPS can run where a simulation still has to be made with it.

    Raises
    ------
    InputError
        If FSPS or its data are absent or unfit, or the library is too coarse for the bands.
    """
    redshift_max = fsps_redshift_max(config)
    folder = Path(config["results_dir"]) / config["name"]
    missing = False
    for name in fsps_simulations(config):
        section = config["simulations"][name]
        files = [folder / "sps" / "fsps.npz"]
        if section["engine"] == FSPS:
            number = -(-section["n_galaxies"] // section["chunk_size"])
            files = [folder / "simulations" / name / f"chunk-{k}.h5" for k in range(number)]
        missing |= not all(path.is_file() for path in files)
    if redshift_max is not None and missing:
        from photoz.sps.fsps import check_resolution, find_installation
        from photoz.survey.survey import load_survey

        bands = load_survey(config["survey"]).bands
        check_resolution(find_installation(), bands, redshift_max)


def _bands(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = read_yaml(config["survey"], "survey").get("bands")
    entries = entries if isinstance(entries, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]
