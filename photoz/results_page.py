"""The results page of a run: its main numbers as Markdown, each with its error."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photoz import __version__
from photoz.files import InputError
from photoz.metrics.comparisons import COMPARED, SINGLE_SPLITS
from photoz.verdicts import READING as READING_VERDICTS
from photoz.verdicts import tally, untested, verdict_table

# Eriksen et al. (2020), sections 3.3, 5.2, 6.2 and 7; on PAUS data, i < 22.5, no quality cut.
PAPER = {
    ("no_pretraining", "sigma68"): "0.0095",
    ("template_sims", "sigma68"): "0.0077",
    ("single", "sigma68"): "0.0069",
    ("deepz", "strict_outliers"): "0.10",
    ("bcnz2", "strict_outliers"): "0.17",
}
PAPER_BEST_HALF = {"deepz": "< 0.0035"}
PAPER_RATIOS = {
    ("no_pretraining", "single", "sigma68"): "1.38",  # 0.0095 / 0.0069
    (f"no_pretraining, {SINGLE_SPLITS}", f"deepz, {SINGLE_SPLITS}", "sigma68"): "1.38",
    ("no_pretraining", "template_sims", "sigma68"): "1.23",
    ("template_sims", "single", "sigma68"): "1.12",
    ("single", "deepz", "sigma68"): "1.11",  # "about 10 per cent lower" with ten splits
    ("deepz", SINGLE_SPLITS, "sigma68"): "0.90",
}
BIN_TITLES = {"mag_i": "magnitude", "redshift": "redshift"}
TESTS = {"ks": "KS", "cvm": "Cramér-von Mises", "ad": "Anderson-Darling"}
CUTS = (0.25, 0.5, 0.75)
METRIC_DIGITS = {"sigma68": 4, "nmad": 4, "bias": 5, "strict_outliers": 3, "outliers": 4}
JOINED = """# Results

Made by the rule `publish` from the results pages of the runs below; no number here is typed by
hand, and one version of the code made them all."""
DEFINITIONS = """Errors are bootstrap errors over galaxies; no cut is made unless it is named.
With dz = (z_p - z_s)/(1 + z_s): `sigma68` is half the distance between the 15.9 and 84.1
percentiles of dz, `strict_outliers` and `outliers` are the fractions of galaxies with |dz| above
0.02 and 0.15, `bias` is the median of dz, `nmad` 1.4826 times the median absolute deviation from
it."""
PAPER_NOTE = """Columns marked *paper* are from Eriksen et al. (2020), measured on PAUS data that
are not public (i < 22.5): the mock surveys share their bands and depth, not their galaxies, so
compare ratios between rows rather than values. The paper also has 20 per cent less scatter of one
network for randomised coadds, and less scatter of the template fit `bcnz2` than of unpretrained
networks, except for the faintest galaxies."""
TABLE1 = """Ranges of the simulations' parameters (paper, Table 1), by FSPS's names. They are
drawn from uniformly and independently; `log` is uniform in the logarithm."""
READING = """Comparisons give the ratio of the metric of `variant` to that of `reference` on the
same galaxies, and the two-sided p-value for a ratio of one, from a paired bootstrap (p is at least
2 over the number of resamples). Errors and p-values are over galaxies: each training is one
realisation, and another seed would give other networks.

