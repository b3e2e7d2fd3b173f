import colorsys
import subprocess
import sys

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from photoz.figures import fig2, style


def test_saving_twice_gives_the_same_bytes(tmp_path, metrics):
    for name in ("a", "b"):
        style.save(fig2.draw(metrics), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png", dpi=50)
    for suffix in ("pdf", "png"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"CreationDate" not in content
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_another_process_gives_the_same_bytes(tmp_path, metrics):
    metrics.to_parquet(tmp_path / "m.parquet")
    code = (
        "import pandas, sys; from photoz.figures import fig2, style; "
        "table = pandas.read_parquet('m.parquet'); "
        "style.save(fig2.draw(table), sys.argv[1] + '.pdf', sys.argv[1] + '.png', dpi=50); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    env = {"PYTHONHASHSEED": "2", "PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, "a"], cwd=tmp_path, env=env, check=True)
    style.save(fig2.draw(metrics), tmp_path / "b.pdf", tmp_path / "b.png", dpi=50)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_saved_width_is_the_column_width(tmp_path, metrics):
    style.save(fig2.draw(metrics), tmp_path / "a.pdf", tmp_path / "a.png", dpi=100)
    from matplotlib.image import imread

    assert imread(tmp_path / "a.png").shape[1] == round(100 * style.COLUMN_WIDTH)


def test_nothing_is_written_when_drawing_fails(tmp_path, metrics, monkeypatch):
    figure = fig2.draw(metrics)
    path = tmp_path / "a.pdf"
    monkeypatch.setattr(figure, "savefig", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        style.save(figure, path, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_the_readers_settings_neither_matter_nor_change(tmp_path, metrics):
    style.save(fig2.draw(metrics), tmp_path / "a.pdf", tmp_path / "a.png", dpi=50)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True}):
        before = dict(mpl.rcParams)
        style.save(fig2.draw(metrics), tmp_path / "b.pdf", tmp_path / "b.png", dpi=50)
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_known_variants_differ_in_colour_and_marker():
    names = ["deepz", "single", "no_pretraining", "no_autoencoder", "bcnz2", "knn"]
    styles = [style.variant_style(name) for name in names]
    assert len({s.color for s in styles}) == len({s.marker for s in styles}) == len(names)


def test_bcnz2_is_dashed_red_and_no_pretraining_dotted_as_in_the_paper():
    bcnz2 = style.variant_style("bcnz2")
    hue, _, _ = colorsys.rgb_to_hsv(*to_rgb(bcnz2.color))
    assert hue < 0.1 and bcnz2.linestyle == style.DASHED
    assert style.variant_style("no_pretraining").linestyle == style.DOTTED
    assert style.variant_style("deepz").linestyle == style.SOLID


def test_unknown_variants_have_a_style_that_depends_on_the_name_alone():
    first = style.variant_style("my_new_idea")
    style.variant_style("another")
    assert style.variant_style("my_new_idea") == first
    assert first.label == "My new idea"
    # A fixed choice, not Python's salted hash.
    assert (first.color, first.marker) == ("#CC79A7", "h")


def test_a_variant_of_a_variant_keeps_its_colour():
    full, tenth = style.variant_style("deepz"), style.variant_style("deepz_tenth")
    assert tenth.color == full.color and tenth.linestyle != full.linestyle
    assert tenth.line()["markerfacecolor"] == "white"
    assert tenth.label == "DEEPZ, 1/10 of data"
    alias, unknown = (
        style.variant_style("template_sims_tenth"),
        style.variant_style("fixed_snr_tenth"),
    )
    assert alias.label == "Template pretraining, 1/10 of data" and not alias.filled
    assert unknown.label == "Fixed SNR, 1/10 of data"
    assert unknown.color == style.variant_style("fixed_snr").color


@pytest.mark.parametrize(
    ("name", "title"),
    [("paus_mock", "PAUS mock"), ("zcosmos", "zCOSMOS"), ("my_field", "My field"), ("", "")],
)
def test_catalogue_titles(name, title):
    assert style.catalogue_title(name) == title


@pytest.mark.parametrize(("n", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (7, (3, 3))])
def test_panel_grid(n, shape):
    assert style.panel_grid(n) == shape


def test_a_legend_takes_fewer_columns_where_the_figure_is_narrow():
    new = style.figure(style.PAGE_WIDTH, 3)
    ax = new.subplots()
    for k in range(7):
        ax.plot([0, 1], label=f"a variant with a long name, number {k}")
    style.legend_above(new, [ax], columns=4)
    (legend,) = new.legends
    renderer = FigureCanvasAgg(new).get_renderer()
    assert legend.get_window_extent(renderer).width <= new.bbox.width
    assert [text.get_text()[-1] for text in legend.get_texts()] == list("0123456")
