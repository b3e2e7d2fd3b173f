"""The reference of every configuration key, written from the schema.

`python -m photoz.config_reference > config/README.md` writes it anew; a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from photoz.configuration import node_at, schema

INTRODUCTION = """# Configuration

Written from `workflow/schemas/config.schema.yaml` by `photoz config-docs`; do not edit.

* `config.yaml` is the default run, `zcosmos.yaml` a run on your own catalogue of real galaxies,
  `paper.yaml` the paper's full design (`photoz estimate` says what each takes).
* `surveys/` describes surveys: bands, zero-point, selection.
* Another run is another file: `snakemake --cores 2 --configfile my.yaml`. It stands alone. To
  change a few keys of an existing run, lay a second file over it:
  `--configfile config/config.yaml my_changes.yaml`.
* `photoz validate my.yaml` checks a file, and the survey it names, without running anything. An
  unknown key is an error, and so is one that occurs twice.
* Threads, memory, GPU and run times are not here: they are in `workflow/rules/` and
  `workflow/profiles/`.
"""


def render() -> str:
    """The reference as Markdown: a table of keys per section."""
    lines = [INTRODUCTION]
    for title, description, rows in _sections(schema(), "", "Top level"):
        lines += [f"## {title}", ""]
        if description:
            lines += [description, ""]
        lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _sections(
    node: dict[str, Any], path: str, title: str
) -> Iterator[tuple[str, str, list[tuple[str, ...]]]]:
    """Each section below a schema node: its title, its description and the rows of its table."""
    node = node_at(node)
    if "kinds" in node:
        for kind, child in node["kinds"].items():
            yield from _sections(child, path, f"{title} with `kind: {kind}`")
        return
    properties = node.get("properties", {})
    if properties:
        required = node.get("required", [])
        rows = [_row(key, node_at(child), key in required) for key, child in properties.items()]
        yield title, "", rows
    for key, child in properties.items():
        child = node_at(child)
        below = f"{path}.{key}" if path else key
        if isinstance(child.get("additionalProperties"), dict):
            yield from _sections(child["additionalProperties"], f"{below}.*", f"`{below}.<name>`")
        elif "properties" in child or "kinds" in child:
            yield from _sections(child, below, f"`{below}`")


def _row(key: str, node: dict[str, Any], required: bool) -> tuple[str, ...]:
    default = "required" if required else _code(node["default"]) if "default" in node else ""
    meaning = " ".join(str(node.get("description", "")).split())
    return f"`{key}`", _type(node), default, meaning.replace("|", "\\|")


def _type(node: dict[str, Any]) -> str:
    """What a key takes, in words."""
    node = node_at(node)
    if "enum" in node:
        return " or ".join(_code(choice) for choice in node["enum"])
    if "names" in node:
        several = "array" in node.get("type", ())
        optional = " or null" if "null" in node.get("type", ()) else ""
        return f"{'names' if several else 'a name'} in `{node['names']}`{optional}"
    if isinstance(node.get("additionalProperties"), dict):
        return "sections by name"
    if "properties" in node or "kinds" in node or node.get("type") == "object":
        return "section"
    types = node.get("type", "any")
    words = " or ".join([types] if isinstance(types, str) else types).replace("array", "list")
    limits = [
        f"{word} {node[limit]:g}"
        for limit, word in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if limit in node
    ]
    return f"{words}, {', '.join(limits)}" if limits else words


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"`{text}`" if text else '`""`'


if __name__ == "__main__":
    print(render(), end="")
