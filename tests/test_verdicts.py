"""Conclusions as a reader sees them."""

import pandas as pd

from photoz.metrics.conclusions import COLUMNS, NOT_TESTED
from photoz.verdicts import tally, untested, verdict_table


def row(name, verdict, catalogue="sky", missing="", **values):
    nan = float("nan")
    filled = dict.fromkeys(("value", "reference_value", "ratio", "ratio_error", "p_value"), nan)
    texts = {"conclusion": name, "statement": f"{name} helps.", "section": "3.3", "paper": "0.73"}
    texts |= {"catalogue": catalogue, "verdict": verdict, "variant": "single", "n": 90}
    texts |= {"reference": "no_pretraining", "metric": "sigma68", "galaxies": "i > 21.8"}
    return {**texts, **filled, "expected": "lower", "missing": missing, **values}


MEASURED = {"value": 0.00812, "reference_value": 0.00931, "ratio": 0.8722}
MEASURED |= {"ratio_error": 0.02, "p_value": 0.00664}


def rows(*given):
    return pd.DataFrame(given, columns=list(COLUMNS))


def test_a_verdict_stands_beside_its_numbers_and_the_papers():
    (found,) = verdict_table(rows(row("P", "yes", **MEASURED))).to_dict("records")
    assert found["verdict"] == "yes" and found["conclusion"] == "P helps."
    assert found["first / second"] == "single / no_pretraining"
    assert found["numbers"] == "0.00812 / 0.00931"
    assert found["ratio"] == "0.872 ± 0.020 (p = 0.0066)" and found["ratio, paper"] == "0.73"
    assert found["what"] == "sigma68, i > 21.8"


def test_what_was_not_tested_says_what_it_needs_also_as_read_from_a_file(tmp_path):
    table = rows(
        row("P", "yes", **MEASURED),
        row("Q", NOT_TESTED, "", "mixup, single"),
        row("R", NOT_TESTED, "sky"),
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    for one in (table, pd.read_csv(tmp_path / "t.csv")):
        assert untested(one) == [
            "Q helps. (Q: needs mixup, single)",
            "R helps. (R: has too few galaxies)",
        ]
        assert len(verdict_table(one)) == 1
        assert tally(one).startswith("This run tests 1 of 3 conclusions: 1 yes, 0 no, 0 within")


def test_one_verdict_for_each_catalogue():
    table = rows(
        row("P", "yes", **MEASURED), row("P", "no", "field", **MEASURED), row("Q", "within errors")
    )
    assert "2 of 2 conclusions: 1 yes, 1 no, 1 within errors" in tally(table)
    assert verdict_table(rows(row("Q", NOT_TESTED))).empty