Calibration is that of the ensemble and of every split by itself. `KS` is the Kolmogorov-Smirnov
distance of the PIT to uniform, `centre` the largest deviation from flat among its 20 bins between
0.05 and 0.95; beside each is its mean for perfect p(z) of as many galaxies. The last columns are
the fractions of galaxies inside the central 68 and 95 per cent of their p(z)."""


@dataclass(frozen=True)
class Run:
    """What a page says about its run.

    Attributes
    ----------
    name : str
    command : str
        What a reader types to make these results again.
    code : str
        Fingerprint of the code, as `photoz.provenance.package_code` gives it.
    paper : collection of str
        Catalogues that the paper's numbers are shown for.
    figures : sequence of str
        Paths of PNG figures, relative to the page.
    notes : sequence of str
        Warnings to be read first.
    """

    name: str
    command: str
    code: str
    paper: Collection[str] = ()
    figures: Sequence[str] = ()
    notes: Sequence[str] = ()


def page(
    run: Run,
    metrics: pd.DataFrame,
    completeness: pd.DataFrame,
    calibration: pd.DataFrame,
    comparisons: pd.DataFrame,
    timings: pd.DataFrame,
    conclusions: pd.DataFrame | None = None,
    table1: pd.DataFrame | None = None,
) -> str:
    """The page as Markdown.

    Parameters
    ----------
    run : Run
    metrics, completeness, calibration, comparisons : DataFrame
        The tables of `binned_metrics`, `quality_curves`, `calibration_table` and
        `compare_variants`, with the columns catalogue and (but for the last) variant.
    timings : DataFrame
        As `photoz.run_record.read_timings` returns.
    conclusions, table1 : DataFrame, optional
        As `photoz.metrics.conclusions.conclude` and `photoz.simulations.table1.table1` return.
        Conclusions are shown where the run has catalogues that the paper's numbers are shown for.
    """
    made = f"Made by photoz {__version__}, code `{run.code}`, with {code_span(run.command)}."
    parts = [f"# Results of `{run.name}`", made]
    parts += [f"> **Note:** {note}" for note in run.notes]
    parts += [DEFINITIONS, READING] + ([PAPER_NOTE] if run.paper else [])
    if conclusions is not None and run.paper:
        parts += _concluded(conclusions)
    for catalogue, rows in metrics.groupby("catalogue", sort=False):
        in_paper = catalogue in run.paper
        cuts, densities, pairs = (
            table[table["catalogue"] == catalogue]
            for table in (completeness, calibration, comparisons)
        )
        parts += [f"## {catalogue}", markdown(_overall(rows, in_paper))]
        parts += ["The best galaxies by ODDS:", markdown(_quality_cuts(cuts, in_paper))]
        for name, title in BIN_TITLES.items():
            if not (binned := _in_bins(rows, name, title)).empty:
                parts += [f"`sigma68` in bins of {title}:", markdown(binned)]
        is_contrast = pairs["kind"] == "contrast"
        parts += ["Variants compared:", markdown(_compared(pairs[~is_contrast], in_paper))]
        if is_contrast.any():
            parts += [
                "Ratios of two ratios compared:",
                markdown(_compared(pairs[is_contrast], in_paper)),
            ]
        parts += ["Calibration of p(z):", markdown(_calibrated(densities))]
    if table1 is not None:
        parts += ["## Simulated galaxies", TABLE1, markdown(table1.fillna(""))]
    parts.append("## Figures")
    parts += [f"![{path.rpartition('/')[2].partition('.')[0]}]({path})" for path in run.figures]
    parts += ["## Time and memory", markdown(timings)]
    return "\n\n".join(parts) + "\n"


def _concluded(conclusions: pd.DataFrame) -> list[str]:
    """Verdicts on the paper's conclusions, and what was not tested."""
    parts = ["## The paper's conclusions", READING_VERDICTS, tally(conclusions)]
    if not (table := verdict_table(conclusions)).empty:
        parts.append(markdown(table))
    if lines := untested(conclusions):
        parts += ["Not tested in this run:", "\n".join(f"* {line}" for line in lines)]
    return parts


def _overall(rows: pd.DataFrame, in_paper: bool) -> pd.DataFrame:
    """One row per variant over all galaxies: value and error of every metric."""
    table = []
    for variant, group in rows[rows["bin_by"] == "all"].groupby("variant", sort=False):
        row: dict[str, object] = {"variant": variant, "galaxies": int(group["n"].max())}
        for _, item in group.iterrows():
            metric = item["metric"]
            digits = METRIC_DIGITS.get(metric, 4)
            row[metric] = _measured(item["value"], item["error"], digits)
            row[f"{metric}, paper"] = PAPER.get((str(variant), metric)) if in_paper else None
        table.append(row)
    return _with_paper(table)


def _quality_cuts(cuts: pd.DataFrame, in_paper: bool) -> pd.DataFrame:
    """Scatter of every variant's best galaxies by ODDS, and strict outliers of the better half."""
    table = []
    by_odds = cuts[cuts["sort_by"] == "odds"]
    for variant, curve in by_odds.groupby("variant", sort=False):
        row: dict[str, object] = {"variant": variant}
        for cut in CUTS:
            for _, item in curve[np.isclose(curve["completeness"], cut)].iterrows():
                value = _measured(item["sigma68"], item["sigma68_error"], 4)
                row[f"sigma68, best {100 * cut:.0f} %"] = value
                if cut == 0.5:
                    target = PAPER_BEST_HALF.get(str(variant)) if in_paper else None
                    row["sigma68, best 50 %, paper"] = target
                    values = item["strict_outliers"], item["strict_outliers_error"]
                    row["strict_outliers, best 50 %"] = _measured(*values, 3)
        table.append(row)
    return _with_paper(table)


