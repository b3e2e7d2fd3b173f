"""Captions of the report: every one renders, without a reStructuredText warning."""

from pathlib import Path
from types import SimpleNamespace

import pytest

jinja2 = pytest.importorskip("jinja2", reason="comes with snakemake")
docutils = pytest.importorskip("docutils.core", reason="comes with snakemake")

FOLDER = Path(__file__).parents[2] / "workflow" / "report"
FIGURES = ["fig1", "fig2", "fig8", "fig9", "figD1", "fig_mock", "fig_training"]
JOB = SimpleNamespace(
    config={"name": "my_run"},
    params=SimpleNamespace(
        network={"features": 9, "components": 7}, catalogues=["paus_mock", "zcosmos"]
    ),
)


def render(name):
    source = (FOLDER / f"{name}.rst").read_text(encoding="utf-8")
    strict = jinja2.Environment(undefined=jinja2.StrictUndefined)
    text = strict.from_string(source).render(snakemake=JOB)
    settings = {"report_level": 1, "halt_level": 1}
    return docutils.publish_parts(text, writer_name="html", settings_overrides=settings)["body"]


pytestmark = pytest.mark.filterwarnings("ignore:Argument .writer_name:PendingDeprecationWarning")


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.rst")))
def test_captions_render(name):
    assert len(render(name)) > 50


def test_every_figure_has_a_caption_and_every_script_a_figure():
    assert {path.stem for path in FOLDER.glob("fig*.rst")} == set(FIGURES)
    scripts = {path.stem for path in (FOLDER.parents[1] / "scripts").glob("fig*.py")}
    assert scripts == set(FIGURES)


def test_numbers_in_captions_come_from_the_job():
    assert "9 features" in render("fig1") and "7 normal" in render("fig1")
    assert "paus_mock, zcosmos" in render("fig8")
    assert "my_run" in render("workflow")
