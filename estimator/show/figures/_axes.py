"""What axes of all pictures share: units, bands, ranges in rows, names beside rows, legends."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from estimator.quantity import PER_MONTH, QUANTILES
from estimator.show.figures._look import (
    BLACK,
    BLUE,
    GREY,
    NOTE_RED,
    PAPER,
    SMALL_SIZE,
    TEXT_SIZE,
    Look,
    new_figure,
)
from estimator.show.number import fixed, significant

LEVELS = tuple(QUANTILES.values())
RANGES_TEXT = "90 % and 50 % ranges"

PERSONS = "persons"
_SIZES = {
    PER_MONTH: (1000.0, "thousand persons per month"),
    PERSONS: (1000.0, "thousand persons"),
    "share": (0.01, "share, %"),
    "probability": (0.01, "probability, %"),
}
COLUMNS = 3  # panels beside each other on paper
MANY = 16  # rows from which on they are narrow and their names small
_NAMED = 4  # failed sets that are named with their reason
_LEGEND_WIDTH = 44  # characters of a line of a legend below a picture of a page
_BAND_ALPHAS = (0.22, 0.38)
_NAME = 22  # characters of a name beside a row inside a page
_CHARACTER = 0.085  # inches of a character of text, more or less

Axis = Literal["x", "y"]


# ---- numbers and units ----------------------------------------------------------------------


def in_unit(unit: str) -> tuple[float, str]:
    """Return what an axis in a unit divides its numbers by, and its label."""
    return _SIZES.get(unit, (1.0, unit))


def show_unit(ax: Axes, axis: Axis, unit: str, *, label: str | None = None, ticks: int = 5) -> None:
    """Write ticks in the size of their unit, and the unit beside the axis.

    Parameters
    ----------
    unit
        Of the numbers that are drawn: persons are shown in thousands, shares in per cent.
    label
        In place of the unit.
    """
    size, name = in_unit(unit)
    target = ax.xaxis if axis == "x" else ax.yaxis
    target.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    target.set_major_formatter(FuncFormatter(lambda value, _: significant(value / size, 6)))
    target.set_label_text(name if label is None else label, fontsize=TEXT_SIZE)


def plain_ticks(ax: Axes, axis: Axis) -> None:
    """Write the ticks that are there as plain numbers."""
    target = ax.xaxis if axis == "x" else ax.yaxis
    target.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 10)))


def range_text(samples: xr.DataArray, unit: str, *, digits: int = 1) -> str:
    """Median and 90 % range of a scalar in the size of its unit: ``33.4 (90 %: 31.0 to 36.2)``."""
    low, _, middle, _, high = (
        fixed(q / in_unit(unit)[0], digits) for q in quantiles(samples).values
    )
    return f"{middle} (90 %: {low} to {high})"


def heading(answer: str) -> str:
    """Write an answer as words: ``net_change[2026-01]`` is net change, 2026-01."""
    return answer.replace("_", " ").replace("[", ", ").replace("]", "")


def shorten(text: str, most: int) -> str:
    """Cut the middle of a text that is too long: what tells long names apart is at their end."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


# ---- marks ----------------------------------------------------------------------------------


def quantiles(samples: xr.DataArray) -> xr.DataArray:
    """Quantiles over the draws at `LEVELS`. (quantile, ...)."""
    return samples.quantile(list(LEVELS), dim=["chain", "draw"])


def draw_band(
    ax: Axes,
    x: np.ndarray,
    bands: np.ndarray,
    *,
    color: str = BLUE,
    label: str | None = None,
    linewidth: float = 1.5,
    linestyle: str = "-",
) -> None:
    """Draw the 90 % band, the 50 % band and the median. bands: (quantile, time)."""
    low, lower, middle, upper, high = bands
    for ends, alpha in zip(((low, high), (lower, upper)), _BAND_ALPHAS, strict=True):
        ax.fill_between(x, *ends, color=color, alpha=alpha, linewidth=0)
    ax.plot(x, middle, color=color, linewidth=linewidth, linestyle=linestyle, label=label)


def draw_ranges(
    ax: Axes,
    y: np.ndarray,
    ranges: np.ndarray,
    *,
    color: str = BLUE,
    marker: str = "o",
    size: float = 5.0,
    hollow: bool = False,
) -> None:
    """Draw 90 % and 50 % ranges and medians in rows. ranges: (row, quantile).

    Hollow ones are dashed too: they can be told apart without colour.
    """
    low, lower, middle, upper, high = np.asarray(ranges, dtype=float).reshape(-1, 5).T
    ax.hlines(y, low, high, color=color, linewidth=1.1, linestyles="--" if hollow else "-")
    ax.hlines(y, lower, upper, color=color, linewidth=3.2)
    ax.plot(
        middle, y, marker, color=color, markersize=size, markeredgecolor=BLACK,
        markerfacecolor="none" if hollow else color, markeredgewidth=0.8,
    )  # fmt: skip


# ---- axes -----------------------------------------------------------------------------------


