"""How every picture looks: one palette, sizes, two looks, and the lines of text around the axes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

# Okabe and Ito's palette, which colour-blind readers can tell apart. Yellow is too pale for lines.
# Inside a page black becomes the page's text colour.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#6E6E6E"
NOTE_RED = "#B00020"
SEEN_ON_BOTH = (BLUE, VERMILION, GREEN, GREY)
"""Colours with a contrast of 3 or more on the page's light and on its dark ground."""
COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY, BLACK)
"""Colours of series, in the order in which they are used up."""
DASHES = ("-", "--", ":", "-.")

TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 12.0, 9.0, 7.8
_MARGIN = 0.1  # inches between the edge and the lines of text


@dataclass(frozen=True)
class Look:
    """Where a picture is seen.

    Attributes
    ----------
    width
        Width of a figure in inches. Letters have the same size in both looks: a page stretches its
        narrow pictures, so that they can be read on a phone.
    framed
        Whether title, failed diagnostics and notes are written around the axes. A page writes them
        itself.
    """

    width: float
    framed: bool


PAPER = Look(11.0, framed=True)
PAGE = Look(3.5, framed=False)
WIDE = Look(8.0, framed=False)
"""The large picture of a page, where the screen or the paper is wide enough."""


def color_of(number: int) -> str:
    """Colour of a series by its number."""
    return COLORS[number % len(COLORS)]


def dash_of(number: int) -> str:
    """Dashes of a series by its number: they change when all colours are used up."""
    return DASHES[number // len(COLORS) % len(DASHES)]


def new_figure(height: float, look: Look = PAPER, width: float | None = None) -> Figure:
    """Make a figure of a size in inches, outside pyplot's global state."""
    return Figure(figsize=(look.width if width is None else width, height), layout="constrained")


def group(result: xr.DataTree, name: str) -> xr.Dataset:
    """Read a group of a result as a dataset."""
    return result[name].to_dataset()


def failure_of(result: xr.DataTree) -> str:
    """Failed diagnostics of a result; empty if all passed.

    A result that does not say whether its diagnostics passed counts as failed.
    """
    if str(result.attrs.get("diagnostics_ok")) == "true":
        return ""
    return str(result.attrs.get("diagnostics_failures", "not recorded"))


def frame_result(
    fig: Figure,
    result: xr.DataTree,
    title: str,
    *,
    notes: Sequence[str] = (),
    ranges: str = "90 % and 50 % ranges",
    look: Look = PAPER,
) -> Figure:
    """Frame the picture of one result, with the name of its set and what its ranges are below."""
    footer = f"{result.attrs.get('assumption_set', 'unnamed set')} · {ranges}"
    return frame(fig, title, failure=failure_of(result), notes=[*notes, footer], look=look)


def frame(
    fig: Figure,
    title: str,
    *,
    failure: str = "",
    notes: Sequence[str] = (),
    look: Look = PAPER,
) -> Figure:
    """Write title, failed diagnostics and notes in margins that the axes cannot reach.

    All text of the figure is taken as it is: a name may hold a dollar sign.
    """
    if look.framed:
        width, height = fig.get_size_inches()
        top = _write_top(fig, title, f"diagnostics failed: {failure}" if failure else "")
        lines = [line for note in notes for line in textwrap.wrap(note, int(width * 15))]
        fig.text(
            _MARGIN / width, 0.06 / height, "\n".join(lines), fontsize=SMALL_SIZE, color=GREY,
            va="bottom",
        )  # fmt: skip
        bottom = 0.16 + 0.135 * len(lines)
        rect = (0.003, bottom / height, 0.994, (height - top - bottom) / height)
        fig.set_layout_engine(ConstrainedLayoutEngine(rect=rect, hspace=0.06, wspace=0.04))
    else:
        fig.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.03))
    for text in fig.findobj(Text):
        text.set_parse_math(False)
    return fig


def _write_top(fig: Figure, title: str, failure: str) -> float:
    """Write title and failure note; return the inches they take."""
    width, height = fig.get_size_inches()
    top = _MARGIN
    for text, size, color, per_inch in (
        (title, TITLE_SIZE, BLACK, 8.2),
        (failure, TEXT_SIZE, NOTE_RED, 11.0),
    ):
        if text:
            lines = textwrap.wrap(text, int(width * per_inch))
            fig.text(
                _MARGIN / width, 1 - top / height, "\n".join(lines), fontsize=size, color=color,
                va="top", fontweight="bold",
            )  # fmt: skip
            top += len(lines) * size * 1.35 / 72 + 0.05
    return top
