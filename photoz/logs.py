"""A job's log file: everything it says, one clear line when its input is wrong, and its code.

The last line of a log that ended well is a fingerprint of every module of photoz the job
imported. With it the results page can tell results that other code made.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import logging
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from photoz.files import InputError

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
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = sys.stderr
    start = time.monotonic()
    failure: str | None = None
    with open(path, "w", encoding="utf-8", buffering=1) as stream, _everything_to(stream):
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} on {platform.node()}", file=stream)
        try:
            yield
        except InputError as error:
            failure = f"error: {error}"
            print(failure, file=stream)
        except Exception as error:
            traceback.print_exc(file=stream)
            failure = f"error: {type(error).__name__}: {error} (see {path})"
        else:
            print(f"finished after {time.monotonic() - start:.1f} s", file=stream)
            print(FINGERPRINT + json.dumps(imported_code(), sort_keys=True), file=stream)
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


def imported_code() -> dict[str, str]:
    """Fingerprint of every module of photoz imported so far, by module name."""
    names = [name for name in sys.modules if name == "photoz" or name.startswith("photoz.")]
    return {name: code for name in sorted(names) if (code := module_code(name)) is not None}


def module_code(name: str) -> str | None:
    """Fingerprint of one module's code; comments, docstrings and layout do not count.

    Returns
    -------
    str or None
        12 hexadecimal digits, or None where there is no such module.
    """
    base = Path(__file__).parent.joinpath(*name.split(".")[1:])
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    if not path.is_file():
        return None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            body[:1] = [] if len(body) > 1 else [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:12]


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def recorded_code(path: str | os.PathLike[str]) -> dict[str, str] | None:
    """Fingerprints at the end of a log; None if there is no log, or the job did not finish."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    if not lines or not lines[-1].startswith(FINGERPRINT):
        return None
    return dict(json.loads(lines[-1].removeprefix(FINGERPRINT)))


def changed_code(path: str | os.PathLike[str]) -> list[str] | None:
    """Modules that changed since the job of this log ran; None if the log does not tell."""
    recorded = recorded_code(path)
    if recorded is None:
        return None
    return [name for name, code in recorded.items() if module_code(name) != code]
