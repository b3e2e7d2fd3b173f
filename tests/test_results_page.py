"""The results page: numbers at their place, and results of other code refused."""

import re

import numpy as np
import pandas as pd
import pytest

from photoz.files import InputError
from photoz.metrics import calibration_table, compare_variants, quality_curves
from photoz.metrics.conclusions import NOT_TESTED
from photoz.results_page import Run, join, markdown, page, page_code, page_figures
from photoz.simulations.priors import Prior
from photoz.simulations.table1 import table1
from tests import test_verdicts as verdict_rows


def metrics(catalogue="sky"):
    columns = ["catalogue", "variant", "bin_by", "bin_low", "bin_high"]
    columns += ["n", "metric", "value", "error"]
    rows = [
        ("deepz", "all", np.nan, np.nan, 90, "sigma68", 0.00691, 0.0002),
        ("deepz", "all", np.nan, np.nan, 90, "strict_outliers", 0.1, 0.01),
        ("deepz", "mag_i", 22.0, 22.5, 40, "sigma68", 0.012, 0.001),
        ("deepz", "redshift", 0.2, 0.4, 30, "sigma68", 0.011, 0.002),
        ("knn", "all", np.nan, np.nan, 90, "sigma68", 0.0142, 0.0003),
    ]
    return pd.DataFrame([(catalogue, *row) for row in rows], columns=columns)


def with_names(table, variant=None, catalogue="sky"):
    table.insert(0, "catalogue", catalogue)
    if variant:
        table.insert(1, "variant", variant)
    return table


def curves():
    rng = np.random.default_rng(0)
    z, odds = np.full(90, 0.5), rng.uniform(size=90)
    phot = z + 0.01 * rng.normal(size=90) * (1.5 - odds)
    return with_names(quality_curves(phot, z, odds, 1 - odds, n_boot=20), "deepz")


def calibration():
    pit = np.random.default_rng(1).uniform(size=(3, 90))
    return with_names(calibration_table(pit[0], list(pit[1:]), n_boot=20), "deepz")


def comparisons():
    rng = np.random.default_rng(2)
    names = ("deepz", "single", "no_pretraining", "knn")
    dz = {name: 0.01 * (1 + k) * rng.normal(size=90) for k, name in enumerate(names)}
    splits = {"deepz": 0.012 * rng.normal(size=(90, 2)), "knn": dz["knn"][:, None]}
    pairs = [("single", "deepz"), ("knn", "deepz"), ("no_pretraining", "single")]
    contrasts = [("knn", "deepz", "no_pretraining", "single")]
    return with_names(compare_variants(dz, splits, pairs, contrasts, n_boot=20))


def make_page(notes=(), paper=("sky",), code="0123456789ab", compared=None, **more):
    run = Run("night", "make it", code, paper, ["figures/fig8.png"], notes)
    compared = comparisons() if compared is None else compared
    tables = metrics(), curves(), calibration(), compared
    return page(run, *tables, pd.DataFrame({"rule": ["pretrain"], "jobs": [1]}), **more)


