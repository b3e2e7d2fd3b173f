"""Runs of the workflow that meet a fault: killed while training, two at once, damaged files."""

import os
import signal

import pytest
import yaml

from photoz.files import sha256
from photoz.training.checkpoints import read_metadata
from tests.faults.test_writing import in_namespace, mounts
from tests.workflow.conftest import ROOT, TINY, make_workflow, wait_until

pytestmark = pytest.mark.slow

PRETRAINED = "results/tiny/pretraining/short.safetensors"
TUNED = "results/tiny/finetuning/mock/none.short.50/split-0.safetensors"
CATALOGUE = "results/tiny/catalogues/mock.h5"


@pytest.fixture(scope="module")
def long_config(tmp_path_factory):
    """The tiny run with trainings of some seconds, long enough to be killed within."""
    content = yaml.safe_load((ROOT / TINY).read_text())
    content["pretraining"]["short"]["steps"] = 600
    content["finetuning"]["short"] |= {"epochs": 150, "quiet_epochs": 50}
    path = tmp_path_factory.mktemp("config") / "long.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, long_config):
    done = make_workflow(tmp_path_factory.mktemp("uninterrupted"))
    result = done.run(PRETRAINED, TUNED, config=long_config)
    assert result.returncode == 0, result.stdout[-5000:]
    return done


def kill_once(workflow, target, config):
    """Kill Snakemake and its job once the job has saved a checkpoint."""
    process = workflow.start(target, config=config)
    checkpoint = workflow.folder / f"{target}.checkpoint"
    try:
        wait_until(checkpoint.exists, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    assert not (workflow.folder / target).exists()
    assert workflow.run("--unlock", config=config).returncode == 0
    return checkpoint


@pytest.mark.parametrize("target", [PRETRAINED, TUNED], ids=["pretrain", "finetune"])
def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(
    workflow, uninterrupted, long_config, target, monkeypatch
):
    monkeypatch.setenv("PHOTOZ_SAVE_EVERY", "0.2")
    checkpoint = kill_once(workflow, target, long_config)
    result = workflow.run(target, config=long_config)
    assert result.returncode == 0, result.stdout[-5000:]
    log = next((workflow.folder / "results/tiny/logs").rglob(f"{_name(target)}.log")).read_text()
    assert f"going on from {target}.checkpoint at step " in log
    assert not checkpoint.exists()
    for path in (target, target.replace(".safetensors", ".history.parquet")):
        assert sha256(workflow.folder / path) == sha256(uninterrupted.folder / path), path


def _name(target):
    return target.rsplit("/", 1)[1].removesuffix(".safetensors")


def test_a_checkpoint_of_another_configuration_is_not_gone_on_from(
    workflow, long_config, tmp_path, monkeypatch
):
    monkeypatch.setenv("PHOTOZ_SAVE_EVERY", "0.2")
    kill_once(workflow, TUNED, long_config)
    content = yaml.safe_load(long_config.read_text())
    content["finetuning"]["short"] |= {"epochs": 3, "quiet_epochs": 1}
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(content))
    assert workflow.run(TUNED, config=other).returncode == 0
    log = next((workflow.folder / "results/tiny/logs").rglob("split-0.log")).read_text()
    assert "of another configuration, input or code; the training starts anew" in log
    assert read_metadata(workflow.folder / TUNED)["config"]["epochs"] == 3


def test_simulation_and_template_fits_are_resumed_by_chunk(workflow):
    """What is missing is made again, with the same bytes; the other chunks are left alone."""
    folder = "results/tiny/templates/mock/template_fit.coarse.100/split-0"
    chunks = [f"results/tiny/simulations/fsps/chunk-{k}.h5" for k in range(2)]
    parts = [f"{folder}/fold-0.chunk-{k}.hdf5" for k in range(2)]
    assert workflow.run(*chunks, *parts).returncode == 0
    for lost, kept in (chunks, parts):
        before = sha256(workflow.folder / lost)
        date = (workflow.folder / kept).stat().st_mtime_ns
        (workflow.folder / lost).unlink()
        result = workflow.run(*chunks, *parts)
        assert result.returncode == 0, result.stdout[-5000:]
        assert sha256(workflow.folder / lost) == before
        assert (workflow.folder / kept).stat().st_mtime_ns == date


def test_two_runs_in_one_folder_do_not_meet(workflow):
    first = workflow.start(CATALOGUE)
    try:
        wait_until(lambda: workflow.is_making(CATALOGUE), first)
        os.killpg(first.pid, signal.SIGSTOP)  # or it might end before the second begins
        second = workflow.run(CATALOGUE)
        os.killpg(first.pid, signal.SIGCONT)
        assert second.returncode != 0
        assert "Directory cannot be locked" in second.stdout
        assert "--unlock" in second.stdout  # and it says what to do about a lock left over
        assert first.wait(timeout=300) == 0
    finally:
        if first.poll() is None:
            os.killpg(first.pid, signal.SIGKILL)
    assert (workflow.folder / CATALOGUE).exists()


def test_control_without_the_lock_the_second_run_starts(workflow):
    first = workflow.start(CATALOGUE)
    try:
        wait_until(lambda: workflow.is_making(CATALOGUE), first)
        os.killpg(first.pid, signal.SIGSTOP)
        second = workflow.run("--nolock", CATALOGUE)
        assert second.returncode == 0, second.stdout
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(timeout=60)


def test_a_damaged_input_fails_its_job_by_name(workflow):
    assert workflow.run(CATALOGUE).returncode == 0
    path = workflow.folder / CATALOGUE
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    path.write_bytes(damaged)
    result = workflow.run("results/tiny/catalogues/mock.splits.parquet")
    assert result.returncode != 0
    assert f"error: {CATALOGUE}: " in result.stdout
    assert not (workflow.folder / "results/tiny/catalogues/mock.splits.parquet").exists()


@mounts
def test_read_only_results_end_in_a_message(workflow):
    results = workflow.folder / "results"
    results.mkdir()
    mount = f"mount --bind {results} {results}; mount -o remount,bind,ro {results}"
    command = " ".join(workflow.command(CATALOGUE))
    done = workflow.execute(in_namespace(f"{mount}; {command}"))
    assert done.returncode != 0
    assert "Read-only file system" in done.stdout
    assert not list(results.iterdir())
