"""The report: everything inside one file, in any browser, without a network."""

import json
import re
import shutil
import subprocess
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from photoz.files import InputError
from photoz.report_page import report
from tests.report_reader import read_page

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PAGE = """# Results of `night`

Made by photoz 0.1.0, code `ab12`, with `snakemake all --cores 2`.

> **Note:** two codes

## The paper's conclusions

| conclusion | verdict | ratio |
|---|---|---|
| Pretraining helps. | yes | 0.9 ± 0.1 |
| Mixup <b>does not</b>. | no | 0.8 \\| 0.1 |
| Ensembles help. | within errors | - |

## sky

Some numbers.

## sky

Others of a catalogue with the same name.

## Figures

![fig2](figures/fig2.png)

![fig8](figures/fig8.png)
"""


def png(color):
    figure = Figure(figsize=(0.6, 0.4))
    figure.set_facecolor(color)
    stream = BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


FIGURES = {"fig2": png("red"), "fig8": png("blue")}
CAPTIONS = {"fig2": "<p>Scatter of <em>all</em>.</p>", "fig8": "<p>PIT.</p>"}
GIVEN = {"name": "night", "noise": {"bright": {}}, "description": "<script>alert(1)</script>"}


def make_report(page=PAGE, figures=FIGURES, captions=CAPTIONS):
    return report("night", page, figures, captions, GIVEN, GIVEN | {"seed": 1})


def test_links_lead_to_names_of_the_page_and_nothing_leaves_it():
    page = read_page(make_report())
    assert page.outside == [] and page.broken == []
    assert len(page.links) >= 4
    assert len(set(page.ids)) == len(page.ids), "a name is used twice"
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    assert "default-src 'none'" in make_report()


def test_figures_are_inside_with_their_captions():
    page = read_page(make_report())
    assert page.images == list(FIGURES.values())
    assert "Scatter of all ." in page.text and "PIT." in page.text
    assert [name for name in page.ids if name in FIGURES] == ["fig2", "fig8"]


def test_verdicts_can_be_told_apart_and_text_cannot_become_markup():
    page = read_page(make_report())
    cells = [cell for cell in page.cells if cell[0]]
    assert cells == [("yes", "yes"), ("no", "no"), ("open", "within errors")]
    assert (None, "Mixup <b>does not</b>.") in page.cells
    assert (None, "0.8 | 0.1") in page.cells


def test_the_configuration_is_there_as_given_and_in_full():
    page = read_page(make_report())
    assert page.text.count("name: night") == 2 and page.text.count("seed: 1") == 1
    assert "<script>alert(1)</script>" in page.text  # as text


def test_the_same_run_gives_the_same_bytes():
    assert make_report() == make_report()


def test_a_figure_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="fig8: not given"):
        make_report(figures={"fig2": FIGURES["fig2"]})
    with pytest.raises(InputError, match="fig2: no caption"):
        make_report(captions={"fig8": ""})


def test_the_reader_sees_what_would_leave_the_page():
    text = make_report().replace(
        "<nav>", '<nav><a href="https://example.org">x</a><img src="a.png">'
    )
    assert [tag for tag, _, _ in read_page(text).outside] == ["a", "img"]
    assert read_page('<a href="#nowhere">x</a>').broken == ["nowhere"]
    with pytest.raises(AssertionError, match="closes another"):
        read_page("<p><em>x</p></em>")


def browse(folder, page, *arguments):
    """Open a page in Chromium: what it prints, and the addresses that the page itself asked for.

    The browser asks for things of its own; its log tells who asked. Nothing is reached either way.
    """
    path, log = folder / "page.html", folder / "net.json"
    path.write_text(page, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"]
    command += ["--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>"]
    result = subprocess.run(
        [*command, *arguments, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    events = json.loads(log.read_text())["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    return result.stdout, [p["url"] for p in asked if p["initiator"] != "not an origin"]


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium installed")


@needs_browser
def test_a_browser_renders_it_and_asks_for_no_network(tmp_path):
    dom, asked = browse(tmp_path, make_report(), "--dump-dom")
    assert asked == []
    page = read_page(dom)
    assert page.images == list(FIGURES.values()) and page.broken == []
    assert ("yes", "yes") in page.cells
    picture = tmp_path / "page.png"
    browse(tmp_path, make_report(), f"--screenshot={picture}", "--window-size=1000,1800")
    drawn = imread(picture)[..., :3]
    for color in ((1, 0, 0), (0, 0, 1)):
        assert (np.abs(drawn - color).max(axis=-1) < 0.02).sum() > 500, color


@needs_browser
def test_what_would_ask_is_seen_and_the_policy_stops_it(tmp_path):
    image = '<img src="http://127.0.0.1:9/x.png" alt="x">'
    text = make_report().replace("</nav>", f"</nav>{image}")
    open_page = re.sub(r"<meta http-equiv=[^>]*>", "", text)
    assert browse(tmp_path, open_page, "--dump-dom")[1] == ["http://127.0.0.1:9/x.png"]
    assert browse(tmp_path, text, "--dump-dom")[1] == []