def table_after(text, words):
    """Rows of the first table after some words: by the first two cells, the others by title."""
    lines = text[text.index(words) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    titles, _, *body = rows
    return [dict(zip(titles, row, strict=True)) for row in body]


def test_the_page_shows_each_variant_with_its_error_and_the_papers_number():
    text = make_page()
    assert text.startswith("# Results of `night`\n")
    assert "code `0123456789ab`, with `make it`" in text
    first, second = table_after(text, "## sky")
    assert first["variant"] == "deepz" and first["galaxies"] == "90"
    assert first["sigma68"] == "0.0069 ± 0.0002" and first["strict_outliers"] == "0.100 ± 0.010"
    assert first["strict_outliers, paper"] == "0.10"
    assert second["sigma68"] == "0.0142 ± 0.0003" and second["strict_outliers"] == "-"
    assert "| 22 - 22.5 | 40 | 0.0120 ± 0.0010 |" in text
    assert "| 0.2 - 0.4 | 30 | 0.0110 ± 0.0020 |" in text
    assert "![fig8](figures/fig8.png)" in text
    assert "**Note:**" not in text


def test_quality_cuts_are_by_odds_and_have_errors():
    (row,) = table_after(make_page(), "The best galaxies by ODDS")
    curve = curves()
    half = curve[(curve["sort_by"] == "odds") & (curve["completeness"] == 0.5)].iloc[0]
    assert row["sigma68, best 50 %"] == f"{half.sigma68:.4f} ± {half.sigma68_error:.4f}"
    assert row["sigma68, best 50 %, paper"] == "< 0.0035"
    assert re.fullmatch(r"0\.\d{3} ± 0\.\d{3}", row["strict_outliers, best 50 %"])
    assert {"sigma68, best 25 %", "sigma68, best 75 %"} <= set(row)


def test_comparisons_have_ratio_error_p_value_and_the_papers_ratio():
    text = make_page()
    rows = {(r["variant"], r["reference"]): r for r in table_after(text, "Variants compared")}
    assert len(rows) == 4  # three pairs, and the ensemble of two beside its splits
    measured = comparisons().set_index(["variant", "reference", "metric"])
    pair = rows["no_pretraining", "single"]
    expected = measured.loc[("no_pretraining", "single", "sigma68")]
    assert pair["sigma68"].startswith(f"{expected.ratio:.3f} ± {expected.ratio_error:.3f} (p = 0.")
    assert pair["sigma68, paper"] == "1.38" == f"{0.0095 / 0.0069:.2f}"
    assert rows["knn", "deepz"]["sigma68, paper"] == "-"
    assert rows["deepz", "mean of its splits"]["sigma68, paper"] == "0.90"
    (contrast,) = table_after(text, "Ratios of two ratios")
    assert contrast["variant"] == "knn / deepz"
    assert contrast["reference"] == "no_pretraining / single"
    assert "each training is one realisation" in " ".join(text.split())


def test_a_ratio_to_nothing_is_no_number():
    table = comparisons()
    table.loc[table["metric"] == "sigma68", "ratio"] = np.inf  # no outlier among the reference's
    for row in table_after(make_page(compared=table), "Variants compared"):
        assert row["sigma68"] == "-" and "±" in row["nmad"]


def test_calibration_is_shown_for_each_split_with_what_perfect_densities_have():
    rows = table_after(make_page(), "Calibration of p(z):")
    assert [row["density"] for row in rows] == ["ensemble", "split 0", "split 1"]
    for row in rows:
        assert row["galaxies"] == "90" and "±" in row["KS"] and "±" in row["centre"]
        assert float(row["KS, perfect"]) == pytest.approx(0.8687 / 90**0.5, rel=0.02)
        assert 0 <= float(row["p (Anderson-Darling)"]) <= 1


def test_the_papers_numbers_stay_away_from_catalogues_that_do_not_imitate_its_survey():
    text = make_page(paper=())
    assert "paper" not in text and "0.0035" not in text
    assert "| 0.0095 |" not in text and "| 1.38 |" not in text
    (row,) = table_after(text, "The best galaxies by ODDS")
    assert not any("paper" in title for title in row)


def test_verdicts_come_before_the_catalogues_where_there_is_one_of_the_papers_survey():
    tested = verdict_rows.row("P", "yes", **verdict_rows.MEASURED)
    verdicts = verdict_rows.rows(tested, verdict_rows.row("Q", NOT_TESTED, "", "mixup"))
    text = make_page(conclusions=verdicts, table1=table1({"fsps": Prior()}))
    (found,) = table_after(text, "## The paper's conclusions")
    assert (found["conclusion"], found["verdict"]) == ("P helps.", "yes")
    assert found["ratio, paper"] == "0.73" and found["ratio"].startswith("0.872 ± 0.020")
    assert "* Q helps. (Q: needs mixup)" in text
    assert text.index("## The paper's conclusions") < text.index("## sky")
    by_name = {item["parameter"]: item for item in table_after(text, "## Simulated galaxies")}
    assert by_name["tau"]["paper"] == by_name["tau"]["fsps"] == "[0.1, 12]"
    assert "The paper's conclusions" not in make_page(paper=(), conclusions=verdicts)


def test_a_note_comes_before_the_numbers():
    text = make_page(["two codes"])
    assert text.index("> **Note:** two codes") < text.index("## sky")


def test_cells_cannot_break_the_table():
    table = pd.DataFrame({"a": ["x|y"], "b": [1.23456789], "c": [np.nan], "d": [None]})
    assert markdown(table).splitlines()[2] == "| x\\|y | 1.235 | - | - |"
    assert markdown(pd.DataFrame()) == "Nothing to show."


def test_joined_pages_keep_their_order_levels_and_figures():
    made = "Made by photoz 0.1.0, code `ab12`, with `make`.\n\n"
    text = join(
        {"a": f"# A\n\n{made}## Sky\n\n![f](figures/f.png)\n", "b": f"# B\n\n{made}"}, "images"
    )
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Results",
        "## A",
        "### Sky",
        "## B",
    ]
    assert "![f](images/a/f.png)" in text


def test_pages_of_different_code_are_not_joined():
    pages = {"a": make_page(), "b": make_page(code="ffff"), "c": "# Typed by hand\n"}
    with pytest.raises(InputError, match=r"a \(0123456789ab\), b \(ffff\), c \(unknown\)"):
        join(pages, "images")
    with pytest.raises(InputError, match=r"c \(unknown\)"):
        join({"c": pages["c"]}, "images")
    assert page_code(pages["a"]) == "0123456789ab"


def test_no_page_is_an_error_and_not_an_empty_page():
    with pytest.raises(InputError, match="publish: empty"):
        join({}, "images")


def test_figures_of_a_page_are_its_own():
    text = "![a](figures/fig8.png) ![b](figures/fig2.png) [c](figures/x.pdf) ![d](../figures/y.png)"
    assert page_figures(text) == ["figures/fig8.png", "figures/fig2.png"]
