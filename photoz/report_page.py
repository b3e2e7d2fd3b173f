"""The report: the results page, its figures with captions, and its configuration, in one file.

A static HTML page without scripts. Everything it shows is inside, and its policy forbids browsers
to load anything else, so that it opens the same on any machine, years later, without a network.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from photoz.files import InputError

VERDICTS = {"yes": "yes", "no": "no", "within errors": "open"}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 84rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 3rem; border-bottom: 1px solid #ccc; }
nav { background: #f4f6f8; padding: .6rem 1rem; } nav ul { columns: 3 14rem; margin: 0; }
a { color: #0b5cad; } p, li { max-width: 52rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left;
         vertical-align: top; }
th { background: #f4f6f8; } td:nth-child(n+2) { white-space: nowrap; }
td:first-child { min-width: 10rem; }
td.yes, td.no, td.open { font-weight: 600; }
td.yes { background: #d8f0e3; } td.no { background: #f8dcd3; } td.open { background: #f6f0d2; }
figure { margin: 2rem 0; } figure img { max-width: 100%; height: auto; display: block; }
figcaption { max-width: 52rem; font-size: .9rem; color: #333; }
pre { background: #f4f6f8; padding: 1rem; overflow-x: auto; font-size: .82rem; }
blockquote { border-left: 4px solid #d9a300; margin: 1rem 0; padding: 0 1rem; }
@media print { nav { display: none; } figure, tr { break-inside: avoid; } }
"""


def report(
    name: str,
    page: str,
    figures: Mapping[str, bytes],
    captions: Mapping[str, str],
    given: Mapping[str, Any],
    resolved: Mapping[str, Any],
) -> str:
    """Make the report of a run.

    Parameters
    ----------
    name : str
        The run's.
    page : str
        Markdown of its results page (`photoz.results_page.page`).
    figures : mapping of str to bytes
        PNG files by the figure's name.
    captions : mapping of str to str
        Their captions as HTML.
    given, resolved : mapping
        The configuration as the user gave it, and with every default filled in.

    Returns
    -------
    str
        A whole HTML document.

    Raises
    ------
    InputError
        If the page shows a figure that is not given, or one without a caption.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(page)
    contents: list[tuple[int, str, str]] = []
    taken: set[str] = set()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            title = tokens[index + 1].content
            token.attrSet("id", anchor := _anchor(title, taken))
            contents.append((int(token.tag[1]), anchor, title.replace("`", "")))
        elif token.type == "td_open" and tokens[index + 1].content in VERDICTS:
            token.attrSet("class", VERDICTS[tokens[index + 1].content])
    tokens = _with_figures(tokens, figures, captions)
    body = reader.renderer.render(tokens, reader.options, {})
    body = body.replace("<table>", '<div class="scroll"><table>')
    body = body.replace("</table>", "</table></div>")
    contents.append((2, "configuration", "Configuration"))
    links = [f'<li><a href="#{anchor}">{html.escape(title)}</a></li>'
             for level, anchor, title in contents if level == 2]  # fmt: skip
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>photoz: {html.escape(name)}</title>",
            f"<style>{STYLE}</style></head><body>",
            f"<nav><ul>{''.join(links)}</ul></nav>",
            body,
            _configuration(given, resolved),
            "</body></html>\n",
        ]
    )


def _with_figures(
    tokens: list[Token], figures: Mapping[str, bytes], captions: Mapping[str, str]
) -> list[Token]:
    """Put figures with captions in the place of paragraphs that are an image."""
    made: list[Token] = []
    skip = 0
    for index, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        inner = tokens[index + 1].children if token.type == "paragraph_open" else None
        if inner and len(inner) == 1 and inner[0].type == "image":
            name = inner[0].content
            if name not in figures or name not in captions:
                what = "no caption" if name in figures else "not given"
                raise InputError(f"report: figure {name}: {what}; make it again")
            block = Token("html_block", "", 0)
            block.content = _figure(name, figures[name], captions[name])
            made.append(block)
            skip = 2
        else:
            made.append(token)
    return made


def _figure(name: str, png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure id="{html.escape(name)}"><img src="data:image/png;base64,{data}" '
        f'alt="{html.escape(name)}"><figcaption><strong>{html.escape(name)}</strong>\n{caption}'
        "</figcaption></figure>\n"
    )


def _configuration(given: Mapping[str, Any], resolved: Mapping[str, Any]) -> str:
    parts = [
        '<h2 id="configuration">Configuration</h2>',
        "<p>What made this run, with the command at the top.</p>",
        f"<pre>{html.escape(_yaml(given))}</pre>",
        "<details><summary>Every key, defaults filled in</summary>",
        f"<pre>{html.escape(_yaml(resolved))}</pre></details>",
    ]
    return "\n".join(parts)


def _yaml(config: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(config))  # no tags for other kinds of mappings
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def _anchor(title: str, taken: set[str]) -> str:
    """A name for a heading that no other has."""
    base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
    name, number = base, 1
    while name in taken or name == "configuration":
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name
