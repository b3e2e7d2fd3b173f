"""Captions of the report: every one renders, without a reStructuredText warning."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from photoz.captions import caption_html
from photoz.files import InputError
from tests.workflow.rules import FIGURES, RULES, parameters

jinja2 = pytest.importorskip("jinja2", reason="comes with snakemake")
docutils = pytest.importorskip("docutils.core", reason="comes with snakemake")

FOLDER = Path(__file__).parents[2] / "workflow" / "report"


class Anything:
    """Stands for a parameter of any shape: a number, a list of names, a mapping."""

    def __getitem__(self, key):
        return self

    def __iter__(self):
        return iter(("first", "second"))

    def __str__(self):
        return "7"


def source(name):
    return (FOLDER / f"{name}.rst").read_text(encoding="utf-8")


def render(name, **params):
    """HTML of a caption; a parameter that its job does not have is an error."""
    names = parameters(RULES[name]) if name in FIGURES else ()
    params = dict.fromkeys(names, Anything()) | params
    job = SimpleNamespace(config={"name": "my_run"}, params=SimpleNamespace(**params))
    strict = jinja2.Environment(undefined=jinja2.StrictUndefined)
    text = strict.from_string(source(name)).render(snakemake=job)
    settings = {"report_level": 1, "halt_level": 1}
    return docutils.publish_parts(text, writer_name="html", settings_overrides=settings)["body"]


pytestmark = pytest.mark.filterwarnings("ignore:Argument .writer_name:PendingDeprecationWarning")


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.rst")))
def test_captions_render(name):
    assert len(render(name)) > 50


def test_every_figure_has_a_caption_and_every_script_a_figure():
    assert len(FIGURES) >= 7
    assert {path.stem for path in FOLDER.glob("fig*.rst")} == set(FIGURES)
    scripts = {path.stem for path in (FOLDER.parents[1] / "scripts").glob("fig*.py")}
    assert scripts == set(FIGURES)


def test_a_parameter_that_the_rule_does_not_give_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "fig8.rst").write_text("Drawn for {{ snakemake.params.catalogs }}.")
    monkeypatch.setattr("tests.figures.test_captions.FOLDER", tmp_path)
    with pytest.raises(jinja2.UndefinedError, match="catalogs"):
        render("fig8")


def test_the_report_of_one_file_renders_captions_as_snakemake_does(tmp_path):
    params = {"catalogues": ["paus_mock"]}
    text = caption_html(FOLDER / "fig8.rst", params, {"name": "x"})
    assert "for paus_mock. Dashed" in " ".join(text.split()) and text.startswith("<p>")
    assert "<math" in caption_html(FOLDER / "workflow.rst", {}, {"name": "x"})
    with pytest.raises(InputError, match=r"fig8\.rst: .*catalogues"):
        caption_html(FOLDER / "fig8.rst", {}, {})
    with pytest.raises(InputError, match="caption not found"):
        caption_html(tmp_path / "none.rst", {}, {})


def test_numbers_in_captions_come_from_the_job():
    text = render("fig1", network={"features": 9, "components": 7})
    assert "9 features" in text and "7 normal" in text
    assert "paus_mock, zcosmos" in render("fig8", catalogues=["paus_mock", "zcosmos"])
    assert "my_run" in render("workflow")
