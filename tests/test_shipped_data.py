"""Shipped numbers: each file is listed with where it is from and under which licence."""

import re
from pathlib import Path

import pytest

from photoz.sps.template_library import load_template_library

FOLDER = Path(__file__).parents[1] / "photoz" / "data"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in README.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) > 1
    and cells[0].startswith("`")
}
SHIPPED = {
    path.name
    for path in FOLDER.iterdir()
    if path.is_file() and path.name not in ("README.md", "__init__.py")
}


def test_every_shipped_file_is_listed_and_every_listed_file_is_shipped():
    assert len(SHIPPED) >= 5
    assert set(ROWS) == SHIPPED


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_listed_file_has_content_provenance_and_licence(name):
    assert len(ROWS[name]) == 3
    what, source, licence = ROWS[name]
    assert len(what) > 20 and len(source) > 20
    assert re.search(r"GPL-3\.0-or-later|MIT|public", licence), licence


def test_the_licence_of_the_templates_travels_with_them():
    assert ROWS["cosmos_templates.npz"][2].startswith("MIT")
    notice = load_template_library().provenance["licence"]
    assert "Copyright (c)" in notice and "Permission is hereby granted" in notice
