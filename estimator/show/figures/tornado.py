"""What drives each answer: a tornado of effects, and shares of the variance with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style

DRAWN = 12
"""Assumptions that are drawn of each answer; the others move it less."""
_HATCH = "////"
_PALE = 0.35
_ROOM = 0.32  # of the bars' width, on each side, for the levels
_LEVEL = 22  # characters of a level
_NAME = 50  # characters of an assumption above its bar
_ROWS = {True: 0.27, False: 0.36}  # inches of a row on paper and inside a page
_SMALL = ("within its Monte-Carlo error", "negligible beside what each set leaves open")
"""Notes of effects that are drawn pale."""
_METHODS = {
    "one_at_a_time": "each assumption alone, all others as they are",
    "shift": "each prior alone, down and up by one of its standard deviations (by reweighting)",
    "sobol": "Sobol indices (Saltelli's blocks)",
    "anova": "analysis of variance of all combinations",
    "regression": "regression on all sets together",
}

Draw = Callable[[Axes, pd.DataFrame, np.ndarray, style.Look], list[Artist]]
"""Draws the rows of one answer at heights; returns the handles of its legend."""


def plot_tornado(
    table: pd.DataFrame, answers: Sequence[str] | None = None, *, look: style.Look = style.PAPER
) -> Figure:
    """Plot how far each assumption moves each answer from what it is.

    Parameters
    ----------
    table
        Rows of the table `drivers`; of one method. Assumptions stand as they are shown.
    answers
        Which of its answers, from top to bottom; None for all.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure
        One axes an answer, with up to `DRAWN` assumptions, the largest effect on top.

    Raises
    ------
    ValueError
        If the table has no row with an effect of these answers.
    """
    return _plot(table, answers, "effect", _draw_effects, look)


def plot_indices(
    table: pd.DataFrame, answers: Sequence[str] | None = None, *, look: style.Look = style.PAPER
) -> Figure:
    """Plot which share of the variance between the sets each assumption explains.

    Parameters
    ----------
    table
        Rows of the table `drivers`; of one method that gives shares.
    answers
        Which of its answers, from top to bottom; None for all.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure
        One axes an answer, with up to `DRAWN` assumptions, the largest total on top; 95 % intervals
        of the share that an assumption explains alone and of that with its interactions.

    Raises
    ------
    ValueError
        If the table has no shares of these answers.
    """
    return _plot(table, answers, "total", _draw_shares, look)


def _plot(
    table: pd.DataFrame, answers: Sequence[str] | None, needed: str, draw: Draw, look: style.Look
) -> Figure:
    known = table[table[needed].notna()]
    names = list(dict.fromkeys(known["answer"])) if answers is None else list(answers)
    parts = [known[known["answer"] == name].sort_values("rank").head(DRAWN) for name in names]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise ValueError(f"the table has no {needed} of {', '.join(names) or 'any answer'}")
    heights = [0.95 + _ROWS[look.framed] * len(part) for part in parts]
    figure = style.new_figure(sum(heights) + (1.1 if look.framed else 0.0), look)
    panels = figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    handles: list[Artist] = []
    for ax, part in zip(panels, parts, strict=True):
        y = np.arange(len(part), dtype=float)
        handles = draw(ax, part, y if look.framed else y + 0.16, look)
        _name_rows(ax, part, y, look)
    _write_legend(figure, panels[0], len(parts[0]), handles, look)
    method = str(parts[0]["method"].iloc[0])
    first = parts[0].iloc[0]
    verb = "moves" if needed == "effect" else "explains most of the spread of"
    title = f"{first['assumption']} {verb} {axes.heading(first['answer'])}"
    intervals = "" if needed == "effect" else " · 95 % intervals"
    return style.frame(
        figure,
        f"{title} most" if needed == "effect" else title,
        notes=[*_left_out(table, parts), f"{_METHODS.get(method, method)}{intervals}"],
        look=look,
    )


def _draw_effects(
    ax: Axes, part: pd.DataFrame, heights: np.ndarray, look: style.Look
) -> list[Artist]:
    unit = str(part["unit"].iloc[0])
    reference = float(part["reference"].iloc[0])
    ends = [] if np.isnan(reference) else [reference]
    for y, (_, row) in zip(heights, part.iterrows(), strict=True):
        values = {end: float(row[f"value_{end}"]) for end in ("low", "high")}
        ends += values.values()
        start = reference if np.isfinite(reference) else 0.5 * sum(values.values())
        pale = any(text in str(row["note"]) for text in _SMALL)
        for end, value in values.items():
            ax.barh(y, value - start, 0.62 if look.framed else 0.42, left=start,
                    **_bar(end, pale=pale))  # fmt: skip
        if look.framed:  # inside a page there is no room; its table has the levels
            _write_levels(ax, y, row)
    room = _ROOM * (max(ends) - min(ends)) if look.framed else 0.0
    room = room or 0.05 * (max(ends) - min(ends)) or 1.0
    limits = (min(ends) - room, max(ends) + room)
    ax.set_xlim(*limits)
    axes.show_unit(ax, "x", unit)
    if unit in ("probability", "share"):
        ax.set_xticks([tick for tick in ax.get_xticks() if -1e-9 < tick < 1.0 + 1e-9])
        ax.set_xlim(*limits)
    handles: list[Artist] = [
        Patch(**_bar("low"), label="at its lower level"),
        Patch(**_bar("high"), label="at its higher level"),
    ]
    notes = " ".join(map(str, part["note"]))
    if small := [text for text in _SMALL if text in notes]:
        handles.append(Patch(**_bar("low", pale=True), label=" or ".join(small)))
    if np.isfinite(reference):
        half = 0.4 if look.framed else 0.26  # no line through the names above the bars
        middle = np.full(len(part), reference)
        ax.vlines(middle, heights - half, heights + half, color=style.BLACK, linewidth=1.2)
        single = part["method"].iloc[0] in ("one_at_a_time", "shift")
        label = "as it is" if single else "mean of the sets"
        handles.append(Line2D([], [], color=style.BLACK, linewidth=0.9, label=label))
    return handles


def _bar(end: str, *, pale: bool = False) -> dict[str, Any]:
    """Style of a bar: the lower level is hatched, so that it can be told without colour."""
    color = style.GREY if pale else style.VERMILION if end == "low" else style.BLUE
    hatched = end == "low" and not pale
    return {
        "facecolor": "none" if hatched else color,
        "edgecolor": color,
        "hatch": _HATCH if hatched else None,
        "linewidth": 0.8,
        "alpha": _PALE if pale else 1.0,
    }


def _write_levels(ax: Axes, y: float, row: pd.Series) -> None:
    """Write the levels beside the ends of their bars."""
    sides = [(row["value_low"], row["level_low"]), (row["value_high"], row["level_high"])]
    if row["value_low"] > row["value_high"]:
        sides.reverse()
    for (value, text), side, off in zip(sides, ("right", "left"), (-4, 4), strict=True):
        ax.annotate(
            axes.shorten(str(text), _LEVEL), (value, y), xytext=(off, 0),
            textcoords="offset points", ha=side, va="center", fontsize=style.SMALL_SIZE - 0.5,
            color=style.GREY,
        )  # fmt: skip


def _draw_shares(
    ax: Axes, part: pd.DataFrame, heights: np.ndarray, look: style.Look
) -> list[Artist]:
    handles: list[Artist] = []
    for name, off, color, label in (
        ("first_order", -0.13, style.BLUE, "alone (first order)"),
        ("total", 0.13, style.VERMILION, "with all others (total)"),
    ):
        columns = [name, f"{name}_low", f"{name}_high"]
        middle, low, high = part.reindex(columns=columns).to_numpy(dtype=float).T
        y = heights + off
        ax.barh(y, middle, 0.24, color=color, alpha=_PALE, linewidth=0)
        ax.hlines(y, low, high, color=color, linewidth=1.3)
        handles += ax.plot(middle, y, "o", color=color, markersize=4, label=label)
    ax.set_xlim(0.0, 1.0)
    axes.show_unit(ax, "x", "share", label="share of the variance between the sets, %")
    return handles


def _name_rows(ax: Axes, part: pd.DataFrame, y: np.ndarray, look: style.Look) -> None:
    """Name the assumptions beside their bars; inside a page above them, where names have room."""
    axes.tidy(ax, "x")
    names = [str(name) for name in part["assumption"]]
    if look.framed:
        axes.name_rows(ax, y, names)
        ax.set_ylim(len(part) - 0.4, -0.6)
        ax.set_title(
            axes.heading(str(part["answer"].iloc[0])), fontsize=style.TEXT_SIZE, loc="left"
        )
        return
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(part) - 0.4, -0.65)
    for at, name in zip(y, names, strict=True):
        ax.text(0.0, at - 0.12, axes.shorten(name, _NAME), transform=ax.get_yaxis_transform(),
                va="bottom", fontsize=style.SMALL_SIZE)  # fmt: skip


def _write_legend(
    figure: Figure, ax: Axes, rows: int, handles: Sequence[Artist], look: style.Look
) -> None:
    """Write the legend above the title of the first axes; inside a page below all."""
    if not look.framed:
        axes.legend(ax, look, handles=handles)
        return
    height = 1.0 + 0.25 / (_ROWS[True] * rows)
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, height), borderaxespad=0.0,
              ncols=len(handles), fontsize=style.SMALL_SIZE, frameon=False)  # fmt: skip


def _left_out(table: pd.DataFrame, parts: Sequence[pd.DataFrame]) -> list[str]:
    """Say how many assumptions are not drawn, and what holds for all sets."""
    counts = sorted(
        {int((table["answer"] == part["answer"].iloc[0]).sum()) - len(part) for part in parts}
    )
    common = [set(str(note).split("; ")) for part in parts for note in part["note"]]
    notes = sorted(set.intersection(*common) - {""})
    if counts[-1]:
        text = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        notes.append(f"{text} more assumptions move an answer less, or have no numbers")
    return [f"{'; '.join(notes)}."] if notes else []
