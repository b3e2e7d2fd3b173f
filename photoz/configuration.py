"""The configuration of a run: read, filled with the schema's defaults, and checked.

The schema `config.schema.yaml` (the workflow's folder `schemas` links to it) is JSON Schema with
three additions of ours:

* `kinds`: an object whose keys depend on its `kind`; one sub-schema per kind,
* `names`: a string that must be the name of an entry in that top-level section,
* `allowed`: what a `pattern` allows, in words.

Numbers are finite, and whole ones fit into 64 bits. Everything is checked before the first job
starts, and every message names the key's path.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from photoz.files import InputError
from photoz.yaml_files import read_yaml

SCHEMA_PATH = Path(__file__).with_name("config.schema.yaml")

_ANNOTATIONS = (
    *("default", "description", "names", "allowed"),
    *("properties", "additionalProperties", "kinds"),
)
_LARGEST = 2**63 - 1


def load(*paths: str | Path) -> dict[str, Any]:
    """Read one configuration, later files laid over earlier ones, filled and checked.

    Parameters
    ----------
    *paths : path-like
        YAML files. Mappings are merged key by key; anything else is replaced.

    Returns
    -------
    dict
        The whole configuration, every default filled in.

    Raises
    ------
    InputError
        If a file is absent or not YAML, or a key is repeated, or a key or value is wrong.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        merged = merge(merged, read_yaml(path))
    return resolve(merged)


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another; neither argument is changed."""
    merged = dict(base)
    for key, value in overlay.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


@cache
def schema() -> dict[str, Any]:
    """The schema of a configuration, as shipped with the package."""
    return read_yaml(SCHEMA_PATH, "configuration schema")


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a configuration with the schema's defaults and check every key, value and name.

    Returns plain dictionaries, lists and scalars in the schema's key order, so that the same
    configuration always gives the same rule parameters.

    Raises
    ------
    InputError
        One line: the key's path, what is wrong with it, and the nearest valid choice.
    """
    filled = _fill(schema(), config, "")
    for name, section, path in _references(schema(), filled, ""):
        known = filled.get(section, {})
        if name not in known:
            raise InputError(
                f"config: {path}: no {name!r} in `{section}`{_suggest(name, known)}; "
                f"there is {', '.join(known) or 'nothing in it'}"
            )
    return filled


def defaults(path: str) -> dict[str, Any]:
    """Defaults the schema gives at a dotted path, e.g. `networks.*` or `noise.*:fixed_snr`.

    `*` steps into the entries of a section of named things; `:kind` chooses a kind.
    """
    node = node_at(schema())
    for step in path.split("."):
        key, _, kind = step.partition(":")
        node = node_at(node["additionalProperties"] if key == "*" else node["properties"][key])
        if kind:
            node = node_at(node["kinds"][kind])
    return {
        key: node_at(child)["default"]
        for key, child in node["properties"].items()
        if "default" in node_at(child)
    }


