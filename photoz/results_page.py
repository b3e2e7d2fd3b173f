"""The results page of a run: its main numbers as Markdown, and whether one code made them all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from photoz import __version__
from photoz.files import InputError
from photoz.logs import changed_code

# Eriksen et al. (2020), sections 3.3 and 6.2, abstract; on PAUS data, i < 22.5, no quality cut.
PAPER = {
    ("no_pretraining", "sigma68"): "0.0095",
    ("single", "sigma68"): "0.0069",
    ("deepz", "strict_outliers"): "0.10",
}
PAPER_BEST_HALF = 0.0035
METRIC_DIGITS = {"sigma68": 4, "nmad": 4, "bias": 5, "strict_outliers": 3, "outliers": 4}
JOINED = """# Results

Made by the rule `publish` from the results pages of the runs below; no number here is typed by
hand. Columns marked *paper* are from Eriksen et al. (2020), measured on PAUS data that are not
public: the mock surveys share their bands and depth, not their galaxies, and the real galaxies
below have broad bands only, so compare ratios between rows rather than values."""
DEFINITIONS = """Errors are bootstrap errors over galaxies; no quality cut is made.
With dz = (z_p - z_s)/(1 + z_s): `sigma68` is half the distance between the 15.9 and 84.1
percentiles of dz, `strict_outliers` and `outliers` are the fractions of galaxies with |dz| above
0.02 and 0.15, `bias` is the median of dz, `nmad` 1.4826 times the median absolute deviation from
it."""


def page(
    name: str,
    command: str,
    metrics: pd.DataFrame,
    completeness: pd.DataFrame,
    calibration: pd.DataFrame,
    comparisons: pd.DataFrame,
    timings: pd.DataFrame,
    figures: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    """The page as Markdown.

    Parameters
    ----------
    name : str
        Name of the run.
    command : str
        What a reader types to make these results again.
    metrics : DataFrame
        Tidy metrics: catalogue, variant, bin_by, bin_low, bin_high, n, metric, value, error.
    completeness : DataFrame
        Quality cuts: catalogue, variant, sort_by, completeness, sigma68, strict_outliers.
    calibration, comparisons : DataFrame
        Shown as they are.
    timings : DataFrame
        As `read_timings` returns.
    figures : sequence of str
        Paths of PNG figures, relative to the page.
    notes : sequence of str
        Warnings to be read first.
    """
    parts = [f"# Results of `{name}`", f"Made by photoz {__version__} with `{command}`."]
    parts += [f"> **Note:** {note}" for note in notes]
    parts.append(DEFINITIONS)
    for catalogue, rows in metrics.groupby("catalogue", sort=False):
        parts += [f"## {catalogue}", markdown(_overall(rows))]
        cuts = completeness[completeness["catalogue"] == catalogue]
        parts += ["The best half by ODDS:", markdown(_best_half(cuts))]
        binned = _in_magnitude_bins(rows)
        if not binned.empty:
            parts += ["`sigma68` in magnitude bins:", markdown(binned)]
    parts += ["## Variants compared galaxy by galaxy", markdown(comparisons)]
    parts += ["## Calibration of p(z)", markdown(calibration)]
    parts.append("## Figures")
    parts += [f"![{Path(path).stem}]({path})" for path in figures]
    parts += ["## Time and memory", markdown(timings)]
    return "\n\n".join(parts) + "\n"


def _overall(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per variant over all galaxies: value and error of every metric."""
    whole = rows[rows["bin_by"] == "all"]
    table = []
    for variant, group in whole.groupby("variant", sort=False):
        row: dict[str, object] = {"variant": variant, "galaxies": int(group["n"].max())}
        for _, item in group.iterrows():
            digits = METRIC_DIGITS.get(item["metric"], 4)
            row[item["metric"]] = f"{item['value']:.{digits}f} ± {item['error']:.{digits}f}"
            if published := PAPER.get((str(variant), item["metric"])):
                row[f"{item['metric']}, paper"] = published
        table.append(row)
    return pd.DataFrame(table)


