"""Ranges of answers of several assumption sets side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.quantities.answers import Answer, answer_draws
from estimator.quantity import QUANTILES, TOTAL
from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.figures._months import Months
from estimator.show.number import significant

_LAST = "last month"
MAIN_ANSWERS = (
    ("losses", None),
    ("losses", TOTAL),
    ("killed", TOTAL),
    ("killed_share", None),
    ("replacement_gap", None),
    ("net_change", None),
)
"""Quantities and periods of the answers of results; None: the last month of each."""


def plot_forest(
    sets: pd.DataFrame | Mapping[str, xr.DataTree],
    *,
    reference: str = "",
    pooled: str = "",
    heading: str = "",
    selection: str = "",
    look: style.Look = style.PAPER,
) -> Figure:
    """Plot ranges of answers, a panel an answer, with the sets along y.

    Parameters
    ----------
    sets
        A row a set and answer: `assumption_set` (the name shown), `answer`, `unit`, `q05` to
        `q95`, `failures`; of probabilities only `q50` is known. Or results by the name shown, of
        which `main_answers` are drawn.
    reference
        Name of the set whose median is marked in all panels.
    pooled
        Name of the row that pools the other sets.
    heading
        What the names are made of; empty if they speak for themselves.
    selection
        Which sets these are, if not all; it is written below.
    look
        On paper, or inside a page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no set.
    """
    table = sets if isinstance(sets, pd.DataFrame) else main_answers(sets)
    if table.empty:
        raise ValueError("plot_forest needs at least one set. Got none.")
    names = list(dict.fromkeys(table["assumption_set"]))
    answers = list(dict.fromkeys(table["answer"]))
    failures = axes.failures_in(table)
    y = np.arange(len(names), dtype=float)
    hollow = np.isin(names, list(failures))
    diamond = np.isin(names, [pooled])
    height = axes.row_height(names) * len(names) + (1.0 if look.framed else 0.55)
    figure, panels = axes.panels(len(answers), height, look)
    beside, note = axes.heading_of_rows(heading, axes.row_height(names) * len(names))
    for n, (answer, ax) in enumerate(zip(answers, panels, strict=True)):
        rows = table[table["answer"] == answer].set_index("assumption_set").reindex(names)
        unit = str(rows["unit"].dropna().iloc[0])
        ranges = rows[list(QUANTILES)].to_numpy(dtype=float)
        size = 5.0 if len(names) <= axes.MANY else 3.2
        for which, color, marker, empty in (
            (~diamond & ~hollow, style.BLUE, "o", False),
            (~diamond & hollow, style.BLUE, "o", True),
            (diamond, style.VERMILION, "D", False),
        ):
            axes.draw_ranges(
                ax, y[which], ranges[which], color=color, marker=marker, size=size, hollow=empty
            )
        axes.tidy(ax, "x")
        if unit == "probability":
            ax.set_xlim(-0.03, 1.03)
        axes.show_unit(ax, "x", unit)
        if unit != "probability":
            axes.mark_zero(ax)
        mark_reference(ax, rows["q50"].get(reference, np.nan))
        ax.set_ylim(len(names) - 0.4, -0.6)
        if look.framed:
            ax.set_title(axes.heading(answer), fontsize=style.TEXT_SIZE)
        axes.name_rows(
            ax, y, names, failed=failures, bold=reference,
            shown=n % axes.COLUMNS == 0 or not look.framed, heading=beside, look=look,
        )  # fmt: skip
    notes = [selection, f"{note}{reference_note(reference)}{axes.RANGES_TEXT}."]
    title, failed = _title(table, names), axes.failure_text(failures)
    return style.frame(figure, title, failure=failed, notes=notes, look=look)


def main_answers(results: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Ranges of the main answers of results by name; sums are over each result's own months.

    Returns
    -------
    pandas.DataFrame
        Columns assumption_set, answer, unit, q05 to q95, failures.
    """
    lasts = {name: Months.of(tree).last for name, tree in results.items()}
    rows = []
    for name, tree in results.items():
        posterior = style.group(tree, "posterior")
        answers = [Answer(quantity, period or lasts[name]) for quantity, period in MAIN_ANSWERS]
        draws = answer_draws(posterior, answers).reshape(len(answers), -1)
        ranges = np.quantile(draws, axes.LEVELS, axis=1).T
        for answer, numbers in zip(answers, ranges, strict=True):
            shown = (
                answer
                if answer.period == TOTAL or len(set(lasts.values())) == 1
                else f"{answer.quantity}[{_LAST}]"
            )
            rows.append(
                {
                    "assumption_set": name,
                    "answer": str(shown),
                    "unit": answer.unit,
                    **dict(zip(QUANTILES, numbers, strict=True)),
                    "failures": style.failure_of(tree),
                }
            )
    return pd.DataFrame(rows)


def mark_reference(ax: Axes, middle: float) -> None:
    """Draw a dashed line at the median of the reference set, if it has one."""
    if np.isfinite(middle):
        ax.axvline(middle, color=style.ORANGE, linewidth=0.9, linestyle="--", zorder=0)


def reference_note(reference: str) -> str:
    """Say what the dashed line is; empty without a reference."""
    return f"Dashed: median of {reference}. " if reference else ""


def _title(table: pd.DataFrame, names: list[str]) -> str:
    """Say how far the sets' medians of the first answer lie apart."""
    answer, unit = str(table["answer"].iloc[0]), str(table["unit"].iloc[0])
    size, label = axes.in_unit(unit)
    label = label.rpartition(", ")[2]  # per cent, without of what
    middle = table.loc[table["answer"] == answer, "q50"] / size
    low, high = (significant(value, 3) for value in (middle.min(), middle.max()))
    if len(names) == 1:
        return f"{axes.heading(answer)} of one assumption set: median {low} {label}"
    return (
        f"{len(names)} assumption sets: medians of {axes.heading(answer)}, from {low} to "
        f"{high} {label}"
    )
