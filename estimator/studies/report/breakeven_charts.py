"""Charts of break-even values: along one assumption, or over two."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from estimator.show import number
from estimator.studies.breakeven.result import Axis, BreakEven
from estimator.studies.report import _axes as axes
from estimator.studies.report import words
from estimator.studies.report._svg import INK, Chart, drawing, inline_svg

LEVEL = "level"
"""Edge of the contour on which the level is reached; the others are of its band."""


def breakeven(found: BreakEven, failed: bool, name: str) -> Chart:
    """Draw where an event becomes as likely as the level.

    Parameters
    ----------
    found
        The break-even.
    failed
        Whether the set or the fits failed their diagnostics.
    name
        Of the chart, unique in the page.
    """
    mark = " – FAILED its checks" if failed else ""
    caption = f"Chance that {words.event(found.words)} ({found.assumption_set}){mark}"
    draw = _curve if len(found.axes) == 1 else _contour
    return draw(found, caption, failed, name)


def _curve(found: BreakEven, caption: str, failed: bool, name: str) -> Chart:
    (axis,) = found.axes
    curve = found.curve.sort_values("value")
    x, p = curve["value"].to_numpy(float), curve["probability"].to_numpy(float)
    error = curve["error"].fillna(0.0).to_numpy(float)
    with drawing():
        figure, ax = axes.new_figure(2.7)
        band = np.clip([p - 2 * error, p + 2 * error], 0, 1)
        ax.fill_between(x, *band, color=axes.BLUE, alpha=0.25, linewidth=0)
        ax.plot(x, p, color=axes.BLUE, linewidth=1.7, label="reweighted")
        if len(found.refits):
            _draw_refits(ax, found.refits)
            figure.legend(loc="outside lower center", ncols=2, frameon=False)
        ax.axhline(found.level, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
        for crossing in found.crossings:
            ax.axvspan(crossing.low, crossing.high, color=axes.VERMILION, alpha=0.25, linewidth=0)
            ax.axvline(crossing.value, color=axes.VERMILION, linewidth=1.4)
        ax.set_ylim(-0.02, 1.02)
        axes.faint_grid(ax, "y")
        axes.scale(ax, axis.unit)
        axes.scale(ax, "probability", "y", ticks=5)
        ax.set_ylabel("chance, %")
        ax.set_xlabel(_axis_label(axis))
        ends = dict.fromkeys([(x[0], p[0]), (x[-1], p[-1])] if len(x) else [])
        texts = [
            f"{number.rounded(chance, 'probability')} at {number.rounded(value, axis.unit)}"
            for value, chance in ends
        ]
        crossed = [crossing_text(one.value, one.low, one.high, axis) for one in found.crossings]
        description = (
            f"Chance along {axis.description}: {', '.join(texts)}. It crosses "
            f"{number.rounded(found.level, 'probability')} at {'; '.join(crossed) or 'no value'}."
        )
        picture = inline_svg(figure, name, caption, description)
        return Chart(picture, caption, found.sentence, failed=failed)


def _contour(found: BreakEven, caption: str, failed: bool, name: str) -> Chart:
    first, second = found.axes
    with drawing():
        figure, ax = axes.new_figure(3.2)
        texts = []
        for (edge, _), line in found.contour.groupby(["edge", "line"], sort=False):
            x, y = line["value"].to_numpy(float), line["value_2"].to_numpy(float)
            own = edge == LEVEL
            ax.plot(x, y, color=axes.VERMILION if own else axes.BLUE, linewidth=1.8 if own else 1.1,
                    linestyle="-" if own else (0, (4, 3)))  # fmt: skip
            if own:
                texts += [
                    f"{number.rounded(x[at], first.unit)} and {number.rounded(y[at], second.unit)}"
                    for at in dict.fromkeys((0, len(x) // 2, len(x) - 1))
                ]
        if len(found.refits):
            ax.plot(found.refits["value"], found.refits["value_2"], "D", color=INK, markersize=4.5)
        ax.set_xlim(first.low, first.high)
        ax.set_ylim(second.low, second.high)
        axes.scale(ax, first.unit)
        axes.scale(ax, second.unit, "y")
        ax.set_xlabel(_axis_label(first))
        ax.set_ylabel(axes.wrapped(_axis_label(second), 40))
        level = number.rounded(found.level, "probability")
        description = (
            f"The chance is {level} along a line of {first.description} and {second.description}: "
            f"{'; '.join(texts) or 'nowhere in their ranges'}."
        )
        picture = inline_svg(figure, name, caption, description)
        return Chart(picture, caption, found.sentence, failed=failed)


def crossing_text(value: float, low: float, high: float, axis: Axis) -> str:
    """Write a crossing with its interval."""
    return f"{number.rounded(value, axis.unit)} ({number.span(low, high, axis.unit)})"


def _axis_label(axis: Axis) -> str:
    return axes.wrapped(f"{axis.description}, {axes.size_of(axis.unit)[1]}")


def _draw_refits(ax: Axes, refits: pd.DataFrame) -> None:
    ax.errorbar(
        refits["value"].to_numpy(float),
        refits["probability"].to_numpy(float),
        yerr=2 * refits["error"].fillna(0.0).to_numpy(float),
        fmt="D",
        color=axes.VERMILION,
        markersize=5,
        linewidth=1.2,
        label="fitted anew",
    )
