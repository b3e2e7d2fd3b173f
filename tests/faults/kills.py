"""`make test-faults`: the tiny workflow, its jobs killed at random moments, ends as if nothing was.

A first run is left alone. In each of the others jobs of chosen rules are killed (SIGKILL), at a
moment drawn between their start and their usual end, and sometimes Snakemake with all its jobs, as
when a machine goes down. The run is resumed until it is done; every file it leaves, but for logs
and benchmarks and the times on the results page, must be the same, bit by bit.

    python -m tests.faults.kills --runs 10 --report docs/reliability.md
    python -m tests.faults.kills --rules finetune figures    # these alone
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from photoz.files import sha256
from tests.workflow.conftest import ROOT, TINY, Workflow, make_workflow
from tests.workflow.rules import FIGURES, RULES, script

MACHINE = 0.15  # share of kills that take Snakemake and everything it runs with them
KILLS, OF_A_RULE = 100, 3  # at least so many of all rules, and so many of each
ATTEMPTS = 20  # to resume a run
RETRIES = "2"  # Snakemake makes a killed job again; beyond that we call Snakemake again
# Trainings long enough to be killed in their midst, and noise that is learned; the rest is as in
# tiny.yaml.
LONGER = "{epochs: 400, quiet_epochs: 20}"
OVERLAY = (
    "noise: {learned: {kind: empirical}}\n"
    "pretraining: {short: {steps: 1200}, learned: {network: small, simulation: fsps, "
    "noise: learned, steps: 20, batch_size: 50}}\n"
    "variants: {learned: {pretraining: learned, finetuning: short}}\n"
    f"finetuning: {{short: {LONGER}, full: {LONGER}}}\n"  # alike but for alpha, as Fig. 6 asks
)
SAVE_EVERY = "0.3"  # seconds: these trainings take several
PAGES = ("results.md", "report.html")
TIMES = re.compile(r"## Time and memory.*\Z|>Time and memory</h\d>.*?</table>", re.DOTALL)
BEGIN, END = "<!-- kills: begin -->", "<!-- kills: end -->"
ROW = re.compile(r"^\| `(\w+)` \|.*$", re.MULTILINE)
RULE_OF = {script(body).stem: rule for rule, body in RULES.items()}


@dataclass
class Kill:
    """A process that was killed."""

    rule: str
    run: int
    after: float  # s
    machine: bool


@dataclass
class Record:
    """What happened in all runs."""

    kills: list[Kill] = field(default_factory=list)
    resumed: Counter = field(
        default_factory=Counter
    )  # trainings gone on from a checkpoint, by rule
    different: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def count(self, rule: str) -> int:
        return sum(kill.rule == rule for kill in self.kills)


def jobs(folder: Path) -> dict[int, str]:
    """Processes that run a script of a run in `folder`, with their rules."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            here = Path(os.readlink(entry / "cwd"))
        except OSError:  # it has ended, or is not ours
            continue
        named = [re.search(rb"/scripts/tmp\w+\.(\w+)\.py$", word) for word in words[:4]]
        name = next((match[1].decode() for match in named if match), None)
        if name in RULE_OF and here == folder:
            found[int(entry.name)] = RULE_OF[name]
    return found


def kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class KilledRun:
    """One run of the workflow, resumed whenever it was killed."""

    def __init__(
        self, workflow: Workflow, number: int, targets: list[str], usual: dict[str, float],
        rng: random.Random, record: Record,
    ) -> None:  # fmt: skip
        self.workflow, self.number, self.record, self.rng = workflow, number, record, rng
        self.wanted, self.usual = Counter(targets), usual
        self.due: dict[int, tuple[float, str]] = {}
        self.started: dict[int, float] = {}

    def finish(self) -> None:
        """Run until all is made."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.workflow.run("--unlock", *configuration(self.workflow), config=None)
            with open(self.workflow.folder / f"snakemake-{attempt}.txt", "w") as told:
                process = subprocess.Popen(
                    command(self.workflow),
                    cwd=self.workflow.folder,
                    env=environment(self.workflow),
                    stdout=told,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                try:
                    self._watch(process)
                finally:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if process.returncode == 0:
                return
        last = (self.workflow.folder / f"snakemake-{ATTEMPTS - 1}.txt").read_text()
        raise SystemExit(
            f"run {self.number} did not end after {ATTEMPTS} attempts:\n{last[-2000:]}"
        )

    def _watch(self, process: subprocess.Popen) -> None:
        while process.poll() is None:
            time.sleep(0.03)
            now, running = time.monotonic(), jobs(self.workflow.folder)
            for pid, rule in running.items():
                self.started.setdefault(pid, now)
                if pid not in self.due and self.wanted[rule] > 0:
                    self.wanted[rule] -= 1
                    self.due[pid] = now + self.rng.uniform(0, self.usual.get(rule, 3.0)), rule
            for pid, (when, rule) in list(self.due.items()):
                if pid not in running:
                    del self.due[pid]
                    self.wanted[rule] += 1  # it was faster: another job of the rule, if there is
                    self.usual[rule] = 0.7 * self.usual.get(rule, 3.0)  # and sooner
                elif when <= now:
                    del self.due[pid]
                    self._kill(process, pid, running)

    def _kill(self, process: subprocess.Popen, pid: int, running: dict[int, str]) -> None:
        machine = self.rng.random() < MACHINE
        victims = [pid]
        if machine:
            os.killpg(process.pid, signal.SIGKILL)
            victims = list(running)
        elif not kill(pid):
            self.wanted[running[pid]] += 1
            return
        for victim in victims:
            after = time.monotonic() - self.started[victim]
            self.record.kills.append(Kill(running[victim], self.number, after, machine))


def configuration(workflow: Workflow) -> list[str]:
    overlay = workflow.folder / "overlay.yaml"
    overlay.write_text(OVERLAY)
    return ["--configfile", str(ROOT / TINY), str(overlay)]


def command(workflow: Workflow) -> list[str]:
    # Not found by itself from another folder than the repository's.
    profile = ["--workflow-profile", str(ROOT / "workflow" / "profiles" / "default")]
    options = ["all", "--retries", RETRIES, *profile, *configuration(workflow)]
    return workflow.command(*options, config=None)


def environment(workflow: Workflow) -> dict[str, str]:
    return {**workflow.environment(), "PHOTOZ_SAVE_EVERY": SAVE_EVERY}


def products(workflow: Workflow) -> dict[str, str]:
    """SHA-256 of everything a run left, but for logs, benchmarks and the times on pages."""
    made = workflow.folder / "results" / "tiny"
    return {
        str(path.relative_to(made)): page_digest(path) if path.name in PAGES else sha256(path)
        for path in sorted(made.rglob("*"))
        if path.is_file() and path.relative_to(made).parts[0] not in ("logs", "benchmarks")
    }


def page_digest(path: Path) -> str:
    """SHA-256 of a page without the seconds and memory of jobs, which no two runs share."""
    text, tables = TIMES.subn("", path.read_text(encoding="utf-8"))
    assert tables == 1, f"{path}: no table of times"
    return hashlib.sha256(text.encode()).hexdigest()


def usual_seconds(workflow: Workflow) -> dict[str, float]:
    """How long the jobs of each rule took, from their benchmarks."""
    folder = workflow.folder / "results" / "tiny" / "benchmarks"
    taken: dict[str, list[float]] = {}
    for path in folder.rglob("*.tsv"):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        rule = path.stem if rule == "figures" else rule
        taken.setdefault(rule, []).append(float(pd.read_csv(path, sep="\t")["s"].mean()))
    return {rule: sum(values) / len(values) for rule, values in taken.items()}


def resumed_trainings(workflow: Workflow) -> Counter:
    logs = workflow.folder / "results" / "tiny" / "logs"
    return Counter(
        path.relative_to(logs).parts[0]
        for path in logs.rglob("*.log")
        if ": going on from " in path.read_text()
    )


def plan(rules: list[str], kills: int, runs: int, rng: random.Random) -> list[list[str]]:
    """Rules to be killed in each run: each rule as often as any other, in random order."""
    order: list[str] = []
    while len(order) < kills:
        order += rng.sample(rules, len(rules))
    return [order[:kills][number::runs] for number in range(runs)]


def table(record: Record, rules: list[str], runs: int, before: str = "") -> str:
    """The part of docs/reliability.md that this module writes.

    A campaign of some rules renews their rows in what stands there `before`; differences that an
    earlier campaign found stay on the page until one of all rules.
    """
    rows = {match[1]: match[0] for match in ROW.finditer(before)}
    runs += sum(int(match[1]) for match in re.finditer(r"killed in (\d+) runs", before))
    for rule in rules:
        kills = [kill for kill in record.kills if kill.rule == rule]
        times = sorted(kill.after for kill in kills)
        spread = f"{times[0]:.1f} to {times[-1]:.1f} s" if times else ""
        machine = sum(kill.machine for kill in kills)
        on = str(record.resumed[rule]) if rule in ("pretrain", "finetune") else ""
        rows[rule] = f"| `{rule}` | {len(kills)} | {machine} | {spread} | {on} |"
    differ = len(record.different)
    differ += sum(int(match[1]) for match in re.finditer(r"(\d+) files differ", before))
    same = f"{differ} files differ" if differ else "every file the same"
    killed = sum(int(row.split("|")[2]) for row in rows.values())
    head = (
        f"{killed} jobs killed in {runs} runs of the tiny workflow; each run resumed: "
        f"{same}.\n\n"
        "| rule | jobs killed | of these with Snakemake | after | resumed from a checkpoint |\n"
        "|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows[rule] for rule in sorted(rows)) + "\n"


def parts(page: str) -> tuple[str, str, str]:
    """A page up to the table of kills, the table, and the rest."""
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return page[:start] + "\n", page[start:end], page[end:]


def compare(expected: dict[str, str], found: dict[str, str], number: int) -> list[str]:
    """Files that differ, are missing or were left behind."""
    names = sorted({*expected, *found})
    return [f"run {number}: {n}" for n in names if expected.get(n) != found.get(n)]


def new_workflow(folder: Path, name: str) -> Workflow:
    (folder / name).mkdir()
    return make_workflow(folder / name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, help="default: 3 for every rule, and 100 of all")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument(
        "--rules", nargs="+", default=[], help="to kill (default: all; `figures`: those that draw)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="page to write the table into")
    parser.add_argument("--folder", type=Path, help="where to run (default: a temporary one)")
    options = parser.parse_args()
    rng, record = random.Random(options.seed), Record()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="kills-") as name:
        folder = Path(name).resolve()
        reference = new_workflow(folder, "reference")
        KilledRun(reference, 0, [], {}, rng, record).finish()
        expected, usual = products(reference), usual_seconds(reference)
        rules = sorted(usual)
        if options.rules:
            chosen = {*options.rules, *(FIGURES if "figures" in options.rules else ())}
            rules = [rule for rule in rules if rule in chosen]
            if not rules:
                parser.error(f"the tiny run has no rule {' or '.join(options.rules)}")
        print(f"{len(expected)} files by {len(rules)} rules", flush=True)
        least = 0 if options.rules else KILLS
        kills = options.kills or max(least, OF_A_RULE * len(rules))
        fewest = kills // len(rules)
        left = plan(rules, kills, options.runs, rng)
        number = 0
        # Runs beyond the planned ones make up for jobs that were too fast.
        while number < options.runs or (
            number < 2 * options.runs and any(record.count(rule) < fewest for rule in rules)
        ):
            missing = [rule for rule in rules if record.count(rule) < fewest]
            targets = left[number] if number < options.runs else missing
            start = time.monotonic()
            run = new_workflow(folder, f"run-{number + 1}")
            KilledRun(run, number + 1, targets, usual, rng, record).finish()
            different = compare(expected, products(run), number + 1)
            record.different += different
            record.resumed += resumed_trainings(run)
            number += 1
            print(
                f"run {number}: {len(record.kills)} kills so far, {len(different)} files differ, "
                f"{time.monotonic() - start:.0f} s", flush=True,
            )  # fmt: skip
    print(table(record, rules, number))
    for name in record.different:
        print(f"different: {name}", file=sys.stderr)
    if options.report:
        head, old, tail = parts(options.report.read_text(encoding="utf-8"))
        new = table(record, rules, number, old if options.rules else "")
        options.report.write_text(head + new + tail, encoding="utf-8")
    return 1 if record.different else 0


if __name__ == "__main__":
    sys.exit(main())