def _in_bins(rows: pd.DataFrame, bin_by: str, title: str) -> pd.DataFrame:
    """`sigma68` of every variant (columns) in bins of magnitude or redshift (rows)."""
    chosen = rows[(rows["bin_by"] == bin_by) & (rows["metric"] == "sigma68")]
    table = []
    for (low, high), group in chosen.groupby(["bin_low", "bin_high"]):
        row: dict[str, object] = {title: f"{low:g} - {high:g}", "galaxies": group["n"].max()}
        for _, item in group.iterrows():
            row[item["variant"]] = _measured(item["value"], item["error"], 4)
        table.append(row)
    return pd.DataFrame(table)


def _compared(rows: pd.DataFrame, in_paper: bool) -> pd.DataFrame:
    """One row per comparison: ratio, error and p-value of every metric."""
    table = []
    for (variant, reference), group in rows.groupby(["variant", "reference"], sort=False):
        row: dict[str, object] = {"variant": variant, "reference": reference}
        row["galaxies"] = int(group["n"].max())
        by_metric = {item["metric"]: item for _, item in group.iterrows()}
        for metric in COMPARED:
            if (item := by_metric.get(metric)) is not None:
                ratio = _measured(item["ratio"], item["ratio_error"], 3)
                known = ratio is not None and not np.isnan(item["p_value"])
                row[metric] = f"{ratio} (p = {item['p_value']:.2g})" if known else None
                key = (str(variant), str(reference), metric)
                row[f"{metric}, paper"] = PAPER_RATIOS.get(key) if in_paper else None
        table.append(row)
    return _with_paper(table)


def _calibrated(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per density: distances to uniform with errors, expectations and p-values."""
    table = []
    for _, item in rows.iterrows():
        row: dict[str, object] = {"variant": item["variant"], "density": item["density"]}
        row |= {"galaxies": item["n"], "KS": _measured(item["ks"], item["ks_error"], 4)}
        row["KS, perfect"] = f"{item['ks_expected']:.4f}"
        row |= {f"p ({name})": f"{item[f'{key}_p']:.2g}" for key, name in TESTS.items()}
        row["centre"] = _measured(item["central_deviation"], item["central_error"], 3)
        row["centre, perfect"] = f"{item['central_expected']:.3f}"
        for level in ("68", "95"):
            values = item[f"coverage_{level}"], item[f"coverage_{level}_error"]
            row[f"in {level} %"] = _measured(*values, 3)
        table.append(row)
    return pd.DataFrame(table)


def _measured(value: float, error: float, digits: int) -> str | None:
    """A number with its error, None for no number."""
    return f"{value:.{digits}f} ± {error:.{digits}f}" if np.isfinite(value) else None


def _with_paper(rows: list[dict[str, object]]) -> pd.DataFrame:
    """The rows as a table, without the paper's columns that have no number."""
    table = pd.DataFrame(rows)
    empty = [c for c in table if str(c).endswith(", paper") and table[c].isna().all()]
    return table.drop(columns=empty)


def code_span(text: str) -> str:
    """A text as code in Markdown, whatever backticks it has."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"


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


def page_figures(text: str) -> list[str]:
    """Figures that a page shows, as paths relative to it."""
    return re.findall(r"\]\((figures/[\w.-]+\.png)\)", text)


def page_code(text: str) -> str | None:
    """Fingerprint of the code that a page was made with, if it tells."""
    found = re.search(r"^Made by photoz .*?, code `(\w+)`", text, re.MULTILINE)
    return found[1] if found else None


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

    Raises
    ------
    InputError
        If there is no page, or the pages are not all from one version of the code.
    """
    if not pages:
        raise InputError("config: publish: empty; name the runs whose results pages to join")
    codes = {name: page_code(text) for name, text in pages.items()}
    if len(set(codes.values())) > 1 or None in codes.values():
        found = ", ".join(f"{name} ({code or 'unknown'})" for name, code in codes.items())
        raise InputError(
            f"publish: the results pages are not from one version of the code: {found}; make the "
            "runs again with the code at hand"
        )
    parts = [JOINED]
    for name, text in pages.items():
        deeper = re.sub(r"^#", "##", text, flags=re.MULTILINE)
        parts.append(deeper.replace("](figures/", f"]({images}/{name}/"))
    return "\n\n".join(part.strip() for part in parts) + "\n"
