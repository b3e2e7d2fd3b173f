"""Every floor of the package imports only the floors below it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "photoz"
#: From the top.
FLOORS = ("cli", "figures", "metrics", "training", "templates", "networks", "pdf", "simulations")
FLOORS += ("sps", "survey")
#: Below every floor: these import nothing of the package but each other.
GROUND = ("checksums", "files", "memory", "messages", "progress", "yaml_files", "data")
#: Beside `cli` at the top: they may import any floor, and no floor imports them.
TOP = {path.stem for path in PACKAGE.glob("*.py")} - {*GROUND, *FLOORS, "__init__"}


def imported(tree):
    """Line and first name below `photoz` of every import, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "photoz":
            parts = node.module.split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            parts = [alias.name.split(".") for alias in node.names]
            names = [part[1] for part in parts if part[0] == "photoz" and len(part) > 1]
        else:
            assert not isinstance(node, ast.ImportFrom) or node.level == 0, "a relative import"
            continue
        yield from ((node.lineno, name) for name in names)


def forbidden(floor):
    """What a module of a floor must not import."""
    if floor in GROUND:
        return {*FLOORS, *TOP}
    return {*FLOORS[: FLOORS.index(floor)], *TOP}


def violations(floor, source):
    """Imports that a module of `floor` must not have, as (line, name)."""
    return [(line, name) for line, name in imported(ast.parse(source)) if name in forbidden(floor)]


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        floor = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if floor in (*FLOORS, *GROUND) and floor != "cli":
            yield pytest.param(floor, path, id=str(path.relative_to(PACKAGE)))


@pytest.mark.parametrize(("floor", "path"), list(modules()))
def test_a_module_imports_only_floors_below_its_own(floor, path):
    wrong = violations(floor, path.read_text(encoding="utf-8"))
    assert not wrong, f"{path}: {floor} imports {wrong}"


def test_every_folder_is_a_floor():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders - {"data"} <= set(FLOORS)


@pytest.mark.parametrize(
    ("floor", "source", "names"),
    [
        ("simulations", "from photoz.training.neighbours import fit_predict", ["training"]),
        ("sps", "def f():\n    import photoz.simulations.mock", ["simulations"]),
        ("survey", "if TYPE_CHECKING:\n    from photoz.pdf import MixturePDF", ["pdf"]),
        ("metrics", "from photoz import results_page, __version__", ["results_page"]),
        ("files", "from photoz.survey.keys import did_you_mean", ["survey"]),
        ("training", "from photoz.networks.deepz import DeepZ\nimport photoz.pdf", []),
        ("survey", "from photoz.files import InputError\nfrom photoz.survey import Band", []),
    ],
)
def test_what_the_test_finds(floor, source, names):
    assert [name for _, name in violations(floor, source)] == names


def test_the_guide_for_contributors_has_the_same_order():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paragraph = " ".join(text[text.index("Floors of the package") :].split("\n\n")[0].split())
    listed = re.findall(r"`(\w+)`", paragraph[paragraph.index("from the top") :])
    assert tuple(name for name in listed if name in FLOORS) == FLOORS
    top = text[text.index("Beside them") : text.index("## Style")]
    assert set(re.findall(r"`(\w+)`", top)) >= TOP | set(GROUND) - {"data"}