def _best_half(cuts: pd.DataFrame) -> pd.DataFrame:
    """Scatter and strict outliers of every variant's better half by ODDS."""
    half = cuts[(cuts["sort_by"] == "odds") & np.isclose(cuts["completeness"], 0.5)]
    table = half[["variant", "n", "sigma68", "strict_outliers"]].rename(columns={"n": "galaxies"})
    return table.assign(**{"sigma68, paper's target": PAPER_BEST_HALF})


def _in_magnitude_bins(rows: pd.DataFrame) -> pd.DataFrame:
    """`sigma68` of every variant (columns) in magnitude bins (rows)."""
    chosen = rows[(rows["bin_by"] == "mag_i") & (rows["metric"] == "sigma68")]
    table = []
    for (low, high), group in chosen.groupby(["bin_low", "bin_high"]):
        row: dict[str, object] = {"magnitude": f"{low:g} - {high:g}", "galaxies": group["n"].max()}
        for _, item in group.iterrows():
            row[item["variant"]] = f"{item['value']:.4f} ± {item['error']:.4f}"
        table.append(row)
    return pd.DataFrame(table)


def markdown(table: pd.DataFrame) -> str:
    """A table in Markdown; numbers with four significant digits, missing ones as a dash."""
    if table.empty:
        return "Nothing to show."
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * table.shape[1]]
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(_cell(value) for value in row) + " |")
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "-"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|")


def read_timings(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Jobs, summed time and largest memory of every rule, from Snakemake's benchmark files.

    Returns
    -------
    DataFrame
        rule, jobs, seconds (summed over jobs), longest (s), memory (MB, of the largest job).
    """
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        first = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        if rule == "figures":
            rule = path.stem
        rows.append({"rule": rule, "seconds": first["s"], "memory": first["max_rss"]})
    if not rows:
        return pd.DataFrame(columns=["rule", "jobs", "seconds", "longest", "memory"])
    grouped = pd.DataFrame(rows).groupby("rule")
    return pd.DataFrame(
        {
            "jobs": grouped.size(),
            "seconds": grouped["seconds"].sum().round(1),
            "longest": grouped["seconds"].max().round(1),
            "memory": grouped["memory"].max().round(0),
        }
    ).reset_index()


def code_notes(folder: str | os.PathLike[str], jobs: Iterable[str], mixed_code: str) -> list[str]:
    """Notes on results that another version of the code made.

    Parameters
    ----------
    folder : path-like
        Folder of the logs.
    jobs : iterable of str
        Jobs behind the results, `<rule>/<what it makes>`; the log is `<folder>/<job>.log`.
    mixed_code : {"refuse", "warn"}

    Raises
    ------
    InputError
        With "refuse", if a module changed since a job ran; the message says what to run again.
    """
    outdated: dict[str, set[str]] = {}
    silent: dict[str, str] = {}
    for job in jobs:
        rule = job.split("/")[0]
        log = Path(folder) / f"{job}.log"
        modules = changed_code(log)
        if modules is None:
            silent[rule] = str(log)
        elif modules:
            outdated.setdefault(rule, set()).update(modules)
    notes = []
    if outdated:
        modules = sorted(set().union(*outdated.values()))
        notes.append(f"{', '.join(modules)} changed after {', '.join(outdated)} ran")
    if silent:
        notes.append(f"the logs of {', '.join(silent)} do not tell which code ran")
    if notes and mixed_code == "refuse":
        again = " ".join(dict.fromkeys([*outdated, *silent]))
        raise InputError(
            f"{'; '.join(notes)}. Run these again (snakemake --forcerun {again}), or set "
            "`mixed_code: warn`"
        )
    return notes


def join(pages: Mapping[str, str], images: str) -> str:
    """Put the results pages of several runs on one page.

    Parameters
    ----------
    pages : mapping of str to str
        Text of each run's page by the run's name.
    images : str
        Folder of the figures relative to the joined page; a run's are in `<images>/<name>/`.

    Returns
    -------
    str
        Markdown with every heading one level deeper and links to `figures/` moved.
    """
    parts = [JOINED]
    for name, text in pages.items():
        deeper = re.sub(r"^#", "##", text, flags=re.MULTILINE)
        parts.append(deeper.replace("](figures/", f"]({images}/{name}/"))
    return "\n\n".join(part.strip() for part in parts) + "\n"
