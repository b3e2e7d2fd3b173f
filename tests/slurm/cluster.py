"""Slurm's daemons on this machine, with everything they write in one temporary folder."""

import ctypes
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
#: Where Slurm's commands look: the executor drops SLURM_CONF from the environment of jobs.
ETC = Path("/etc/slurm")
LINKS = (ETC / "slurm.conf", ETC / "gres.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel")
#: Of a job that will not change any more.
ENDED = {"COMPLETED", "CANCELLED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL"}
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def reason_to_skip():
    """Return what keeps Slurm from being started here, or None."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: apt install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    if [path for path in LINKS if os.path.lexists(path) and not _ours(path)]:
        return f"{ETC} has a configuration: this machine belongs to a cluster"
    if LINKS[0].exists() and _answers(LINKS[0]):
        return "another run of these tests is going on"
    return None


def _ours(link):
    """Whether these tests made a link in /etc/slurm; a killed run leaves it behind."""
    return link.is_symlink() and Path(os.readlink(link)).name == _target(link)


def _target(link):
    return f"photoz-{link.name}"


def _answers(configuration):
    """Whether the slurmctld of a configuration is there."""
    port = re.search(r"^SlurmctldPort=(\d+)", configuration.read_text(), re.MULTILINE)[1]
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


@dataclass(frozen=True)
class Job:
    """A job as Slurm itself remembers it: times in seconds, memory in MB, limit in minutes."""

    number: str
    comment: str
    state: str
    partition: str
    memory: int
    minutes: int
    gpus: str  # asked for with --gpus
    gres: str  # with --gres
    start: int
    end: int

    @property
    def rule(self):
        """Name of the rule that the job is of."""
        return self.comment.removeprefix("rule_").split("_wildcards_")[0]


def jobs():
    """Every job since the cluster started, ended ones too."""
    lines = query("scontrol", "show", "job", "--oneliner").splitlines()
    return [_parse(line) for line in lines if line.startswith("JobId=")]


def _parse(line):
    said = dict(re.findall(r"(\S+?)=(\S*)", line))
    return Job(
        said["JobId"],
        said.get("Comment", ""),  # only the slurm profile writes one
        said["JobState"],
        said["Partition"],
        _megabytes(said["MinMemoryNode"]),
        _minutes(said["TimeLimit"]),
        said.get("TresPerJob", ""),
        said.get("TresPerNode", ""),
        *(int(said[key]) if said[key].isdecimal() else 0 for key in ("StartTime", "EndTime")),
    )


def _megabytes(text):
    return int(float(text[:-1]) * 1024) if text.endswith("G") else int(text.removesuffix("M"))


def _minutes(text):
    """Minutes of a limit such as `1-04:00:00`."""
    days, _, rest = text.rpartition("-")
    hours, minutes, _ = (int(part) for part in rest.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + minutes


def live_jobs():
    """Jobs that wait or run."""
    return [job for job in jobs() if job.state not in ENDED]


def query(*command):
    """Output of one of Slurm's commands, with times in seconds."""
    environment = {**os.environ, "SLURM_TIME_FORMAT": "%s"}
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


@contextmanager
def running(folder):
    """Start munged, slurmctld and slurmd; stop exactly these in the end."""
    cpus = max(2, len(os.sched_getaffinity(0)))
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    write_configuration(folder, cpus)
    with ExitStack() as stack:
        stack.enter_context(_links(folder))
        files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        munged = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket"]
        process = stack.enter_context(_daemon(folder, *munged, *files))
        wait_for((folder / "munge.socket").exists, 20, process)
        process = stack.enter_context(_daemon(folder, "slurmctld", "-D", "-i"))
        stack.enter_context(_daemon(folder, "slurmd", "-D", "-N", "localhost"))
        wait_for(_idle, 30, process)
        try:
            yield
        finally:  # no job outlives the daemons
            query("scancel", "--full", "--user=root")
            wait_for(lambda: not live_jobs(), 30)


def wait_for(condition, seconds, process=None):
    """Wait for something that the daemons do, while a process runs if one is given."""
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, f"{process.args[0]} ended before that"
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def write_configuration(folder, cpus):
    """Write slurm.conf and gres.conf."""
    control, node = _free_ports(2)
    words = {"FOLDER": folder, "CPUS": cpus, "CONTROL_PORT": control, "NODE_PORT": node}
    text = (HERE / "slurm.conf.in").read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    (folder / _target(LINKS[0])).write_text(text)
    # Slurm counts devices by their files, and sets CUDA_VISIBLE_DEVICES from their order.
    devices = "NodeName=localhost Name=gpu File=/dev/null\n"
    (folder / _target(LINKS[1])).write_text(devices)


def _free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _links(folder):
    """Links to the configuration where Slurm looks for it; /etc/slurm is then as it was."""
    had_folder = ETC.exists()
    ETC.mkdir(exist_ok=True)
    for link in LINKS:
        if _ours(link):
            link.unlink()
    try:
        for link in LINKS:
            link.symlink_to(folder / _target(link))
        yield
    finally:
        for link in filter(_ours, LINKS):
            link.unlink()
        if not had_folder:
            ETC.rmdir()


@contextmanager
def _daemon(folder, name, *arguments):
    program = shutil.which(name, path=_PATH)
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_end_with_the_tests,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_the_tests():
    """Have the kernel end this process when the tests are killed (Linux: PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _idle():
    asked = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], capture_output=True, text=True)
    return asked.returncode == 0 and set(asked.stdout.split()) == {"idle"}
