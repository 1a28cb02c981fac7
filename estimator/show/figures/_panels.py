"""Panels of answers with the sets along y: titles, units, names, and who failed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from estimator.show.figures import _style as style

COLUMNS = 3
_NAMED = 4  # failed sets that are named with their reason
MANY = 16  # sets from which on rows are narrow and names small


def scale_of(unit: str) -> tuple[float, str]:
    """Return what to divide a number by, and the unit then: persons become thousands."""
    if unit == "persons/month":
        return style.THOUSAND, style.PER_MONTH
    if unit == "persons":
        return style.THOUSAND, style.PERSONS
    return 1.0, unit


def heading(answer: str) -> str:
    """Write an answer as words: ``net_change[2026-01]`` is net change, 2026-01."""
    return answer.replace("_", " ").replace("[", ", ").replace("]", "")


def row_height(n_sets: int) -> float:
    """Inches of a set's row."""
    return 0.26 if n_sets <= MANY else 0.17


def point_size(n_sets: int) -> float:
    """Size of a median's circle."""
    return 22.0 if n_sets <= MANY else 10.0


def figure_size(n_sets: int, n_answers: int) -> tuple[float, float]:
    """Width and height in inches."""
    rows = -(-n_answers // COLUMNS)
    return style.WIDTH, rows * (row_height(n_sets) * n_sets + 1.0) + 0.9


def failures_of(table: pd.DataFrame) -> dict[str, str]:
    """Return what failed, by name of the set."""
    failed = table[table["failures"] != ""].drop_duplicates("assumption_set")
    return dict(zip(failed["assumption_set"], failed["failures"], strict=True))


def failure_note(failures: dict[str, str]) -> str:
    """Say whose diagnostics failed; empty if all passed."""
    if not failures:
        return ""
    named = [f"{name}: {text}" for name, text in list(failures.items())[:_NAMED]]
    rest = f"; and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    return f"diagnostics failed: {'; '.join(named)}{rest}"


def name_rows(
    ax: Axes, y: np.ndarray, names: Sequence[str], failed: set[str], reference: str, *, first: bool
) -> None:
    """Write the sets' names along y in the first column: failed ones red, the reference bold."""
    ax.set_yticks(y, list(names) if first else [""] * len(names))
    ax.tick_params(axis="y", labelleft=first, length=0)
    size = style.TEXT_SIZE - 1 if len(names) <= MANY else style.SMALL_SIZE
    for label in ax.get_yticklabels():
        label.set_fontsize(size)
        if label.get_text() in failed:
            label.set_color(style.NOTE_RED)
        if label.get_text() == reference:
            label.set_fontweight("bold")


def finish_panel(ax: Axes, title: str, unit: str, middle: float) -> None:
    """Write title and unit, and mark the reference set's median."""
    style.tidy(ax)
    ax.set_title(heading(title), fontsize=style.TEXT_SIZE)
    if unit == "probability":
        ax.set_xlim(-0.03, 1.03)
    ax.set_xlabel(unit, fontsize=style.SMALL_SIZE)
    ax.locator_params(axis="x", nbins=5)
    style.thousands(ax, "x")
    if np.isfinite(middle):
        ax.axvline(middle, color=style.ORANGE, linewidth=0.9, linestyle="--", zorder=0)


def mark_zero(ax: Axes, place: float = 0.0) -> None:
    """Draw a line where the answer is zero, if that is within the axis."""
    low, high = ax.get_xlim()
    if low < place < high:
        ax.axvline(place, color=style.GREY, linewidth=0.8, zorder=0)


def note_of(reference: str) -> str:
    """Say what the dashed line and the red names are."""
    return f"Dashed: median of {reference}. Names in red: diagnostics failed."
