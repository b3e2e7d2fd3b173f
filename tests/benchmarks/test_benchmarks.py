import json
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import simulate, timing


def test_rivals_take_turns_and_the_first_round_does_not_count():
    calls, now = [], iter(range(1000))
    tasks = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    seconds = timing.interleaved(tasks, repeats=3, clock=lambda: next(now))
    assert calls == ["a", "b"] * 4 and seconds == {"a": 1, "b": 1}


def test_the_median_counts():
    times = iter([0, 9, 0, 1, 0, 50, 0, 2])
    assert timing.interleaved({"a": list}, 3, lambda: next(times)) == {"a": 2}
    times = iter([0, 9, 0, 8, 0, 1])
    assert timing.interleaved({"a": list}, 1, lambda: next(times), warm_up=2) == {"a": 1}
    with pytest.raises(ValueError, match="at least 1"):
        timing.interleaved({"a": list}, 0)


def test_a_nested_result_becomes_one_line_per_number():
    text = timing.table({"one": {"speed": 12345.678, "n": 3}, "two": "why not"})
    assert [line.split("  ")[0] for line in text.splitlines()] == ["one / speed", "one / n", "two"]
    assert "1.235e+04" in text and text.endswith("why not")


def test_chunks_are_made_in_processes_and_add_up():
    result = simulate.chunked(450, chunk=300, processes=2)
    assert result["chunks"] == 2 == result["processes"]
    assert 0 < result["galaxies_per_second"] == pytest.approx(450 / result["seconds"])
    assert 0 < result["processor_us_per_galaxy"] < 1e5
    assert 50 < result["peak_mb_per_process"] < 2000


def test_a_missing_fsps_is_said_in_one_line(monkeypatch):
    monkeypatch.delenv("SPS_HOME", raising=False)
    assert simulate.fsps() == {"not measured": "SPS_HOME is not set"}


def test_fsps_is_timed_on_the_same_galaxies(monkeypatch):
    class Population:
        def __init__(self, **options):
            self.params, self.calls = {}, calls
            assert options["add_neb_emission"] and options["sfh"] == 1

        def get_spectrum(self, tage, peraa):
            assert self.params["gas_logu"] <= -1 and 5 < tage < 14 and peraa
            self.calls.append(self.params["tau"])

    calls = []
    fake = SimpleNamespace(StellarPopulation=Population)
    monkeypatch.setitem(simulate.sys.modules, "fsps", fake)
    result = simulate._fsps(3)
    assert len(set(calls)) == 3 and len(calls) == 12  # 3 galaxies, 3 rounds and one before
    ratio = result["python-fsps, us per spectrum"] / result["photoz, us per galaxy"]
    assert result["ratio"] == pytest.approx(ratio)


def test_an_end_without_result_is_an_error_even_with_status_0(monkeypatch):
    monkeypatch.setattr(simulate.sys, "executable", "true")
    with pytest.raises(RuntimeError, match="status 0"):
        simulate._in_process("fsps")


def test_the_command_prints_and_writes_what_was_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(simulate, "run", lambda full: {"speed": {"galaxies": 7.0, "full": full}})
    path = tmp_path / "new" / "simulate.json"
    command.main(["simulate", "--json", str(path)])
    report = json.loads(path.read_text())
    assert report["result"] == {"speed": {"galaxies": 7.0, "full": False}}
    assert report["machine"]["cores"] >= 1
    assert "speed / galaxies" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["simulatr"])
