"""Specification curve: the answer of each set of a sweep, and below it what the set assumed.

After Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4: all defensible answers in
their order, and which choices stand where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.quantity import QUANTILES
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.figures._levels import Levels
from estimator.show.number import count, probability, significant

FEW = 7  # levels of a number that have a row each; of more the height says which it is
_SINGLE = 60  # sets whose ranges are drawn one by one
_DOTS = 150  # sets that are dots; more are ticks
_BAND = 2.9  # rows of a number with many levels
_ROW = {True: 0.19, False: 0.17}  # inches of a row on paper and inside a page
_TOP = {True: 2.9, False: 1.7}  # inches of the answers
_NAME = {True: 26, False: 18}  # characters of a level
_USUAL = 2 / 3  # share of the sets: a level that more of them have is said once, and not marked
_WINDOW = 10  # the middle of a number is taken among one set in so many
_MARGIN = 0.006  # of all columns, at both ends
# Of all columns: the space before the sets without an answer, and the least that these take.
_APART = 0.015


def plot_specification(
    table: pd.DataFrame,
    levels: Levels,
    *,
    reference: str = "",
    notes: Sequence[str] = (),
    look: style.Look = style.PAPER,
) -> Figure:
    """Plot the answers of many sets in their order, and the level of each assumption below.

    Parameters
    ----------
    table
        A row a set: `assumption_set` (the name shown), `answer`, `unit`, `q05` to `q95`,
        `failures`; of a probability only `q50` is known. One answer. A set without `q50` has no
        answer: it stands apart, to the right.
    levels
        What each assumption was in each set; those that are drawn, from top to bottom. (set,).
    reference
        Name of a set that is marked.
    notes
        Further lines below.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure
        Axes of the answers, and of the levels: of options and of few numbers a row each, of more
        numbers one band in which the height says which it is.

    Raises
    ------
    ValueError
        If no set has an answer.
    """
    middle = table["q50"].to_numpy(dtype=float)
    order = np.argsort(middle, kind="stable")  # NaN comes last
    known = int(np.isfinite(middle).sum())
    if not known:
        raise ValueError("plot_specification needs at least one answer. Got none.")
    x = _columns(len(order), known)
    bands = list(_bands(levels, order, look))
    height = _ROW[look.framed] * sum(band.height for band in bands)
    figure = style.new_figure(_TOP[look.framed] + height + (1.2 if look.framed else 0.4), look)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[_TOP[look.framed], height])
    _draw_answers(above, x, table.iloc[order], known, look)
    _draw_levels(below, x, bands, known, look)
    at = np.flatnonzero(table["assumption_set"].to_numpy()[order[:known]] == reference)
    for ax in (above, below):
        if len(at):
            ax.axvline(x[at[0]], color=style.ORANGE, linewidth=0.9, linestyle="--", zorder=0)
        if known < len(order):
            half = (x[known] - x[known - 1]) / 2
            ax.axvspan(x[known] - half, 2 * x[-1], color=style.GREY, alpha=0.15, linewidth=0)
    failures = axes.failures_in(table)
    texts = [
        f"Each column is one of {len(order):,} sets: above its answer"
        + (f" with {axes.RANGES_TEXT}" if np.isfinite(table["q05"]).any() else "")
        + ", in rising order; below what it assumes."
    ]
    if any(band.usual for band in bands):
        texts.append("A set without a mark has what is named after else.")
    if not all(band.rows for band in bands):
        texts.append("Heights of dots: from the lowest to the highest value.")
        if known > _SINGLE:
            texts.append("Lines: their middle among a tenth of the sets.")
    if (table["failures"][np.isfinite(middle)] != "").any():
        texts.append("Crosses: its diagnostics failed.")
    if known < len(order):
        texts.append(f"Shaded: {count(len(order) - known, 'set')} without an answer.")
    if len(at):
        texts.append(f"Dashed: {reference}.")
    return style.frame(
        figure,
        _title(table, middle[order[:known]]),
        failure=axes.failure_text(failures),
        notes=[" ".join(texts), *notes],
        look=look,
    )


def _title(table: pd.DataFrame, middle: np.ndarray) -> str:
    """Say how far the answers lie apart."""
    answer, unit = str(table["answer"].iloc[0]), str(table["unit"].iloc[0])
    if unit == "probability":
        half = int((middle >= 0.5).sum())
        return (
            f"{answer}: from {probability(middle[0])} to {probability(middle[-1])}; "
            f"one half or more in {half:,} of {count(len(middle), 'set')}"
        )
    size, label = axes.in_unit(unit)
    low, high = (significant(value / size, 3) for value in middle[[0, -1]])
    text = f"{axes.heading(answer)}: medians of {count(len(middle), 'set')} from {low} to {high}"
    below = int((middle < 0).sum())
    sign = f", {below:,} of them below 0" if 0 < below < len(middle) else ""
    return f"{text} {label.rpartition(', ')[2]}{sign}"


# ---- answers --------------------------------------------------------------------------------


def _columns(total: int, known: int) -> np.ndarray:
    """Places of the sets, those without an answer apart from the others."""
    apart = max(1.0, _APART * total)
    left = total - known
    step = max(1.0, apart / left) if left else 1.0
    return np.concatenate([np.arange(known), known - 1 + 1.5 * apart + step * np.arange(left)])


def _draw_answers(
    ax: Axes, x: np.ndarray, rows: pd.DataFrame, known: int, look: style.Look
) -> None:
    """Draw the answers that there are. rows: in their order."""
    place = x[:known]
    low, lower, middle, upper, high = rows[list(QUANTILES)].to_numpy(dtype=float)[:known].T
    failed = (rows["failures"] != "").to_numpy()[:known]
    single = known <= _SINGLE
    if single:
        thin: dict[str, Any] = {"color": style.BLUE, "linewidth": 1.1}
        ax.vlines(place[~failed], low[~failed], high[~failed], **thin)
        ax.vlines(place[failed], low[failed], high[failed], linestyles=":", **thin)
        ax.vlines(place, lower, upper, color=style.BLUE, linewidth=3.0)
    else:
        axes.draw_band(ax, place, np.stack([low, lower, middle, upper, high]))
    size = 5.0 if single else 2.2
    ax.plot(place[~failed], middle[~failed], "o", color=style.BLUE, markersize=size,
            markeredgewidth=0)  # fmt: skip
    ax.plot(place[failed], middle[failed], "x", color=style.VERMILION, markersize=6.0)
    unit = str(rows["unit"].iloc[0])
    if unit == "probability":
        ax.set_ylim(-0.03, 1.03)
    axes.tidy(ax)
    axes.show_unit(ax, "y", unit)
    if not look.framed:
        ax.yaxis.label.set_fontsize(style.SMALL_SIZE)
    if unit == "probability":
        ax.axhline(0.5, color=style.BLACK, linewidth=0.8, zorder=1)
    else:
        axes.mark_zero(ax, "y")
    ax.tick_params(axis="x", length=0, labelbottom=False)


# ---- levels ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Band:
    """One assumption below the answers.

    Attributes
    ----------
    name
        Of the assumption.
    codes
        Number of the level. (set,), in the order of the sets.
    texts
        Levels in words.
    rows
        Levels that have a row each, from top to bottom; empty where the height says which it is.
    usual
        The level that most sets have, if it has no row.
    head
        Rows above these for the name.
    """

    name: str
    codes: np.ndarray
    texts: tuple[str, ...]
    rows: tuple[int, ...]
    usual: str
    head: float

    @property
    def height(self) -> float:
        """In rows."""
        return self.head + (len(self.rows) + 0.3 if self.rows else _BAND)


def _bands(levels: Levels, order: np.ndarray, look: style.Look) -> Iterator[_Band]:
    for n, name in enumerate(levels.names):
        codes, texts = levels.codes[order, n], levels.texts[n]
        if levels.ordered[n] and len(texts) > FEW:
            yield _Band(name, codes, texts, (), "", 0.0 if look.framed else 1.0)
            continue
        counts = np.bincount(codes, minlength=len(texts))
        usual = int(counts.argmax()) if counts.max() > _USUAL * len(codes) else -1
        rows = [code for code in range(len(texts)) if code != usual and counts[code]]
        if levels.ordered[n]:
            rows.reverse()  # the highest on top
        yield _Band(name, codes, texts, tuple(rows), texts[usual] if usual >= 0 else "", 1.0)


def _draw_levels(
    ax: Axes, x: np.ndarray, bands: Sequence[_Band], known: int, look: style.Look
) -> None:
    """Draw the bands below each other, and their names beside them; inside a page above them."""
    ticks: list[tuple[float, str, bool]] = []
    top = 0.0
    for n, band in enumerate(bands):
        if n % 2 == 0:
            ax.axhspan(top, top + band.height, color=style.GREY, alpha=0.08, linewidth=0)
        name = f"{band.name} (else {band.usual})" if band.usual else band.name
        if not look.framed:
            ax.text(0.01, top + 0.6, axes.shorten(name, 2 * _NAME[False]), va="center",
                    transform=ax.get_yaxis_transform(), fontsize=style.SMALL_SIZE,
                    fontweight="bold")  # fmt: skip
        else:
            ticks.append((top + (0.6 if band.rows else band.height / 2), name, True))
        for row, code in enumerate(band.rows):
            y = top + band.head + 0.5 + row
            ticks.append((y, axes.shorten(band.texts[code], _NAME[look.framed]), False))
            _mark(ax, x[band.codes == code], y, len(x))
        if not band.rows:
            ends = (top + band.head + 0.45, top + band.height - 0.45)
            _draw_numbers(ax, x, band, ends, known)
            for text, y in zip((band.texts[-1], band.texts[0]), ends, strict=True):
                if look.framed:
                    ax.annotate(text, (1.004, y), xycoords=("axes fraction", "data"), va="center",
                                fontsize=style.SMALL_SIZE, color=style.GREY)  # fmt: skip
                else:
                    ticks.append((y, axes.shorten(text, _NAME[False]), False))
        top += band.height
    ax.set_ylim(top, 0.0)
    axes.tidy(ax)
    ax.grid(visible=False)
    margin = max(0.7, _MARGIN * len(x))
    ax.set_xlim(x[0] - margin, x[-1] + margin)
    ax.set_yticks([y for y, _, _ in ticks], [text for _, text, _ in ticks])
    ax.tick_params(axis="both", length=0, labelbottom=False)
    for label, (_, _, bold) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_fontsize(style.SMALL_SIZE)
        label.set_fontweight("bold" if bold else "normal")


def _mark(ax: Axes, x: np.ndarray, y: float, total: int) -> None:
    """Mark the sets that have a level."""
    if total <= _DOTS:
        ax.plot(x, np.full(len(x), y), "o", color=style.BLUE, markersize=_dot(total),
                markeredgewidth=0)  # fmt: skip
    else:
        ax.vlines(x, y - 0.4, y + 0.4, color=style.BLUE, linewidth=0.6, alpha=0.7)


def _dot(total: int) -> float:
    """Points of a dot among so many."""
    return 4.5 if total <= _SINGLE else 2.8 if total <= _DOTS else 1.5


def _draw_numbers(
    ax: Axes, x: np.ndarray, band: _Band, ends: tuple[float, float], known: int
) -> None:
    """Draw each set's number as a height, and of many the middle of those around it as a line."""
    highest, lowest = ends
    heights = lowest + (highest - lowest) * band.codes / (len(band.texts) - 1)
    ax.plot(x, heights, "o", color=style.BLUE, markersize=_dot(len(x)), markeredgewidth=0,
            alpha=0.75)  # fmt: skip
    if known > _SINGLE:
        window = known // _WINDOW
        middle = pd.Series(heights[:known]).rolling(window, center=True).median()
        ax.plot(x[:known], middle, color=style.VERMILION, linewidth=1.6)
