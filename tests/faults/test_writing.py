"""A disk that is full or read-only: one clear line, nothing half-written, the old file kept."""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from photoz import files
from photoz.files import InputError, replace_when_done
from photoz.logs import job_log
from tests.faults.artefacts import ARTEFACTS

ROOT = Path(__file__).parents[2]
LIMIT = 64  # bytes: no artefact is that small


@contextlib.contextmanager
def small_files(limit=LIMIT):
    """No file may grow beyond `limit` bytes: what a full disk or a quota does to a writer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


WRITTEN = [kind for kind in ARTEFACTS if kind != "checkpoint"]  # test_resume has that


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("old", [True, False], ids=["again", "first"])
def test_a_full_disk_leaves_the_old_file_or_none(tmp_path, kind, old):
    path = tmp_path / f"file{ARTEFACTS[kind].suffix}"
    if old:
        ARTEFACTS[kind].write(path)
        before = path.read_bytes()
    with small_files(), pytest.raises(InputError) as told:
        ARTEFACTS[kind].write(path)
    assert str(told.value).startswith(f"{path}: cannot be written: the file is larger than allowed")
    assert [p.name for p in tmp_path.iterdir()] == ([path.name] if old else [])
    if old:
        assert path.read_bytes() == before


def test_control_without_a_temporary_file_half_a_file_is_left(tmp_path, monkeypatch):
    @contextlib.contextmanager
    def in_place(path):
        yield Path(path)

    monkeypatch.setattr("photoz.survey.noise.replace_when_done", in_place)
    path = tmp_path / "file.json"
    with small_files(), pytest.raises(OSError, match="File too large"):
        ARTEFACTS["noise model"].write(path)
    assert 0 < path.stat().st_size <= LIMIT


def test_another_error_while_writing_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), replace_when_done(tmp_path / "x"):
        open(tmp_path / "not there").close()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_is_not(tmp_path):
    code = (
        "import os, sys\n"
        "from photoz.files import replace_when_done\n"
        "with replace_when_done(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "chunk-1.h5"
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with replace_when_done(tmp_path / "chunk.h5"):  # another file's leftovers are not its own
        assert len(list(tmp_path.iterdir())) == 2
    with replace_when_done(path) as first, replace_when_done(path) as second:
        assert sorted(tmp_path.glob(".*")) == sorted([first, second])
        first.write_text("1")
        second.write_text("2")
    assert path.read_text() == "1"
    assert not list(tmp_path.glob(".*"))


def test_a_log_on_a_full_disk_is_one_line(tmp_path, capsys):
    with small_files(40), pytest.raises(SystemExit), job_log(tmp_path / "job.log"):
        print("x" * 100)
    told = capsys.readouterr().err
    assert "job.log" in told
    assert "Traceback" not in told
    assert told.count("\n") == 1


# --- on file systems of their own -----------------------------------------------------------------


def in_namespace(script):
    """A command that runs a shell script where it may mount file systems of its own."""
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", script]


def may_mount():
    if not shutil.which("unshare"):
        return False
    test = in_namespace("mount -t tmpfs -o size=1m tmpfs /tmp")
    return subprocess.run(test, capture_output=True, check=False).returncode == 0


mounts = pytest.mark.skipif(not may_mount(), reason="needs `unshare` and permission to mount")

JOB = """
import sys
import numpy as np
from photoz.logs import job_log
from photoz.pdf.io import write_pdf
from photoz.pdf.mixture import MixturePDF

with job_log(sys.argv[1] + "/job.log"):
    one = np.ones((60_000, 3))
    write_pdf(sys.argv[1] + "/made.hdf5", MixturePDF(one, one, one))
"""


def run_job(folder, mount):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JOB": JOB}
    script = f'{mount}; {sys.executable} -c "$JOB" {folder} || echo "status $?"; ls -A {folder}'
    return subprocess.run(
        in_namespace(script), env=environment, capture_output=True, text=True, check=True
    )


@mounts
def test_a_real_disk_that_is_full(tmp_path):
    result = run_job(tmp_path, f"mount -t tmpfs -o size=1m tmpfs {tmp_path}")
    assert result.stderr.startswith("error: ")
    assert "made.hdf5: cannot be written: the disk is full; free some space" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout.split("\n")[:2] == ["status 1", "job.log"]


@mounts
def test_a_read_only_disk(tmp_path):
    mount = f"mount --bind {tmp_path} {tmp_path}; mount -o remount,bind,ro {tmp_path}"
    result = run_job(tmp_path, mount)
    assert result.stdout == "status 1\n"
    assert result.stderr == (
        f"error: {tmp_path}/job.log: the log cannot be written (Read-only file system)\n"
    )


@mounts
def test_a_file_on_a_read_only_disk(tmp_path):
    mount = f"mount --bind {tmp_path} {tmp_path}; mount -o remount,bind,ro {tmp_path}"
    code = f"from photoz.files import replace_when_done as r; r('{tmp_path}/x').__enter__()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        in_namespace(f'{mount}; {sys.executable} -c "{code}"'),
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"{tmp_path}/x: cannot be written: the file system is read-only" in result.stderr


def test_no_permission_is_said(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    with (
        pytest.raises(InputError, match="no permission to write"),
        replace_when_done(tmp_path / "x"),
    ):
        pass
