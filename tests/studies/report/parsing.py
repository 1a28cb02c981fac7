"""Read a page back with the standard library's parser."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = ("meta", "br", "img", "link", "input", "hr", "base", "source", "embed")


@dataclass
class Element:
    """An element of a page.

    Attributes
    ----------
    tag, attributes
        As they stand.
    children
        Elements directly in it.
    texts
        All text in it, piece by piece.
    """

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Elements in it, at any depth, in the order of the page; all if no tag is named."""
        found = []
        for child in self.children:
            if not tags or child.tag in tags:
                found.append(child)
            found += child.all(*tags)
        return found

    def by_id(self, name: str) -> Element:
        (found,) = (e for e in self.all() if e.attributes.get("id") == name)
        return found

    @functools.cached_property
    def text(self) -> str:
        """All text in it."""
        return "".join(self.texts)

    @property
    def words(self) -> str:
        """Its text with single spaces."""
        return " ".join(self.text.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"an attribute stands twice: {attrs}"
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)


@functools.lru_cache(maxsize=8)
def parse(page: str) -> Element:
    """Parse a page, each once; every element must be closed where it was opened."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert [e.tag for e in reader.open] == ["document"]
    return reader.root
