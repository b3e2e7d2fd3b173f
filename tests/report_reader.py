"""A report as a browser would see it: its text, names, images, and what it points at."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

#: Attributes through which a page can load or lead to something.
POINTING = ("src", "href", "srcset", "action", "data", "poster", "background", "cite", "formaction")
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """What was read of a page.

    `ids` in order; `images`, the bytes of each; `links`, anchors within the page; `outside`,
    whatever points elsewhere; `cells`, (class, text) of the table cells; `unclosed`, open tags.
    """

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.outside, self.images, self.tags = [], [], [], [], []
        self.cells, self.unclosed, self._words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        if tag not in VOID:
            self.unclosed.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "td":
            self.cells.append((given.get("class"), ""))
        for name in POINTING:
            value = given.get(name)
            if value is None:
                continue
            if value.startswith("#"):
                self.links.append(value[1:])
            elif name == "src" and value.startswith("data:image/png;base64,"):
                self.images.append(base64.b64decode(value.partition(",")[2], validate=True))
            else:
                self.outside.append((tag, name, value[:80]))
        if "url(" in given.get("style", ""):
            self.outside.append((tag, "style", given["style"]))

    def handle_endtag(self, tag):
        assert self.unclosed and self.unclosed.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        self._words.append(data)
        if self.unclosed and self.unclosed[-1] == "td":
            self.cells[-1] = (self.cells[-1][0], self.cells[-1][1] + data)
        if self.unclosed and self.unclosed[-1] == "style" and ("url(" in data or "@import" in data):
            self.outside.append(("style", "text", data[:80]))

    @property
    def text(self):
        return " ".join(" ".join(self._words).split())

    @property
    def broken(self):
        """Links that lead to no name of the page."""
        return [link for link in self.links if link not in self.ids]


def read_page(text):
    """Read a page to its end."""
    page = Page()
    page.feed(text)
    page.close()
    assert page.unclosed == []
    return page
