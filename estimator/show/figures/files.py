"""Figures as files, and as SVG that stands inside a page.

Inside a page, black becomes the page's own text colour, so that a picture fits light and dark. Text
stays text, in the page's font. Ids get a prefix: several pictures stand in one page. Title and
description are what a screen reader says.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET  # only reads what matplotlib wrote here
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from estimator.export import atomically
from estimator.show.figures._look import BLACK

FORMATS = ("png", "svg")
DPI = 110
# A date or random ids in the file would make two runs of one question differ.
_METADATA: dict[str, Any] = {"svg": dict.fromkeys(("Date", "Creator", "Format", "Type"))}
# PreliZ, which a prior of the family Beta needs, sets `savefig.bbox` for the whole process.
_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "estimator",
    "hatch.linewidth": 0.8,
    "savefig.bbox": None,
}
_INK = "currentColor"
_SPACE = re.compile(r"\s+")
# What XML cannot hold at all, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FONT = re.compile(r"font-family: [^;]*;? ?")


def save_figure(
    figure: Figure, folder: Path, stem: str, formats: Sequence[str] = FORMATS, dpi: int = DPI
) -> list[Path]:
    """Write a figure in each format, each file in one step, and empty it; return the files.

    Parameters
    ----------
    figure
        Of no use afterwards.
    folder
        Made if it is not there.
    stem
        Name of the files before their ending.
    formats
        Endings that matplotlib knows.
    dpi
        Dots an inch of a PNG.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    written = []
    for ending in formats:

        def save(partial: Path, ending: str = ending) -> None:
            with partial.open("wb") as file:
                _write(figure, file, ending, dpi)

        written.append(atomically(folder / f"{stem}.{ending}", save))
        figure.set_layout_engine("none")  # it stays as it was worked out for the first file
    figure.clear()
    return written


def save_figures(
    figures: Iterable[tuple[str, Figure]], folder: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Write figures by the name of their file, each before the next is drawn."""
    return [path for stem, figure in figures for path in save_figure(figure, folder, stem, formats)]


def inline_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """Turn a figure into an inline SVG.

    Parameters
    ----------
    figure
        Drawn with the look `PAGE`.
    name
        Of the picture, unique in the page: letters, digits and hyphens.
    title, description
        What the picture is, and what it shows, in numbers.
    """
    written = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        # The reader's browser draws the letters, with its own fonts.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        _write(figure, written, "svg", DPI, transparent=True)
    svg = clean(written.getvalue().decode())
    root = ET.fromstring(svg)  # noqa: S314 - matplotlib wrote it just now
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        attributes = {_local(key): value for key, value in element.attrib.items()}
        if element.tag == "g":
            attributes.pop("id", None)  # nothing refers to a group
        element.attrib.clear()
        element.attrib.update({key: _fitted(key, value, name) for key, value in attributes.items()})
        if element.tag != "text":
            element.text = None
        element.tail = None
    _describe(root, name, title, description)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escapes text


def clean(text: object) -> str:
    """Take out characters that no XML can hold."""
    return _FORBIDDEN.sub("", str(text))


def _write(
    figure: Figure, file: BinaryIO, ending: str, dpi: int, *, transparent: bool = False
) -> None:
    with mpl.rc_context(_SETTINGS):
        figure.savefig(
            file, format=ending, dpi=dpi, transparent=transparent, metadata=_METADATA.get(ending)
        )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _fitted(key: str, value: str, name: str) -> str:
    """Fit an attribute into the page: its ids, its text colour, its font."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value.removeprefix('#')}"
    value = _FONT.sub("", value).replace("url(#", f"url(#{name}-").replace(BLACK, _INK)
    return _SPACE.sub(" ", value).strip()


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
            "fill": _INK,  # matplotlib writes no black fill
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    for tag, text in (("desc", description), ("title", title)):
        child = ET.Element(tag, {"id": f"{name}-{tag}"})
        child.text = clean(text)
        root.insert(0, child)
