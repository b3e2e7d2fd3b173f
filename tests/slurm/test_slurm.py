"""The workflow on a real Slurm: what it asks for, what fails, what is left behind."""

import itertools
import re
import signal
import subprocess

import pytest

from tests.slurm.cluster import live_jobs, wait_for
from tests.workflow.rules import RULES
from tests.workflow.test_dry_run import jobs as planned_jobs

pytestmark = pytest.mark.slow

TRAINING = ("pretrain", "finetune")
ON_THE_GPU_PARTITION = [f"{rule}:slurm_partition=gpu" for rule in TRAINING]


def overlapping(jobs):
    """Pairs of jobs that ran at the same time; Slurm notes whole seconds."""
    return [
        (one, two)
        for one, two in itertools.combinations(jobs, 2)
        if max(one.start, two.start) < min(one.end, two.end)
    ]


def visible_devices(workflow, rule):
    """What CUDA_VISIBLE_DEVICES was in the jobs of a rule, as their logs say."""
    logs = (workflow.folder / "results" / "tiny" / "logs" / rule).rglob("*.log")
    return [re.search(r"CUDA_VISIBLE_DEVICES: (.*)", log.read_text())[1] for log in logs]


def test_the_whole_run_is_submitted_and_one_gpu_job_runs_at_a_time(submit, new_jobs):
    workflow = submit()
    arguments = ["all", "--set-resources", *ON_THE_GPU_PARTITION]
    arguments += ["--slurm-array-jobs", "finetune, predict"]
    result = workflow.run(*arguments, timeout=1800)
    assert result.returncode == 0, result.stdout[-5000:]
    assert (workflow.folder / "results" / "tiny" / "results.md").exists()

    # On a busy machine a job may reach its time limit, and is tried again.
    done = [job for job in new_jobs() if job.state == "COMPLETED"]
    assert {job.rule for job in done} <= set(RULES)
    planned = planned_jobs(result.stdout)
    assert len(done) == planned["total"] - 1  # `all` makes nothing

    on_gpu = [job for job in done if job.rule in TRAINING]
    others = [job for job in done if job.rule not in TRAINING]
    assert len(on_gpu) == sum(planned[rule] for rule in TRAINING)
    assert {(job.partition, job.gpus) for job in on_gpu} == {("gpu", "gres:gpu:1")}
    assert {(job.partition, job.gpus) for job in others} == {("main", "")}
    assert overlapping(on_gpu) == []
    assert overlapping(others), "nothing ran side by side: the line above shows nothing"
    for rule in TRAINING:
        assert set(visible_devices(workflow, rule)) == {"0"}, "the number of the one device"

    pretraining = next(job for job in done if job.rule == "pretrain")
    assert (pretraining.memory, pretraining.minutes) == (8000, 240)


def test_a_failed_job_is_tried_again_with_more_and_gres_is_the_other_way(submit, new_jobs):
    workflow = submit()
    target = "results/tiny/finetuning/mock/none.short.50/split-0.safetensors"
    resources = [*ON_THE_GPU_PARTITION, "finetune:gpu=0", "finetune:gres='gpu:1'"]
    process = workflow.start(target, "--set-resources", *resources)

    def attempts():
        return [job for job in new_jobs() if job.rule == "observe"]

    try:
        wait_for(lambda: [job.state for job in attempts()] == ["RUNNING"], 300, process)
        subprocess.run(["scancel", attempts()[0].number], check=True)  # as a full node would
        assert process.wait(timeout=500) == 0
    finally:
        process.kill()
    first, second = attempts()
    assert (first.state, first.memory, first.minutes) == ("CANCELLED", 4000, 30)
    assert (second.state, second.memory, second.minutes) == ("COMPLETED", 8000, 60)
    assert (workflow.folder / target).exists()
    trained = next(job for job in new_jobs() if job.rule == "finetune")
    assert (trained.gpus, trained.gres) == ("", "gres:gpu:1")
    assert visible_devices(workflow, "finetune") == ["0"]


def test_an_interrupted_run_leaves_no_job_behind(submit, new_jobs):
    workflow = submit()
    process = workflow.start("all")
    try:
        wait_for(lambda: "RUNNING" in [job.state for job in new_jobs()], 300, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=400) != 0
    finally:
        process.kill()
    wait_for(lambda: not live_jobs(), 20)
    assert "CANCELLED" in {job.state for job in new_jobs()}
    assert list(workflow.folder.glob(".snakemake/locks/*")) == []


def test_the_generic_profile_submits_too(submit, new_jobs):
    workflow = submit("generic")
    target = "results/tiny/catalogues/mock.splits.parquet"
    result = workflow.run(target)
    assert result.returncode == 0, result.stdout[-5000:]
    assert (workflow.folder / target).exists()
    assert sorted((job.state, job.memory, job.minutes) for job in new_jobs()) == [
        ("COMPLETED", 1000, 5),
        ("COMPLETED", 4000, 30),
    ]
