"""Which device a job takes, without any GPU: the lister is the test's own."""

import multiprocessing

import pytest
import torch

from photoz.training import device
from photoz.training.device import claim_gpu, pick_device, visible_gpus

GPUS = ("GPU-a", "GPU-b")
FORK = multiprocessing.get_context("fork")  # spares each job the import of torch


def job(gpus, folder, connection):
    """A job: claims a GPU, says which, and holds it until it is told to end."""
    connection.send(claim_gpu(gpus, folder))
    connection.recv()


@pytest.fixture
def start(tmp_path):
    """Start jobs that claim one of the GPUs; each comes with the index it claimed."""
    jobs = []

    def start_job(gpus=GPUS):
        ours, its = FORK.Pipe()
        process = FORK.Process(target=job, args=(gpus, tmp_path, its), daemon=True)
        process.start()
        jobs.append((process, ours))
        return process, ours.recv()

    yield start_job
    for process, _ in jobs:
        process.kill()
        process.join()


@pytest.fixture(autouse=True)
def _no_claims_of_other_tests(monkeypatch):
    monkeypatch.setattr(device, "_claims", {})


def test_jobs_side_by_side_take_different_gpus(start):
    assert [start()[1], start()[1]] == [0, 1]


def test_a_killed_job_gives_its_gpu_back(start):
    first, _ = start()
    assert start()[1] == 1
    first.kill()
    first.join()
    assert start()[1] == 0


def test_a_gpu_is_known_by_its_name_whatever_its_number_in_a_job(start):
    start()
    assert start(("GPU-b", "GPU-a"))[1] == 0  # b
    assert start(("GPU-c",))[1] == 0


def test_more_jobs_than_gpus_share_and_say_so(start, tmp_path, caplog):
    start()
    start()
    assert claim_gpu(GPUS, tmp_path) in (0, 1)
    assert "all 2 GPUs are held by other jobs" in caplog.text
    assert "--resources gpu=2" in caplog.text


def test_a_job_that_asks_twice_keeps_its_gpu(tmp_path, caplog):
    picked = [pick_device("auto", lambda: GPUS, tmp_path) for _ in range(2)]
    assert picked == [torch.device("cuda:0")] * 2
    assert not caplog.records


def test_a_claim_does_not_follow_a_link(tmp_path):
    target = tmp_path / "precious"
    (tmp_path / f"photoz-{device.os.getuid()}-GPU-a.lock").symlink_to(target)
    with pytest.raises(OSError):
        claim_gpu(GPUS, tmp_path)
    assert not target.exists()


def test_without_a_gpu_the_processor_is_taken(tmp_path):
    assert pick_device("auto", tuple, tmp_path) == torch.device("cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_named_is_taken_as_it_is(tmp_path):
    def nobody_asks():
        raise AssertionError

    assert pick_device("cpu", nobody_asks, tmp_path) == torch.device("cpu")
    assert list(tmp_path.iterdir()) == []


def test_the_log_says_what_the_scheduler_handed_out(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with caplog.at_level("INFO"):
        pick_device("cpu", folder=tmp_path)
    assert "CUDA_VISIBLE_DEVICES: 3" in caplog.text


def test_torchs_gpus_are_listed_by_names_of_their_own():
    names = visible_gpus()
    assert len(names) == len(set(names)) == torch.cuda.device_count()
