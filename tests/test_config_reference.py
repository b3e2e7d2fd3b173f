"""config/README.md says what the schema says."""

from pathlib import Path

from photoz.config_reference import render
from photoz.configuration import node_at, schema

README = Path(__file__).parents[1] / "config" / "README.md"


def leaves(node, path=""):
    node = node_at(node)
    for kind in node.get("kinds", {}).values():
        yield from leaves(kind, path)
    for key, child in node.get("properties", {}).items():
        yield f"{path}.{key}", node_at(child)
        yield from leaves(child, f"{path}.{key}")
    if isinstance(node.get("additionalProperties"), dict):
        yield from leaves(node["additionalProperties"], f"{path}.*")


def test_the_reference_is_up_to_date():
    assert README.read_text(encoding="utf-8") == render(), "run `make docs`"


def test_every_key_is_described_and_in_the_reference():
    text = render()
    for path, node in leaves(schema()):
        assert node.get("description"), f"{path} has no description"
        assert f"| `{path.rpartition('.')[2]}` |" in text, path
