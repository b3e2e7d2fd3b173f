"""Job logs: everything lands in them, errors are one line, and they know the code that ran."""

import logging
import subprocess
import sys
import types
import warnings

import pytest

from photoz import provenance
from photoz.files import InputError
from photoz.logs import changed_code, job_log, recorded_code
from photoz.provenance import imported_code, module_code


def test_prints_records_and_warnings_land_in_the_log(tmp_path, capsys):
    path = tmp_path / "deep" / "job.log"
    with job_log(path):
        print("a line")
        logging.getLogger("photoz.test").info("a record")
        warnings.warn("a warning", stacklevel=1)
        print("an aside", file=sys.stderr)
    text = path.read_text()
    for part in ("a line", "a record", "a warning", "an aside", "finished after"):
        assert part in text
    assert capsys.readouterr().out == ""


def test_bad_input_is_one_line_and_exit_status_1(tmp_path, capsys):
    path = tmp_path / "job.log"
    with pytest.raises(SystemExit) as caught, job_log(path):
        raise InputError("cat.csv: no column 'z'; add it")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: cat.csv: no column 'z'; add it\n"
    assert "error: cat.csv: no column 'z'; add it" in path.read_text()
    assert "Traceback" not in path.read_text()
    assert recorded_code(path) is None


def test_a_defect_leaves_its_traceback_in_the_log_only(tmp_path, capsys):
    path = tmp_path / "job.log"
    with pytest.raises(SystemExit), job_log(path):
        raise ZeroDivisionError("oops")
    assert capsys.readouterr().err == f"error: ZeroDivisionError: oops (see {path})\n"
    assert "Traceback" in path.read_text()


def test_a_second_run_replaces_the_log(tmp_path):
    path = tmp_path / "job.log"
    for word in ("first", "second"):
        with job_log(path):
            print(word)
    assert "first" not in path.read_text()


def test_a_native_process_ends_with_the_status(tmp_path):
    code = (
        "from photoz.logs import job_log\nfrom photoz.files import InputError\n"
        f"with job_log({str(tmp_path / 'job.log')!r}):\n    raise InputError('bad row 3')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: bad row 3\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in place of photoz, with one module that is imported."""
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setitem(sys.modules, "photoz.module", types.ModuleType("photoz.module"))
    (tmp_path / "module.py").write_text("def f(x):\n    return x + 1\n")
    return tmp_path


def test_the_log_knows_the_code_that_ran(tmp_path):
    path = tmp_path / "job.log"
    with job_log(path):
        pass
    recorded = recorded_code(path)
    assert recorded["photoz.logs"] == module_code("photoz.logs")
    assert recorded == imported_code()
    assert changed_code(path) == []


def test_an_edit_while_the_job_runs_is_not_the_code_that_ran(package):
    log, module = package / "job.log", package / "module.py"
    with job_log(log):
        module.write_text("def f(x):\n    return x - 1\n")
    assert changed_code(log) == ["photoz.module"]


def test_changed_modules_are_named(package):
    log = package / "job.log"
    log.write_text(f'start\ncode: {{"photoz.module": "{module_code("photoz.module")}"}}\n')
    assert changed_code(log) == []
    (package / "module.py").write_text("def f(x):\n    return x - 1\n")
    assert changed_code(log) == ["photoz.module"]
    (package / "module.py").unlink()
    assert changed_code(log) == ["photoz.module"]
    assert changed_code(package / "none.log") is None
