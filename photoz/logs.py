"""A job's log file: everything it says, one clear line when its input is wrong, and its code.

The last line of a log that ended well is a fingerprint of every module of photoz the job
imported and of the shipped data they may read. With it the results page can tell results that
other code made.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from photoz.files import InputError
from photoz.provenance import current_code, imported_code

FINGERPRINT = "code: "


@contextlib.contextmanager
def job_log(path: str | os.PathLike[str]) -> Iterator[None]:
    """Send a job's output, log records and warnings to its log file.

    An `InputError` becomes one line in the log and on standard error, and exit status 1; any
    other exception leaves its traceback in the log, its last line on standard error, and exit
    status 1.

    Parameters
    ----------
    path : path-like
        The log file; its folder is created and an older log is replaced.
    """
    path = Path(path)
    terminal = sys.stderr
    start = time.monotonic()
    failure: str | None = None
    code = imported_code()  # now: somebody may edit a module while the job runs
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8", buffering=1) as stream, _everything_to(stream):
            print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} on {platform.node()}", file=stream)
            try:
                yield
            except InputError as error:
                failure = f"error: {error}"
                print(failure, file=stream)
            except Exception as error:
                failure = f"error: {type(error).__name__}: {error} (see {path})"
                traceback.print_exc(file=stream)
            else:
                print(f"finished after {time.monotonic() - start:.1f} s", file=stream)
                print(FINGERPRINT + json.dumps(imported_code() | code, sort_keys=True), file=stream)
    except OSError as error:  # the disk is full, or read-only
        failure = failure or f"error: {path}: the log cannot be written ({error.strerror})"
    if failure is not None:
        print(failure, file=terminal)
        raise SystemExit(1)


@contextlib.contextmanager
def _everything_to(stream: TextIO) -> Iterator[None]:
    """Redirect standard output and error, logging and warnings of this process."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)


def recorded_code(path: str | os.PathLike[str]) -> dict[str, str] | None:
    """Fingerprints at the end of a log; None if there is no log, or the job did not finish."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    if not lines or not lines[-1].startswith(FINGERPRINT):
        return None
    return dict(json.loads(lines[-1].removeprefix(FINGERPRINT)))


def changed_code(
    path: str | os.PathLike[str], current: Callable[[str], str | None] = current_code
) -> list[str] | None:
    """Modules and data that changed since this log's job ran; None if the log does not tell.

    `current` gives the fingerprint at hand; who reads many logs passes one that remembers.
    """
    recorded = recorded_code(path)
    if recorded is None:
        return None
    return [name for name, code in recorded.items() if current(name) != code]
