"""From a matplotlib figure to SVG that stands inside a page.

Ink becomes the page's own text colour, so that a picture fits light and dark. Text stays text, in
the page's font. Ids get a prefix: several pictures stand in one page. Title and description are
what a screen reader says.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
import xml.etree.ElementTree as ET  # only reads what matplotlib wrote here
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the text colour of the page."""

_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "estimator",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.8,
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
}
_METADATA = {name: None for name in ("Date", "Creator", "Format", "Type")}
_SPACE = re.compile(r"\s+")
# What XML cannot hold at all, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


@dataclass(frozen=True)
class Chart:
    """A picture in a page.

    Attributes
    ----------
    svg
        The picture.
    caption
        Its heading.
    note
        What stands below it.
    failed
        Whether it shows a set that failed its diagnostics.
    """

    svg: Markup
    caption: str
    note: str = ""
    failed: bool = False


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with the settings that `inline_svg` counts on."""
    with mpl.rc_context(_RC), warnings.catch_warnings():
        # The reader's browser draws the letters, with its own fonts.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        yield


def clean(text: object) -> str:
    """Take out characters that no XML can hold."""
    return _FORBIDDEN.sub("", str(text))


def inline_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """Turn a figure into an inline SVG.

    Parameters
    ----------
    figure
        Drawn inside `drawing`.
    name
        Of the picture, unique in the page: letters, digits and hyphens.
    title, description
        What the picture is, and what it shows, in numbers.
    """
    written = io.BytesIO()
    figure.savefig(written, format="svg", transparent=True, metadata=_METADATA)
    root = ET.fromstring(written.getvalue())  # noqa: S314 - matplotlib wrote it just now
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style") or _is_frame(child):
                parent.remove(child)
    numbers = itertools.count(1)
    ids = {
        element.attrib["id"]: f"{name}-{next(numbers)}"
        for element in root.iter()
        if "id" in element.attrib
    }
    used = _used_ids(root)
    for element in root.iter():
        element.tag = _local(element.tag)
        attributes = {_local(key): value for key, value in element.attrib.items()}
        if "id" in attributes:
            old = attributes.pop("id")
            if old in used:
                attributes["id"] = ids[old]
        element.attrib.clear()
        element.attrib.update({key: _fitted(value, ids) for key, value in attributes.items()})
        if element.text and element.tag != "text":
            element.text = None
        element.tail = None
    _describe(root, name, title, description)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escapes text


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _is_frame(element: ET.Element) -> bool:
    """Whether it is the figure's or an axes' background, which is not painted."""
    paths = [e for e in element.iter() if _local(e.tag) == "path"]
    return (
        element.attrib.get("id", "").startswith("patch_")
        and len(paths) == 1
        and paths[0].attrib.get("style") == "fill: none"
    )


def _used_ids(root: ET.Element) -> set[str]:
    used = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            used |= set(_REFERENCE.findall(value))
            if _local(key) == "href":
                used.add(value.removeprefix("#"))
    return used


def _fitted(value: str, ids: dict[str, str]) -> str:
    if value.startswith("#") and value[1:] in ids:
        return f"#{ids[value[1:]]}"
    value = _REFERENCE.sub(lambda found: f"url(#{ids.get(found[1], found[1])})", value)
    value = re.sub(r"font-family: [^;]*;? ?", "", value)
    return _SPACE.sub(" ", value.replace(INK, "currentColor")).strip()


def _describe(root: ET.Element, name: str, title: str, description: str) -> None:
    _, _, width, height = root.attrib["viewBox"].split()
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {width} {height}",
            "width": "100%",
            "role": "img",
            "aria-labelledby": f"{name}-title",
            "aria-describedby": f"{name}-desc",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    for tag, text in (("desc", description), ("title", title)):
        child = ET.Element(tag, {"id": f"{name}-{tag}"})
        child.text = clean(text)
        root.insert(0, child)