def derive_seed(seed: int, *labels: str | int) -> int:
    """A seed for one job: the run's seed and the names of what the job makes, hashed.

    Jobs draw independent numbers, and adding one job changes no other job's numbers.
    """
    text = json.dumps([seed, *map(str, labels)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") & 0x7FFFFFFF


def fingerprint(section: Mapping[str, Any]) -> str:
    """Hash of a section of the configuration, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(_named(section), sort_keys=True).encode()).hexdigest()


def _named(value: Any) -> Any:
    """The same with every key a text: labels of a column map may be numbers beside texts."""
    if isinstance(value, Mapping):
        return {str(key): _named(item) for key, item in value.items()}
    return [_named(item) for item in value] if isinstance(value, list | tuple) else value


def node_at(node: dict[str, Any]) -> dict[str, Any]:
    """A schema node with its `$ref` followed; keys beside the reference win."""
    if "$ref" not in node:
        return node
    target: Any = schema()
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return node_at(target) | {key: value for key, value in node.items() if key != "$ref"}


def _is_object(node: dict[str, Any]) -> bool:
    return "properties" in node or "additionalProperties" in node or "kinds" in node


def _fill(node: dict[str, Any], value: Any, path: str) -> Any:
    """Check one value against its schema node and add the defaults below it."""
    node = node_at(node)
    if not _is_object(node):
        return _leaf(node, value, path)
    types = node.get("type", "object")
    if value is None and "null" in types:
        return None
    if not isinstance(value, Mapping):
        raise InputError(f"config: {path or 'top level'}: expected a mapping, found {value!r}")
    if "kinds" in node:
        node = _of_kind(node, value, path)
    properties = node.get("properties", {})
    entries = node.get("additionalProperties", False)
    for key in value:
        if key not in properties and not isinstance(entries, dict):
            raise InputError(
                f"config: {_join(path, key)}: unknown key{_suggest(str(key), properties)}; "
                f"known here: {', '.join(properties)}"
            )
    for key in node.get("required", []):
        if key not in value:
            meaning = node_at(properties[key]).get("description", "")
            raise InputError(f"config: {_join(path, key)}: missing ({' '.join(meaning.split())})")
    filled = {}
    for key, child in properties.items():
        if key in value:
            filled[key] = _fill(child, value[key], _join(path, key))
        elif "default" in node_at(child):
            filled[key] = _fill(child, node_at(child)["default"], _join(path, key))
    for key in value:
        if key not in properties:
            _check_name(node, key, path)
            filled[key] = _fill(entries, value[key], _join(path, key))
    return filled


def _of_kind(node: dict[str, Any], value: Mapping[str, Any], path: str) -> dict[str, Any]:
    kinds = node["kinds"]
    kind = value.get("kind", node.get("default_kind"))
    if not isinstance(kind, str) or kind not in kinds:
        found = "missing" if kind is None else f"unknown kind {kind!r}{_suggest(kind, kinds)}"
        raise InputError(f"config: {_join(path, 'kind')}: {found}; one of {', '.join(kinds)}")
    chosen = node_at(kinds[kind])
    named = {"kind": {"const": kind, "default": kind, "description": node.get("description", "")}}
    return chosen | {"properties": named | chosen.get("properties", {})}


def _check_name(node: dict[str, Any], key: Any, path: str) -> None:
    names = node_at(node.get("propertyNames", {}))
    if names and not (isinstance(key, str) and Draft202012Validator(names).is_valid(key)):
        raise InputError(
            f"config: {_join(path, key)}: {key!r} cannot be a name here; "
            f"{names.get('description', 'use letters, digits and _')}"
        )


def _leaf(node: dict[str, Any], value: Any, path: str) -> Any:
    """Check a scalar or list; numbers that YAML reads as text (`1e-3`) are read as numbers."""
    value = _number(node, value)
    if isinstance(value, Mapping):  # a free-form mapping, or a mapping where none is expected
        value = dict(value)
    rules = {key: rule for key, rule in node.items() if key not in _ANNOTATIONS}
    validator = Draft202012Validator(rules | {"$defs": schema()["$defs"]})
    error = next(iter(sorted(validator.iter_errors(value), key=lambda e: len(e.path))), None)
    if error is not None:
        where = path + "".join(f"[{step}]" for step in error.path)
        if error.validator == "pattern" and "allowed" in node:
            raise InputError(f"config: {where}: {value!r} does not fit; {node['allowed']}")
        found = _suggest(value, node.get("enum", ()))
        raise InputError(f"config: {where}: {error.message}{found}")
    _check_numbers(value, path)
    return value


def _check_numbers(value: Any, path: str) -> None:
    """Refuse what every comparison lets through: NaN and infinity; and more than 64 bits.

    A free-form mapping is checked by who reads it: column maps list `.inf` as missing.
    """
    if isinstance(value, list):
        for step, item in enumerate(value):
            _check_numbers(item, f"{path}[{step}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"config: {path}: a finite number expected, found {value}")
    elif isinstance(value, int) and abs(value) > _LARGEST:
        raise InputError(
            f"config: {path}: a number below 2^63 expected, found one of {value.bit_length()} bits"
        )


def _number(node: dict[str, Any], value: Any) -> Any:
    types = node.get("type", ())
    types = [types] if isinstance(types, str) else list(types)
    if isinstance(value, list) and "array" in types and isinstance(node.get("items"), dict):
        return [_number(node_at(node["items"]), item) for item in value]
    if isinstance(value, str) and "string" not in types and {"number", "integer"} & set(types):
        try:
            value = float(value)
        except ValueError:
            return value
    if isinstance(value, float) and "number" not in types and "integer" in types:
        return int(value) if value.is_integer() else value
    return value


def _references(node: dict[str, Any], value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Every (name, section it must be in, key path) of a filled configuration."""
    node = node_at(node)
    if value is None:
        return
    if "names" in node:
        items = value if isinstance(value, list) else [value]
        for item in items:
            for name in item if isinstance(item, list) else [item]:
                yield name, node["names"], path
    elif isinstance(value, Mapping) and _is_object(node):
        if "kinds" in node:
            node = _of_kind(node, value, path)
        for key, item in value.items():
            child = node.get("properties", {}).get(key, node.get("additionalProperties"))
            if isinstance(child, dict):
                yield from _references(child, item, _join(path, key))


def _suggest(word: object, choices: Any) -> str:
    known = [str(choice) for choice in choices]
    close = difflib.get_close_matches(str(word)[:100], known, n=1, cutoff=0.55)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
