"""Where and in which precision training runs; decided inside the job."""

from __future__ import annotations

import logging

import torch

logger = logging.getLogger(__name__)


def pick_device(name: str = "auto") -> torch.device:
    """The device to use: `auto` takes a GPU if torch sees one, else the processor."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    logger.info("device: %s, %d threads", device, torch.get_num_threads())
    return device


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
