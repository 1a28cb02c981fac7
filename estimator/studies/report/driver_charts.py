"""Charts of what drives an answer, and of what the claims made of each prior."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from estimator.show import number
from estimator.studies.report import _axes as axes
from estimator.studies.report import words
from estimator.studies.report._svg import INK, Chart, drawing, inline_svg

_MOST = 12
_HATCH = "////"
_WHEN = {"prior": "before the claims", "posterior": "after"}


def tornado(table: pd.DataFrame, title: str, name: str) -> Chart | None:
    """How far an answer moves with each assumption alone.

    Parameters
    ----------
    table
        Rows of the table `drivers` of one answer and method.
    title
        The answer in words.

    Returns
    -------
    Chart or None
        None where no row says how far the answer moves.
    """
    rows = table[table["value_low"].notna() & table["value_high"].notna()]
    rows = rows.sort_values("rank").head(_MOST)
    if rows.empty:
        return None
    unit = str(rows["unit"].iloc[0])
    reference = float(rows["reference"].iloc[0])
    with drawing():
        figure, ax = axes.new_figure(0.46 * len(rows) + 1.05)
        for y, (_, row) in enumerate(rows.iterrows()):
            for end, color, hatch in (("low", axes.VERMILION, _HATCH), ("high", axes.BLUE, "")):
                value = float(row[f"value_{end}"])
                ax.barh(
                    y + 0.16, value - reference, left=reference, height=0.42,
                    color="none" if hatch else color, edgecolor=color, hatch=hatch, linewidth=1.0,
                )  # fmt: skip
            ax.plot([reference] * 2, [y - 0.05, y + 0.37], color=INK, linewidth=1.6)
            _label(ax, y, row)
        _bare_rows(ax, len(rows))
        axes.faint_grid(ax, "x")
        axes.scale(ax, unit)
        figure.legend(
            handles=[
                Patch(facecolor="none", edgecolor=axes.VERMILION, hatch=_HATCH, label="at its low"),
                Patch(facecolor=axes.BLUE, edgecolor=axes.BLUE, label="at its high"),
            ],
            loc="outside lower center", ncols=2, frameon=False,
        )  # fmt: skip
        texts = [
            f"{words.assumption(str(row['assumption']))}: {_at(row, 'low')}, {_at(row, 'high')}"
            for _, row in rows.iterrows()
        ]
        description = f"The answer as it is: {number.rounded(reference, unit)}. {'; '.join(texts)}."
        heading = f"What moves {title}, one assumption at a time"
        return Chart(inline_svg(figure, name, heading, description), heading)


def shares(table: pd.DataFrame, title: str, name: str) -> Chart | None:
    """Share of an answer's variance that hangs on each assumption, alone and with others.

    Parameters
    ----------
    table
        Rows of the table `drivers` of one answer and method.
    title
        The answer in words.

    Returns
    -------
    Chart or None
        None where no row has a share.
    """
    rows = table[table["total"].notna() | table["first_order"].notna()]
    rows = rows.sort_values("rank").head(_MOST)
    if rows.empty:
        return None
    with drawing():
        figure, ax = axes.new_figure(0.46 * len(rows) + 1.05)
        for y, (_, row) in enumerate(rows.iterrows()):
            first, total = float(row["first_order"]), float(row["total"])
            ends = [float(row["total_low"]), float(row["total_high"])]
            if np.isfinite(total):
                ax.barh(y + 0.16, total, height=0.42, color="none", edgecolor=axes.BLUE)
            if np.isfinite(first):
                ax.barh(y + 0.16, max(first, 0.0), height=0.42, color=axes.BLUE)
            if np.isfinite(ends).all():
                ax.plot(ends, [y + 0.16] * 2, color=INK, linewidth=1.2, marker="|", markersize=7)
            _label(ax, y, row)
        ax.set_xlim(left=0)
        _bare_rows(ax, len(rows))
        axes.faint_grid(ax, "x")
        axes.scale(ax, "share")
        figure.legend(
            handles=[
                Patch(facecolor=axes.BLUE, label="alone"),
                Patch(facecolor="none", edgecolor=axes.BLUE, label="with all others"),
            ],
            loc="outside lower center", ncols=2, frameon=False,
        )  # fmt: skip
        texts = [
            f"{words.assumption(str(row['assumption']))}: alone "
            f"{number.rounded(row['first_order'], 'share')}, with others "
            f"{number.rounded(row['total'], 'share')}"
            for _, row in rows.iterrows()
        ]
        heading = f"Share of the variance of {title} by assumption"
        return Chart(inline_svg(figure, name, heading, "; ".join(texts) + "."), heading)


def intervals(table: pd.DataFrame, name: str) -> Chart:
    """Prior and posterior range of one parameter, sets below each other.

    Parameters
    ----------
    table
        Rows of the table `prior_or_data` of one parameter.
    """
    parameter, unit = str(table["parameter"].iloc[0]), str(table["unit"].iloc[0])
    title = words.capital(words.assumption(parameter))
    ends = ("q05", "q50", "q95")
    with drawing():
        figure, ax = axes.new_figure(0.38 * len(table) + 1.1)
        for y, (_, row) in enumerate(table.iterrows()):
            for which, at, color, marker in (
                ("prior", y - 0.16, INK, "s"),
                ("posterior", y + 0.16, axes.BLUE, "o"),
            ):
                low, middle, high = (float(row[f"{which}_{end}"]) for end in ends)
                ax.plot([low, high], [at, at], color=color, linewidth=1.4,
                        alpha=0.65 if which == "prior" else 1.0)  # fmt: skip
                ax.plot([middle], [at], marker=marker, color=color, markersize=4.5,
                        label=_WHEN[which] if y == 0 else None, linestyle="none")  # fmt: skip
        axes.name_rows(ax, [str(label) for label in table["assumption_set"]])
        axes.faint_grid(ax, "x")
        axes.scale(ax, unit)
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
        texts = [
            f"{row['assumption_set']}: before {_ends(row, 'prior', unit)}, after "
            f"{_ends(row, 'posterior', unit)}"
            for _, row in table.iterrows()
        ]
        description = f"Middle value and 9-of-10 range, {unit}. {'; '.join(texts)}."
        return Chart(inline_svg(figure, name, title, description), title)


def _at(row: pd.Series, end: str) -> str:
    value = number.rounded(float(row[f"value_{end}"]), str(row["unit"]))
    return f"{value} at {row[f'level_{end}']}"


def _ends(row: pd.Series, which: str, unit: str) -> str:
    low, middle, high = (float(row[f"{which}_{end}"]) for end in ("q05", "q50", "q95"))
    return f"{number.rounded(middle, unit)} ({number.span(low, high, unit)})"


def _label(ax: Axes, y: float, row: pd.Series) -> None:
    """Write what an assumption is above its bar, where a long name has room."""
    text = axes.short(words.capital(words.assumption(str(row["assumption"]))), 50)
    ax.text(0.0, y - 0.12, text, transform=ax.get_yaxis_transform(), va="bottom")


def _bare_rows(ax: Axes, count: int) -> None:
    ax.set_ylim(count - 0.4, -0.65)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
