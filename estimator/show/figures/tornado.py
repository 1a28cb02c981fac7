"""What drives each answer: a tornado of effects, and shares of the variance with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from estimator.show.figures import _style as style

DRAWN = 12
"""Assumptions that are drawn of each answer; the others move it less."""
_ROW = 0.27  # inches
_AXES = 0.95  # inches of an axes beside its rows
_MARGIN = 1.1  # inches of title and footer
_LOW, _HIGH = style.SKY, style.ORANGE
_PALE = 0.35
_ROOM = 0.32  # of the bars' width, on each side, for the levels
_TEXT = 22  # characters of a level
_WITHIN = "within its Monte-Carlo error"
_HOW = {
    "one_at_a_time": "each assumption alone, all others as they are",
    "shift": "each prior alone, down and up by one of its standard deviations (by reweighting)",
    "sobol": "Sobol indices (Saltelli's blocks)",
    "anova": "analysis of variance of all combinations",
    "regression": "regression on all sets together",
}


def plot_tornado(table: pd.DataFrame, answers: Sequence[str] | None = None) -> Figure:
    """Plot how far each assumption moves each answer from what it is.

    Parameters
    ----------
    table
        Rows of the table `drivers`; of one method.
    answers
        Which of its answers, from top to bottom; None for all.

    Returns
    -------
    matplotlib.figure.Figure
        One axes an answer, with up to `DRAWN` assumptions, the largest effect on top.

    Raises
    ------
    ValueError
        If the table has no row with an effect of these answers.
    """
    parts = _parts(table, answers, "effect")
    figure, axes = _figure([len(part) for part in parts])
    for ax, part in zip(axes, parts, strict=True):
        _tornado(ax, part)
    handles = [
        Patch(color=_LOW, label="at the lower level (of options: where the answer is lowest)"),
        Patch(color=_HIGH, label="at the higher level"),
        Patch(color=style.GREY, alpha=_PALE, label=_WITHIN),
        Line2D([], [], color=style.BLACK, linewidth=0.9, label=_reference_text(parts[0])),
    ]
    _legend_above(axes[0], len(parts[0]), handles)
    return style.finish(
        figure, {}, _title(parts, "moves"), notes=_left_out(table, parts), ranges=_how(parts[0])
    )


def plot_indices(table: pd.DataFrame, answers: Sequence[str] | None = None) -> Figure:
    """Plot which share of the variance between the sets each assumption explains.

    Parameters
    ----------
    table
        Rows of the table `drivers`; of one method that gives shares.
    answers
        Which of its answers, from top to bottom; None for all.

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
    parts = _parts(table, answers, "first_order")
    figure, axes = _figure([len(part) for part in parts])
    for ax, part in zip(axes, parts, strict=True):
        y = np.arange(len(part), dtype=float)
        for name, off, color, label in (
            ("first_order", -0.16, style.BLUE, "alone (first order)"),
            ("total", 0.16, style.VERMILION, "with its interactions (total)"),
        ):
            middle = part[name].to_numpy(dtype=float)
            low, high = (part[f"{name}_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
            ax.barh(y + off, middle, 0.3, color=color, alpha=_PALE, linewidth=0)
            ax.hlines(y + off, low, high, color=color, linewidth=1.3)
            ax.plot(middle, y + off, "o", color=color, markersize=4, label=label)
        ax.set_xlim(0.0, 1.0)
        ax.set_xlabel("share of the variance between the sets", fontsize=style.SMALL_SIZE)
        _name_rows(ax, part)
    _legend_above(axes[0], len(parts[0]), axes[0].get_legend_handles_labels()[0])
    return style.finish(
        figure,
        {},
        _title(parts, "explains"),
        notes=_left_out(table, parts),
        ranges=f"{_how(parts[0])} · 95 % intervals",
    )


def _parts(table: pd.DataFrame, answers: Sequence[str] | None, needed: str) -> list[pd.DataFrame]:
    """Rows that are drawn, answer by answer."""
    there = table[table[needed].notna()]
    names = list(dict.fromkeys(there["answer"])) if answers is None else list(answers)
    parts = [there[there["answer"] == name].sort_values("rank").head(DRAWN) for name in names]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise ValueError(f"the table has no {needed} of {', '.join(names) or 'any answer'}")
    return parts


def _figure(rows: Sequence[int]) -> tuple[Figure, list[Axes]]:
    heights = [_AXES + _ROW * count for count in rows]
    figure = style.new_figure(sum(heights) + _MARGIN)
    axes = figure.subplots(len(rows), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    return figure, list(axes[:, 0])


def _tornado(ax: Axes, part: pd.DataFrame) -> None:
    """Draw one answer."""
    unit = str(part["unit"].iloc[0])
    size = style.THOUSAND if unit.startswith("persons") else 1.0
    reference = float(part["reference"].iloc[0]) / size
    ends = []
    for y, (_, row) in enumerate(part.iterrows()):
        low, high = row["value_low"] / size, row["value_high"] / size
        start = reference if np.isfinite(reference) else 0.5 * (low + high)
        pale = _WITHIN in row["note"]
        for value, color in ((low, _LOW), (high, _HIGH)):
            ax.barh(y, value - start, 0.62, left=start, linewidth=0,
                    color=style.GREY if pale else color, alpha=_PALE if pale else 1.0)  # fmt: skip
        sides = [(low, row["level_low"]), (high, row["level_high"])]
        if low > high:
            sides.reverse()
        ends += [value for value, _ in sides]
        for (value, text), side, off in zip(sides, ("right", "left"), (-4, 4), strict=True):
            ax.annotate(
                _short(text), (value, y), xytext=(off, 0), textcoords="offset points", ha=side,
                va="center", fontsize=style.SMALL_SIZE - 0.5, color=style.GREY,
            )  # fmt: skip
    if np.isfinite(reference):
        ax.axvline(reference, color=style.BLACK, linewidth=0.9)
        ends.append(reference)
    width = max(ends) - min(ends)
    room = _ROOM * width if width > 0 else 1.0
    ax.set_xlim(min(ends) - room, max(ends) + room)
    ax.set_xlabel(_unit_text(unit), fontsize=style.SMALL_SIZE)
    if unit in ("probability", "share"):
        ax.set_xticks([tick for tick in ax.get_xticks() if -1e-9 < tick < 1.0 + 1e-9])
        ax.set_xlim(min(ends) - room, max(ends) + room)
    style.thousands(ax, "x")
    _name_rows(ax, part)


def _legend_above(ax: Axes, rows: int, handles: Sequence[Artist]) -> None:
    """Write the legend above the title of the first axes."""
    height = 1.0 + 0.25 / (_ROW * rows)
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, height), borderaxespad=0.0,
              ncols=len(handles), fontsize=style.SMALL_SIZE, frameon=False)  # fmt: skip


def _name_rows(ax: Axes, part: pd.DataFrame) -> None:
    style.tidy(ax)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color="#DDDDDD", linewidth=0.6)
    ax.set_yticks(range(len(part)), [str(name) for name in part["assumption"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(part) - 0.4, -0.6)
    ax.set_title(_heading(str(part["answer"].iloc[0])), fontsize=style.TEXT_SIZE, loc="left")


def _heading(answer: str) -> str:
    return answer.replace("_", " ").replace("[", ", ").replace("]", "")


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"


def _unit_text(unit: str) -> str:
    names = {"persons/month": style.PER_MONTH, "persons": style.PERSONS}
    return names.get(unit, unit)


def _how(part: pd.DataFrame) -> str:
    return _HOW.get(str(part["method"].iloc[0]), str(part["method"].iloc[0]))


def _reference_text(part: pd.DataFrame) -> str:
    single = part["method"].iloc[0] in ("one_at_a_time", "shift")
    return "as it is" if single else "mean of the sets"


def _title(parts: Sequence[pd.DataFrame], verb: str) -> str:
    """Name what matters most for the first answer."""
    first = parts[0].iloc[0]
    what = "" if verb == "moves" else "most of the spread of "
    return f"{first['assumption']} {verb} {what}{_heading(first['answer'])}" + (
        " most" if verb == "moves" else ""
    )


def _left_out(table: pd.DataFrame, parts: Sequence[pd.DataFrame]) -> list[str]:
    """Say how many assumptions are not drawn, and what holds for all sets."""
    more = {
        str(part["answer"].iloc[0]): int((table["answer"] == part["answer"].iloc[0]).sum())
        - len(part)
        for part in parts
    }
    told = [set(note.split("; ")) for part in parts for note in part["note"]]
    notes = sorted(set.intersection(*told) - {""})
    counts = sorted(set(more.values()))
    if counts[-1]:
        text = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        notes.append(f"{text} more assumptions move an answer less, or have no numbers")
    return [f"{'; '.join(notes)}."] if notes else []
