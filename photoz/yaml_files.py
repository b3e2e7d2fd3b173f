"""YAML as users write it: a mapping of moderate size, in which nothing means something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from photoz.files import InputError, require_file

LARGEST_FILE = 1 << 20
"""Bytes; the reader takes some ten seconds per megabyte."""
MOST_NODES = 200_000
"""Values of a file with every `*alias` written out. Ten lines of aliases can mean 10^9 of them."""

_MOST_BITS = 2048


class UniqueKeys(yaml.SafeLoader):
    """YAML that does not surprise.

    It has plain values only, no objects of Python. A repeated key is an error instead of the last
    one silently winning, and so are numbers that YAML 1.1 takes for base 60 or 8 (`22:30`, `010`)
    and aliases that hold themselves or a whole forest.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Read a mapping; here `<<: *other` has not yet been replaced by the keys it brings."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                line = key.start_mark.line + 1
                raise InputError(
                    f"key '{key.value}' occurs twice in its block, again in line {line}"
                )
            seen.add((key.tag, key.value))
        return node

    def get_single_node(self) -> yaml.Node | None:
        """Read the document, without making anything of it yet."""
        node = super().get_single_node()
        if node is not None and _expanded(node, {}, set()) > MOST_NODES:
            raise InputError(
                f"more than {MOST_NODES} values where every *alias is written out; use fewer"
            )
        return node

    def plain_number(self, node: yaml.ScalarNode) -> int | float:
        """Read a number; one that does not mean what it looks like is an error."""
        is_integer = node.tag.endswith(":int")
        value = (self.construct_yaml_int if is_integer else self.construct_yaml_float)(node)
        # Python would not even print it.
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise InputError(f"line {node.start_mark.line + 1}: a number of absurd size")
        digits = node.value.lstrip("+-").replace("_", "")
        octal = is_integer and len(digits) > 1 and digits[0] == "0" and digits.isdigit()
        if ":" in digits or octal:
            raise InputError(
                f"line {node.start_mark.line + 1}: YAML takes {node.value} for the number {value}; "
                f"write {value}, or quote it if it is a text"
            )
        return value


UniqueKeys.add_constructor("tag:yaml.org,2002:int", UniqueKeys.plain_number)
UniqueKeys.add_constructor("tag:yaml.org,2002:float", UniqueKeys.plain_number)


def _expanded(node: yaml.Node, sizes: dict[int, int], above: set[int]) -> int:
    """Number of values of a node with every alias written out; each node is visited once."""
    key = id(node)
    if key in above:
        raise InputError(f"line {node.start_mark.line + 1}: this block holds itself, by an *alias")
    if key not in sizes:
        above.add(key)
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        sizes[key] = 1
        for part in parts:
            sizes[key] += _expanded(part, sizes, above)
        above.discard(key)
    return sizes[key]


def read_yaml(path: str | Path, what: str = "configuration file") -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        Naming the file, and the line where it is broken: absent, too large, not YAML, a repeated
        key, a number in base 60 or 8, or something else than a mapping.
    """
    path = require_file(path, what)
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(f"{path}: too large for a {what} ({path.stat().st_size} bytes)")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not valid YAML: {reason}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply to be a {what}") from None
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError) as error:
        # PyYAML lets these out for values that contradict their tag: 2020-13-45, !!bool maybe
        raise InputError(f"{path}: not valid YAML: a value is not what it says ({error})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected `key: value` lines at the top level")
    return content
