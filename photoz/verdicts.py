"""The paper's conclusions as the results page shows them: verdicts first, then their numbers."""

from __future__ import annotations

import pandas as pd

from photoz.metrics.conclusions import NOT_TESTED

READING = """What the paper concludes, tested on the catalogues that imitate its survey. A
conclusion says that the first number is `lower` or `higher` than the second, or `not lower` where
something does not help. The verdict is **yes** where the ratio is on that side (two-sided p below
0.05), **no** where it is on the other, and **within errors** where these galaxies cannot tell; what
does not help is a yes where a gain of more than two per cent is excluded. Verdicts are about the
direction: the size is the ratio, beside the paper's where it prints one. p-values are over
galaxies, not over trainings, and one in twenty is below 0.05 by chance."""


def verdict_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per conclusion and catalogue that was tested, as text.

    Parameters
    ----------
    rows : DataFrame
        As `photoz.metrics.conclusions.conclude` returns, or as read from its file.
    """
    table = []
    for _, item in rows[rows["verdict"] != NOT_TESTED].iterrows():
        p = f"p = {item['p_value']:.2g}"
        table.append(
            {
                "conclusion": item["statement"],
                "section": item["section"],
                "catalogue": item["catalogue"],
                "verdict": item["verdict"],
                "ratio": f"{item['ratio']:.3f} ± {item['ratio_error']:.3f} ({p})",
                "ratio, paper": item["paper"],
                "expected": item["expected"],
                "numbers": f"{item['value']:.3g} / {item['reference_value']:.3g}",
                "first / second": f"{item['variant']} / {item['reference']}",
                "what": f"{item['metric']}, {item['galaxies']}",
            }
        )
    return pd.DataFrame(table)


def tally(rows: pd.DataFrame) -> str:
    """One sentence: how many verdicts of each kind."""
    tested = rows[rows["verdict"] != NOT_TESTED]
    counts = tested["verdict"].value_counts()
    kinds = [f"{counts.get(kind, 0)} {kind}" for kind in ("yes", "no", "within errors")]
    found = f"{tested['conclusion'].nunique()} of {rows['conclusion'].nunique()} conclusions"
    return f"This run tests {found}: {', '.join(kinds)} (one verdict for each catalogue)."


def untested(rows: pd.DataFrame) -> list[str]:
    """What was not tested, and what it lacks, one line each."""
    lines = []
    for _, item in rows[rows["verdict"] == NOT_TESTED].iterrows():
        missing = item["missing"] if isinstance(item["missing"], str) else ""
        why = f"needs {missing}" if missing else "has too few galaxies"
        lines.append(f"{item['statement']} ({item['conclusion']}: {why})")
    return lines
