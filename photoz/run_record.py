"""What the jobs of a run left behind: which code made the results, and what they took."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pandas as pd

from photoz.files import InputError
from photoz.logs import changed_code
from photoz.provenance import current_code


def rule_of(job: str) -> str:
    """Rule of a job named `<rule>/<what it makes>`; a figure's rule is the figure."""
    first, _, rest = job.partition("/")
    return rest if first == "figures" else first


def read_timings(folder: str | os.PathLike[str], jobs: Iterable[str]) -> pd.DataFrame:
    """Jobs, summed time and largest memory of every rule, from Snakemake's benchmark files.

    Parameters
    ----------
    folder : path-like
        Folder of the benchmarks.
    jobs : iterable of str
        Jobs behind the results; the benchmark is `<folder>/<job>.tsv`. What other configurations
        of the run left there does not count.

    Returns
    -------
    DataFrame
        rule, jobs, seconds (summed over jobs), longest (s), memory (MB, of the largest job).
    """
    rows = []
    for job in dict.fromkeys(jobs):
        path = Path(folder) / f"{job}.tsv"
        if path.is_file():
            first = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
            rows.append({"rule": rule_of(job), "seconds": first["s"], "memory": first["max_rss"]})
    if not rows:
        return pd.DataFrame(columns=["rule", "jobs", "seconds", "longest", "memory"])
    grouped = pd.DataFrame(rows).groupby("rule", sort=False)
    return pd.DataFrame(
        {
            "jobs": grouped.size(),
            "seconds": grouped["seconds"].sum().round(1),
            "longest": grouped["seconds"].max().round(1),
            "memory": grouped["memory"].max().round(0),
        }
    ).reset_index()


def code_notes(folder: str | os.PathLike[str], jobs: Iterable[str], mixed_code: str) -> list[str]:
    """Notes on results that another version of the code or of the shipped data made.

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
    current = cache(current_code)  # jobs share most of their modules
    for job in jobs:
        rule = rule_of(job)
        log = Path(folder) / f"{job}.log"
        modules = changed_code(log, current)
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
