"""The results page: numbers at their place, and results of other code refused."""

import json

import numpy as np
import pandas as pd
import pytest

from photoz.files import InputError
from photoz.logs import module_code
from photoz.results_page import code_notes, join, markdown, page, read_timings


def metrics():
    columns = ["catalogue", "variant", "bin_by", "bin_low", "bin_high"]
    columns += ["n", "metric", "value", "error"]
    rows = [
        ("sky", "deepz", "all", np.nan, np.nan, 90, "sigma68", 0.00691, 0.0002),
        ("sky", "deepz", "all", np.nan, np.nan, 90, "strict_outliers", 0.1, 0.01),
        ("sky", "deepz", "mag_i", 22.0, 22.5, 40, "sigma68", 0.012, 0.001),
        ("sky", "knn", "all", np.nan, np.nan, 90, "sigma68", 0.0142, 0.0003),
    ]
    return pd.DataFrame(rows, columns=columns)


def completeness():
    row = {"catalogue": "sky", "variant": "deepz", "n": 45, "sigma68": 0.0035}
    row |= {"strict_outliers": 0.01}
    cuts = [("odds", 0.5), ("odds", 1.0), ("optimal", 0.5)]
    return pd.DataFrame([row | {"sort_by": by, "completeness": c} for by, c in cuts])


def make_page(notes=()):
    empty = pd.DataFrame()
    return page(
        "night",
        "make it",
        metrics(),
        completeness(),
        empty,
        empty,
        empty,
        ["figures/fig8.png"],
        notes,
    )


def test_the_page_shows_each_variant_with_its_error():
    text = make_page()
    assert text.startswith("# Results of `night`\n")
    assert "with `make it`" in text
    assert "| deepz | 90 | 0.0069 ± 0.0002 | 0.100 ± 0.010 | 0.10 |" in text
    assert "| knn | 90 | 0.0142 ± 0.0003 | - | - |" in text
    assert "| 22 - 22.5 | 40 | 0.0120 ± 0.0010 |" in text
    assert "| deepz | 45 | 0.0035 | 0.01 | 0.0035 |" in text
    assert text.count("| deepz | 45 |") == 1  # the best half by ODDS, and nothing else
    assert "![fig8](figures/fig8.png)" in text
    assert "Note" not in text


def test_a_note_comes_before_the_numbers():
    text = make_page(["two codes"])
    assert text.index("> **Note:** two codes") < text.index("## sky")


def test_cells_cannot_break_the_table():
    table = pd.DataFrame({"a": ["x|y"], "b": [1.23456789], "c": [np.nan], "d": [None]})
    assert markdown(table).splitlines()[2] == "| x\\|y | 1.235 | - | - |"
    assert markdown(pd.DataFrame()) == "Nothing to show."


def test_timings_are_summed_by_rule(tmp_path):
    header = "s\th:m:s\tmax_rss\n"
    for name, line in {
        "finetune/mock/a/split-0": "10.5\t0:00:10\t300.0",
        "finetune/mock/a/split-1": "20.0\t0:00:20\t200.0",
        "figures/fig8": "3.0\t0:00:03\t-",
        "compare": "1.0\t0:00:01\t50.0",
    }.items():
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + line + "\n")
    table = read_timings(tmp_path).set_index("rule")
    assert table.loc["finetune"].tolist() == [2, 30.5, 20.0, 300.0]
    assert table.loc["fig8", "seconds"] == 3.0
    assert table.loc["compare", "jobs"] == 1
    assert read_timings(tmp_path / "absent").empty


@pytest.fixture
def logs(tmp_path):
    good = {"photoz.files": module_code("photoz.files")}
    for job, code in {
        "pretrain/a": good,
        "finetune/b": good | {"photoz.logs": "0" * 12},
        "finetune/c": good | {"photoz.gone": "1" * 12},
    }.items():
        path = tmp_path / f"{job}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"words\ncode: {json.dumps(code)}\n")
    return tmp_path


def test_results_of_the_code_at_hand_need_no_note(logs):
    assert code_notes(logs, ["pretrain/a"], "refuse") == []


def test_results_of_other_code_are_refused_with_what_to_run(logs):
    with pytest.raises(InputError, match=r"photoz\.gone, photoz\.logs changed after finetune") as e:
        code_notes(logs, ["pretrain/a", "finetune/b", "finetune/c"], "refuse")
    assert "snakemake --forcerun finetune)" in str(e.value)


def test_they_may_be_shown_with_a_warning(logs):
    notes = code_notes(logs, ["finetune/b", "simulate/lost"], "warn")
    assert notes == [
        "photoz.logs changed after finetune ran",
        "the logs of simulate do not tell which code ran",
    ]


def test_joined_pages_keep_their_order_levels_and_figures():
    text = join({"a": "# A\n\n## Sky\n\n![f](figures/f.png)\n", "b": "# B\n"}, "images")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Results",
        "## A",
        "### Sky",
        "## B",
    ]
    assert "![f](images/a/f.png)" in text
