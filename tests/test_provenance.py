"""Fingerprints of code and shipped data: what counts, what does not."""

import json
import sys
import time
import types

import pytest

from photoz import provenance
from photoz.provenance import current_code, imported_code, module_code, origin, package_code

SOURCE = '"""Doc."""\n\nFILE = "numbers.csv"\n\n\ndef f(x):\n    return x + 1\n'


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in place of photoz, with one module and two data files, one of which it reads."""
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setitem(sys.modules, "photoz.module", types.ModuleType("photoz.module"))
    (tmp_path / "module.py").write_text(SOURCE)
    (tmp_path / "data").mkdir()
    for name in ("numbers.csv", "others.npz", "README.md"):
        (tmp_path / "data" / name).write_text("1,2\n")
    package_code.cache_clear()
    yield tmp_path
    package_code.cache_clear()


def test_comments_docstrings_and_layout_do_not_change_the_code(package):
    before = module_code("photoz.module")
    (package / "module.py").write_text(
        '"""Other."""\n# why\nFILE="numbers.csv"\ndef f(x):\n  "add"\n  return (x+1)\n'
    )
    assert module_code("photoz.module") == before
    (package / "module.py").write_text(SOURCE.replace("+ 1", "+ 2"))
    assert module_code("photoz.module") != before
    assert module_code("photoz.absent") is None


def test_a_module_may_read_the_data_that_it_names(package):
    code = imported_code()
    assert code["photoz.module"] == module_code("photoz.module")
    assert code["photoz/data/numbers.csv"] == current_code("photoz/data/numbers.csv")
    assert "photoz/data/others.npz" not in code
    (package / "data" / "numbers.csv").write_text("1,3\n")
    assert code["photoz/data/numbers.csv"] != current_code("photoz/data/numbers.csv")
    (package / "data" / "numbers.csv").unlink()
    assert current_code("photoz/data/numbers.csv") is None


def test_a_module_that_is_being_edited_has_a_code_too(package):
    (package / "module.py").write_text("def f(x:\n")
    broken = imported_code()["photoz.module"]
    (package / "module.py").write_text("def f(x):\n    return\n")
    assert broken != imported_code()["photoz.module"]


def test_a_result_is_of_its_parameters_inputs_and_code(package):
    path = package / "galaxies.csv"
    path.write_text("1\n")
    before = origin({"seed": 1}, [path])
    assert origin({"seed": 1}, [path]) == json.loads(json.dumps(before)) == before
    assert origin({"seed": 2}, [path]) != before
    path.write_text("2\n")
    assert origin({"seed": 1}, [path]) != before
    path.write_text("1\n")
    assert origin({"seed": 1}, [path]) == before
    (package / "module.py").write_text(SOURCE.replace("+ 1", "+ 2"))
    assert origin({"seed": 1}, [path]) != before


@pytest.mark.parametrize(
    ("path", "text", "counts"),
    [
        ("module.py", SOURCE.replace("+ 1", "+ 2"), True),
        ("sub/new.py", "x = 1\n", True),
        ("data/others.npz", "3\n", True),
        ("module.py", SOURCE.replace("Doc", "Other words"), False),
        ("data/README.md", "more\n", False),
    ],
)
def test_the_package_has_another_code_when_code_or_data_change(package, path, text, counts):
    before = package_code()
    assert package_code() == before and len(before) == 12
    (package / path).parent.mkdir(exist_ok=True)
    (package / path).write_text(text)
    package_code.cache_clear()
    assert (package_code() != before) == counts


def test_it_is_cheap_and_every_shipped_file_is_named_by_a_module():
    package_code.cache_clear()
    start = time.process_time()
    package_code()
    assert time.process_time() - start < 1.0
    modules = provenance._folder().rglob("*.py")
    named = set().union(*(provenance._strings(path) for path in modules))
    assert {key.rpartition("/")[2] for key in provenance._data_code()} <= named
