"""What jobs left behind: timings of this run only, and results of other code refused."""

import json

import pytest

from photoz.files import InputError
from photoz.provenance import module_code
from photoz.run_record import code_notes, read_timings, rule_of


def test_timings_are_summed_by_rule(tmp_path):
    header = "s\th:m:s\tmax_rss\n"
    for name, line in {
        "finetune/mock/a/split-0": "10.5\t0:00:10\t300.0",
        "finetune/mock/a/split-1": "20.0\t0:00:20\t200.0",
        "figures/fig8": "3.0\t0:00:03\t-",
        "compare": "1.0\t0:00:01\t50.0",
        "finetune/mock/of_another_configuration/split-0": "99\t0:01:39\t900.0",
    }.items():
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + line + "\n")
    jobs = [f"finetune/mock/a/split-{k}" for k in range(3)] + ["compare", "figures/fig8"]
    table = read_timings(tmp_path, jobs + jobs[:1]).set_index("rule")
    assert table.loc["finetune"].tolist() == [2, 30.5, 20.0, 300.0]
    assert table.loc["fig8", "seconds"] == 3.0
    assert table.loc["compare", "jobs"] == 1
    assert read_timings(tmp_path / "absent", jobs).empty


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


def test_a_figure_is_its_own_rule(tmp_path):
    assert rule_of("figures/fig8") == "fig8" and rule_of("finetune/a/b") == "finetune"
    with pytest.raises(InputError, match=r"--forcerun compare fig8\)"):
        code_notes(tmp_path, ["compare", "figures/fig8"], "refuse")
