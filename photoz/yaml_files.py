"""YAML as users write it: a mapping, in which a repeated key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from photoz.files import InputError, require_file


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a repeated key is an error instead of the last one silently winning."""

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


def read_yaml(path: str | Path, what: str = "configuration file") -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        Naming the file, and the line where it is broken: absent, not YAML, a repeated key, or
        something else than a mapping.
    """
    path = require_file(path, what)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not valid YAML: {reason}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected `key: value` lines at the top level")
    return content
