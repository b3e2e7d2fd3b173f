"""Runs of the workflow in a process of its own, with results in a temporary folder."""

import base64
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = Path("tests") / "workflow" / "tiny.yaml"


@dataclass(frozen=True)
class Workflow:
    """Snakemake on this repository, with a working folder that is thrown away.

    The rules and scripts are the repository's. Locks and bookkeeping are in `folder`, so that
    tests run side by side and leave no trace.
    """

    folder: Path

    def command(self, *arguments, config=TINY):
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", str(self.folder), "--cores", "2", "--nocolor", *arguments]
        if config is not None:
            command += ["--configfile", str(ROOT / config)]
        return command

    def environment(self):
        return {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(self.folder / "cache")}

    def run(self, *arguments, config=TINY, timeout=900):
        """Run Snakemake; standard output and error together."""
        return self.execute(self.command(*arguments, config=config), timeout)

    def execute(self, command, timeout=900):
        """Run a command in the folder; standard output and error together."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments, config=TINY):
        """Start Snakemake in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments, config=config),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def is_making(self, output):
        """Whether Snakemake has marked an output as being made."""
        marker = base64.urlsafe_b64encode(output.encode()).decode()
        return (self.folder / ".snakemake" / "incomplete" / marker).exists()


def wait_until(condition, process, seconds=300):
    """Wait for something that a started run does."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before that"
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def make_workflow(folder):
    """A folder in which the repository's configuration is found."""
    (folder / "config").symlink_to(ROOT / "config")
    return Workflow(folder)


@pytest.fixture
def workflow(tmp_path):
    """A workflow with nothing made yet."""
    return make_workflow(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The tiny run, finished."""
    done = make_workflow(tmp_path_factory.mktemp("finished"))
    result = done.run("all")
    assert result.returncode == 0, result.stdout[-5000:]
    return done
