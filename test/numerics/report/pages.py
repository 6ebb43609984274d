# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of pages: that they are well formed, fetch nothing, and say in words what they draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

_VOID = {"meta", "br", "wbr", "hr", "img", "input", "link"}
_SVG = "{http://www.w3.org/2000/svg}"


class _Balance(HTMLParser):
    """Fails at a tag that closes nothing, or another than was opened last."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> at {self.getpos()} after {self.open[-3:]}"
        self.open.pop()

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """`<path/>` opens nothing."""


def charts_of(page: str) -> list[ElementTree.Element]:
    """The charts of a page, each parsed as XML."""
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def check_page(page: str) -> None:
    """A whole page, or a part of one."""
    balance = _Balance()
    balance.feed(page)
    balance.close()
    assert not balance.open, balance.open
    assert not re.search(r"https?:|<script|<link|@import|url\(|src=|href=", page)
    assert "nan" not in re.findall(r'"[^"]*"', page.lower()), "a coordinate that is no number"
    for chart in charts_of(page):
        name = chart.get("aria-label")
        assert chart.get("role") == "img" and name and chart.findtext("title") == name
        _, _, width, height = map(float, chart.attrib["viewBox"].split())
        for mark in chart.iter("rect"):
            x, y, w, h = (float(mark.attrib[key]) for key in ("x", "y", "width", "height"))
            assert x >= -0.1 and y >= -0.1 and x + w <= width + 0.1 and y + h <= height + 0.1, name
            assert w >= 0 and h >= -0.05, name
        for text in chart.iter("text"):
            if "x" in text.attrib:
                assert -1 <= float(text.attrib["x"]) <= width + 1 and 0 <= float(text.attrib["y"]) <= height, name
                if text.get("text-anchor", "start") == "start":  # 6 units: the width of most letters
                    assert float(text.attrib["x"]) + 6 * len(text.text or "") <= width, f"'{text.text}' leaves {name}"
