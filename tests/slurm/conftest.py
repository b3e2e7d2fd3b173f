"""A Slurm that is started for these tests, and the workflow on it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.slurm import cluster
from tests.workflow.conftest import ROOT, TINY, Workflow

PLUGINS = ("snakemake_executor_plugin_slurm", "snakemake_executor_plugin_cluster_generic")


@dataclass(frozen=True)
class Submitted(Workflow):
    """The workflow as a profile submits it."""

    profile: str = "slurm"

    def command(self, *arguments, config=TINY):
        command = [sys.executable, "-m", "snakemake", *arguments, "--nocolor"]
        command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        command += ["--workflow-profile", str(ROOT / "workflow" / "profiles" / self.profile)]
        command += ["--latency-wait", "5", "--configfile", str(ROOT / config)]
        # Jobs take seconds here, and nobody else asks this Slurm.
        command += ["--seconds-between-status-checks", "1"]
        if self.profile == "slurm":
            command += ["--slurm-init-seconds-before-status-checks", "1"]
            command += ["--slurm-status-command", "squeue"]  # there is no accounting
        return command

    def start(self, *arguments):
        """Start Snakemake, with what it says in a file."""
        with (self.folder / "snakemake.log").open("w") as log:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                # A background job of a shell ignores SIGINT, and so would Snakemake.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )


@pytest.fixture(scope="session", autouse=True)
def _slurm(tmp_path_factory):
    """Start Slurm; stop it in the end."""
    if os.environ.get("PHOTOZ_TEST_SLURM") != "required":
        pytest.skip("`make test-slurm` runs these")
    if reason := cluster.reason_to_skip():
        pytest.fail(reason)
    for plugin in PLUGINS:
        pytest.importorskip(plugin)
    with cluster.running(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture
def submit(tmp_path):
    """Make a workflow that a profile submits, with nothing made yet."""

    def make(profile="slurm"):
        (tmp_path / "config").symlink_to(ROOT / "config")
        return Submitted(tmp_path, profile)

    return make


@pytest.fixture
def new_jobs():
    """The jobs that Slurm got since the test began."""
    before = {job.number for job in cluster.jobs()}
    return lambda: [job for job in cluster.jobs() if job.number not in before]
