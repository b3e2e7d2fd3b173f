"""Progress of long loops: a bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator

logger = logging.getLogger(__name__)


def track(
    total: int, what: str, unit: str = "steps", every: float = 10.0, first: int = 0
) -> Iterator[int]:
    """Count from `first` to total - 1, showing how far and how fast.

    Parameters
    ----------
    total : int
        Number of rounds.
    what, unit : str
        What is being done, and what a round is.
    every : float
        Seconds between log lines when standard error is not a terminal.
    first : int
        Rounds that were done before.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        rounds = range(first, total)
        yield from bar(
            rounds, description=what, total=total, completed=first, console=Console(stderr=True)
        )
        return
    start = last = time.monotonic()
    for i in range(first, total):
        yield i
        now = time.monotonic()
        if now - last > every or i + 1 == total:
            rate = (i + 1 - first) / max(now - start, 1e-9)
            logger.info("%s: %d of %d %s, %.4g %s/s", what, i + 1, total, unit, rate, unit)
            last = now
