"""Fingerprints of the package's code and of the data shipped with it.

Snakemake does not look inside `photoz/`. Each job therefore logs the fingerprint of what it used,
and the results page carries that of the whole package.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from photoz.files import sha256

_DATA = "photoz/data/"
_DIGITS = 12


def module_code(name: str) -> str | None:
    """Fingerprint of one module's code; comments, docstrings and layout do not count.

    Returns
    -------
    str or None
        12 hexadecimal digits, or None where there is no such module.
    """
    path = _module_path(name)
    return _code(path) if path.is_file() else None


def imported_code() -> dict[str, str]:
    """Fingerprint of every module of photoz imported so far, and of shipped data they may read.

    Returns
    -------
    dict of str to str
        By module name (`photoz.files`), then by path (`photoz/data/cosmos_templates.npz`). A
        module may read the files whose names stand in its code.
    """
    names = [name for name in sys.modules if name == "photoz" or name.startswith("photoz.")]
    paths = {name: path for name in sorted(names) if (path := _module_path(name)).is_file()}
    named = set().union(*(_strings(path) for path in paths.values()))
    data = {key: digest for key, digest in _data_code().items() if Path(key).name in named}
    return {name: _code(path) for name, path in paths.items()} | data


def origin(params: Mapping[str, Any], inputs: Iterable[str | os.PathLike[str]]) -> dict[str, Any]:
    """All that a job's result depends on, JSON-able: equal only where the result would be too.

    Parameters
    ----------
    params : mapping
        What the job was told.
    inputs : iterable of path-like
        Files it reads.
    """
    return {
        "params": dict(params),
        "inputs": {str(path): sha256(path) for path in inputs},
        "code": imported_code(),
    }


def current_code(key: str) -> str | None:
    """Fingerprint at hand of what `imported_code` calls `key`; None if it is gone."""
    return _data_code().get(key) if key.startswith(_DATA) else module_code(key)


@cache
def package_code() -> str:
    """Fingerprint of all modules and all shipped data together: 12 hexadecimal digits."""
    folder = _folder()
    parts = _data_code() | {
        path.relative_to(folder).as_posix(): _code(path) for path in folder.rglob("*.py")
    }
    return _digest(repr(sorted(parts.items())).encode())


def _folder() -> Path:
    return Path(__file__).parent


def _module_path(name: str) -> Path:
    base = _folder().joinpath(*name.split(".")[1:])
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _data_code() -> dict[str, str]:
    files = [path for path in (_folder() / "data").glob("*") if path.is_file()]
    shipped = [path for path in sorted(files) if path.suffix not in (".py", ".md")]
    return {_DATA + path.name: _digest(path.read_bytes()) for path in shipped}


def _code(path: Path) -> str:
    return _digest(_content(path)[0])


def _strings(path: Path) -> frozenset[str]:
    return _content(path)[1]


def _content(path: Path) -> tuple[bytes, frozenset[str]]:
    """What a module does, as bytes, and the texts in it; docstrings are no part of either."""
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@cache
def _read(path: Path, modified: int, size: int) -> tuple[bytes, frozenset[str]]:
    source = path.read_bytes()
    try:
        tree = ast.parse(source)
    except SyntaxError:  # somebody is editing it; a job that imported it before goes on
        return source, frozenset()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            body[:1] = [] if len(body) > 1 else [ast.Pass()]
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return ast.dump(tree).encode(), frozenset(text for text in constants if isinstance(text, str))


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
