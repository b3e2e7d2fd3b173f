"""Where and in which precision training runs; decided inside the job.

A workflow limits how many training jobs run at once, but hands out no device. On a machine with
several GPUs each job therefore claims one for itself: it locks a file in the temporary folder that
is named after the device. The lock belongs to the process and ends with it, however it ends, so
that a killed job leaves nothing to clear away. Under Slurm and its like a job sees only the GPU it
was given, and claims that.
"""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

logger = logging.getLogger(__name__)

#: Open lock files of this process by their path: closing one would give the device away.
_claims: dict[Path, int] = {}


def visible_gpus() -> tuple[str, ...]:
    """Names, unique in the world, of the GPUs that torch sees, in torch's order."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return tuple(str(torch.cuda.get_device_properties(i).uuid) for i in range(count))


def pick_device(
    name: str = "auto",
    gpus: Callable[[], Sequence[str]] = visible_gpus,
    folder: str | Path | None = None,
) -> torch.device:
    """The device to use: `auto` claims a GPU if there is one, else takes the processor.

    Parameters
    ----------
    name : str
        ``auto``, or a torch device such as ``cpu`` or ``cuda:1``, which is taken as it is.
    gpus : callable
        Lists names of the GPUs.
    folder : path, optional
        Where claims are kept; the system's temporary folder by default.
    """
    if name == "auto":
        found = gpus()
        name = f"cuda:{claim_gpu(found, folder)}" if found else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and torch.cuda.is_available():
        torch.cuda.set_device(device)  # what does not say where it runs, runs there too
    handed_out = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
    logger.info("device: %s, %d threads", device, torch.get_num_threads())
    logger.info("CUDA_VISIBLE_DEVICES: %s", handed_out)
    return device


def claim_gpu(gpus: Sequence[str], folder: str | Path | None = None) -> int:
    """Index of the first GPU that no other job of this user holds; it is held until the end.

    Where all are held the job shares one, and its log says so: more jobs run than there are GPUs.

    Parameters
    ----------
    gpus : sequence of str
        Names of the GPUs, at least one.
    folder : path, optional
        Where claims are kept; the system's temporary folder by default.
    """
    for index, gpu in enumerate(gpus):
        # Files of another user cannot be opened in a shared folder: each user has their own.
        path = Path(folder or tempfile.gettempdir()) / f"photoz-{os.getuid()}-{gpu}.lock"
        if path in _claims or _lock(path):
            return index
    shared = os.getpid() % len(gpus)  # spreads the jobs
    logger.warning(
        "all %d GPUs are held by other jobs; sharing number %d (limit the jobs that train with "
        "`--resources gpu=%d`)",
        *(len(gpus), shared, len(gpus)),
    )
    return shared


def _lock(path: Path) -> bool:
    """Lock a file until this process ends; whether nobody else had."""
    number = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return False
    _claims[path] = number
    return True


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def matmul_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Resolve `float32`, `bfloat16` or `auto` to a dtype and say in the log what was chosen."""
    bfloat16 = precision == "bfloat16" or (precision == "auto" and native_bfloat16(device))
    if precision == "bfloat16" and not native_bfloat16(device):
        logger.warning("%s has no native bfloat16; training will be slow", device)
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    logger.info("precision %s: matrix products in %s", precision, dtype)
    return dtype