def tidy(ax: Axes, grid: Axis = "y") -> None:
    """Take away the frame's upper and right sides, add a faint grid and set the text sizes."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(visible=False)
    ax.grid(visible=True, axis=grid, color=GREY, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=TEXT_SIZE - 1)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_fontsize(TEXT_SIZE)


def panels(
    count: int, row_height: float, look: Look, *, columns: int = COLUMNS, margin: float = 0.9
) -> tuple[Figure, list[Axes]]:
    """Make a figure with so many panels, row by row; inside a page below each other.

    Parameters
    ----------
    row_height
        Of a panel with its labels, in inches.
    margin
        Inches for the text around the axes.
    """
    columns = min(columns, max(count, 1)) if look.framed else 1
    rows = max(-(-count // columns), 1)
    figure = new_figure(rows * row_height + (margin if look.framed else 0.0), look)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.remove()
    return figure, list(axes[:count])


def row_height(names: Sequence[str]) -> float:
    """Inches of a row that is named beside it, on one line or several."""
    lines = max((name.count("\n") + 1 for name in names), default=1)
    return max(0.26 if len(names) <= MANY else 0.17, 0.05 + 0.13 * lines)


def heading_of_rows(heading: str, height: float) -> tuple[str, str]:
    """Place what names of rows are made of: beside rows of a height in inches, or in a note."""
    if len(heading) * _CHARACTER <= height:
        return heading, ""
    return "", f"Names: {heading}. "


def name_rows(
    ax: Axes,
    y: np.ndarray,
    names: Sequence[str],
    *,
    failed: Collection[str] = (),
    bold: str = "",
    shown: bool = True,
    heading: str = "",
    look: Look = PAPER,
) -> None:
    """Write names beside rows; failed ones with a cross and, on paper, in red.

    The heading says what all of them are made of.
    """
    if shown and heading:
        ax.set_ylabel(heading, fontsize=TEXT_SIZE)
    texts = [f"✗ {name}" if name in failed else name for name in names]
    if not look.framed:
        texts = [shorten(" ".join(text.split()), _NAME) for text in texts]
    ax.set_yticks(y, texts if shown else [""] * len(texts))
    ax.tick_params(axis="y", length=0)
    size = TEXT_SIZE - 1 if len(names) <= MANY else SMALL_SIZE
    for label, name in zip(ax.get_yticklabels(), names, strict=True):
        label.set_fontsize(size)
        label.set_fontweight("bold" if name == bold else "normal")
        if name in failed and look.framed:
            label.set_color(NOTE_RED)


def shade_groups(ax: Axes, y: pd.Series, groups: pd.Series) -> None:
    """Shade every other group of rows, and name each beside its uppermost row."""
    for i, (name, rows) in enumerate(y.groupby(groups)):
        if i % 2 == 0:
            ax.axhspan(rows.min() - 0.5, rows.max() + 0.5, color=GREY, alpha=0.08, linewidth=0)
        ax.annotate(
            str(name), (1.005, float(rows.max())), xycoords=("axes fraction", "data"),
            fontsize=SMALL_SIZE, va="center", fontweight="bold",
        )  # fmt: skip


def mark_zero(ax: Axes, axis: Axis = "x") -> None:
    """Draw a line at zero, if zero is within the axis."""
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    if low < 0 < high:
        draw = ax.axvline if axis == "x" else ax.axhline
        draw(0, color=BLACK, linewidth=0.8, zorder=1)


def legend(
    ax: Axes,
    look: Look = PAPER,
    *,
    handles: Sequence[Artist] | None = None,
    title: str | None = None,
    columns: int = 2,
) -> None:
    """Put the legend where it hides nothing: right of the axes, inside a page below them.

    Below, it takes fewer columns, and at last breaks its lines, until it is no wider than the page.
    """
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    if not shown:
        return
    style = {"fontsize": SMALL_SIZE, "frameon": False, "title": title, "alignment": "left"}
    style["title_fontsize"] = SMALL_SIZE
    if look.framed:
        ax.legend(handles=shown, loc="upper left", bbox_to_anchor=(1.01, 1.0), **style)
    else:
        figure = ax.figure
        labels = [str(handle.get_label()) for handle in shown]
        narrow = [wrapped(label, _LEGEND_WIDTH) for label in labels]
        tries = [(count, labels) for count in range(columns, 0, -1)] + [(1, narrow)]
        for count, texts in tries:
            made = figure.legend(shown, texts, loc="outside lower center", ncols=count, **style)
            if made.get_window_extent().width <= figure.bbox.width or texts is narrow:
                break
            made.remove()


# ---- failed sets ----------------------------------------------------------------------------


def failures_in(table: pd.DataFrame) -> dict[str, str]:
    """Reasons why sets failed by their names, from the column `failures` of a table."""
    failed = table[table["failures"] != ""].drop_duplicates("assumption_set")
    return dict(zip(failed["assumption_set"], failed["failures"], strict=True))


def failure_text(failures: Mapping[str, str]) -> str:
    """Name the sets whose diagnostics failed, the first few with their reason."""
    named = [f"{name}: {text}" for name, text in list(failures.items())[:_NAMED]]
    rest = [f"and {len(failures) - _NAMED} more"] if len(failures) > _NAMED else []
    return "; ".join([*named, *rest])


def wrapped(text: str, width: int) -> str:
    """Break a line that is too long for an axis."""
    return "\n".join(textwrap.wrap(text, width))
