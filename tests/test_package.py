"""What is installed, away from this repository, is all that the package needs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from photoz.config_reference import render
from photoz.configuration import SCHEMA_PATH

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder of the files that a wheel would hold."""
    pytest.importorskip("setuptools", reason="setuptools builds the package")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "photoz", source / "photoz", ignore=shutil.ignore_patterns("__pycache__")
    )
    build = ["import setuptools; setuptools.setup()", "--quiet", "build_py", "--build-lib", built]
    subprocess.run([sys.executable, "-c", *build], cwd=source, check=True, capture_output=True)
    return built


def run_installed(installed, folder, *arguments):
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); import photoz, photoz.cli\n"
    code += f"assert photoz.__file__.startswith({str(installed)!r}), photoz.__file__\n"
    code += "photoz.cli.app()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True
    )


def test_every_file_of_the_package_is_installed(installed):
    files = {
        path.relative_to(ROOT)
        for path in (ROOT / "photoz").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert Path("photoz/config.schema.yaml") in files
    assert files == {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}


def test_validate_and_config_docs_work_from_another_folder(installed, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    done = run_installed(installed, tmp_path, "validate", "config/config.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fine" in done.stdout
    assert run_installed(installed, tmp_path, "config-docs").stdout == render()


def test_the_workflow_has_the_same_schema():
    link = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    assert link.is_symlink(), "edit photoz/config.schema.yaml; this one is a link to it"
    assert link.samefile(SCHEMA_PATH)
