"""Files that are either whole or absent, and the one error that bad input raises."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import platform
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_MESSAGE = 2000
_SHOWN_OF_NAME = 50


class InputError(ValueError):
    """Something the user handed us is wrong; the message says what, where and what to do.

    It is one line of moderate length, whatever the names and values in it hold.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


def one_line(text: str, longest: int = _LONGEST_MESSAGE) -> str:
    """Text that is safe to print: what is not printable escaped, a very long middle left out.

    A name with a newline would otherwise forge a line of a log, one with an escape sequence
    control the terminal, and one that is not UTF-8 could not be printed at all.
    """
    if len(text) > longest:
        text = f"{text[: longest // 2]} [...] {text[-(longest // 2) :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


_FULL = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your quota of the disk is used up; free some space",
    errno.EFBIG: "the file is larger than allowed here (ulimit -f, or the file system's limit)",
}
_CLOSED = {
    errno.EROFS: "the file system is read-only; choose another folder, or make it writable",
    errno.EACCES: "no permission to write in this folder; choose another, or change its rights",
    errno.EPERM: "no permission to write in this folder; choose another, or change its rights",
}


@contextmanager
def replace_when_done(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it on success, delete it on error.

    A reader therefore never meets a half-written file, whatever kills the writer. What a killed
    writer left behind on this machine is removed.

    Parameters
    ----------
    path : path-like
        The final file name; its folder is created.

    Yields
    ------
    pathlib.Path
        A name in the same folder with the same suffix, to be written by the caller.

    Raises
    ------
    InputError
        If the folder cannot be written in, or the disk is full.
    """
    path = Path(path)
    try:
        temporary = _make_temporary(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {_reason(error)}") from error
    try:
        yield temporary
        # mkstemp makes private files; results follow the user's umask like any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except Exception as error:
        if _error_number(error) not in _FULL:
            raise
        raise InputError(f"{path}: cannot be written: {_reason(error)}, then run again") from error
    finally:
        temporary.unlink(missing_ok=True)


def _make_temporary(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Machine and process are in the name: so it is known whether its writer still lives.
    # Not the whole of a long name: the disk's limit is one for both.
    stem, suffix = path.stem[:_SHOWN_OF_NAME], path.suffix[:_SHOWN_OF_NAME]
    start, process = f".{stem}-{platform.node()}-", re.compile(r"(\d+)-")
    for left in path.parent.glob(glob.escape(start) + "*" + glob.escape(suffix)):
        writer = process.match(left.name.removeprefix(start))
        if writer and not _is_alive(int(writer[1])):
            left.unlink(missing_ok=True)
    prefix = f"{start}{os.getpid()}-"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=suffix)
    os.close(handle)
    return Path(name)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _error_number(error: BaseException) -> int | None:
    """The system's number of an error; libraries in C and Rust only tell it in words."""
    number = getattr(error, "errno", None)
    if number is None:
        told = re.search(r"errno = (\d+)|os error (\d+)|Errno (\d+)", str(error))
        number = int(next(filter(None, told.groups()))) if told else None
    return number


def _reason(error: BaseException) -> str:
    number = _error_number(error)
    return (_FULL | _CLOSED).get(number or 0) or str(error)


def require_file(path: str | os.PathLike[str], what: str) -> Path:
    """Return `path` if it is a file with something in it.

    Raises
    ------
    InputError
        If it does not exist, is a folder, is empty or cannot be looked at; `what` says what was
        expected.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise InputError(f"{path}: {what} not found; check the path (now in {Path.cwd()})")
        if not path.is_file():
            raise InputError(f"{path}: {what} expected, but this is not a file")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: {what} is empty (0 bytes); write it again")
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: {what} cannot be read; check its permissions")
    except OSError as error:  # a name too long for the disk, a folder closed to us
        raise InputError(f"{path}: {what} cannot be read ({error.strerror})") from error
    return path


def sha256(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
