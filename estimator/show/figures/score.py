"""Coverage and scores of models beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.grid import printable
from estimator.show.number import hundredths

_MOST = 40  # rows on one page
_NAME = 44  # characters of a model's name


def plot_score(table: pd.DataFrame, masses: Sequence[float], *, target: str, unit: str) -> Figure:
    """Plot coverage of central ranges and the weighted interval score by model.

    Parameters
    ----------
    table
        Of one target, scope and horizon, as `estimator.studies.score.scores.scores` gives it.
    masses
        Of the ranges that are shown.
    target
        What was estimated.
    unit
        Of the scores.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes with a row a model, the lowest score first: shares inside the ranges, with what
        they should be dashed; the score.
    """
    drawn = table.head(_MOST)
    names = [axes.shorten(printable(str(name)), _NAME) for name in drawn["model_id"]]
    y = np.arange(len(names), dtype=float)
    figure = style.new_figure(axes.row_height(names) * len(names) + 1.9)
    left, right = figure.subplots(1, 2, sharey=True)
    _coverage(left, drawn, masses, y)
    axes.name_rows(left, y, names)
    right.barh(y, drawn["wis"].to_numpy(dtype=float), height=0.55, color=style.BLUE)
    right.set_xlim(left=0.0)
    axes.tidy(right, "x")
    axes.show_unit(right, "x", unit)
    right.tick_params(axis="y", length=0)
    right.set_title("Weighted interval score, lower is better", loc="left",
                    fontsize=style.TEXT_SIZE)  # fmt: skip
    right.set_ylim(len(names) - 0.4, -0.6)
    same = len(set(table["estimates"])) == 1
    scored = f"{table['estimates'].iloc[0]} estimates of {table['months'].iloc[0]} months"
    notes = [
        f"{scored}{', the same of each model' if same and len(table) > 1 else ''}. Bars of the "
        "coverage: 90 %, as if only months counted.",
        *([f"The first {_MOST} of {len(table)} models."] if len(table) > _MOST else []),
    ]
    return style.frame(figure, f"{target}: estimates against what came later", notes=notes)


def _coverage(ax: Axes, table: pd.DataFrame, masses: Sequence[float], y: np.ndarray) -> None:
    for number, mass in enumerate(masses):
        name, color = f"coverage_{hundredths(mass)}", style.color_of(number)
        at = y + 0.14 * (number - (len(masses) - 1) / 2.0)
        value, low, high = (
            100 * table[f"{name}{end}"].to_numpy(dtype=float) for end in ("", "_low", "_high")
        )
        ax.axvline(100 * mass, color=color, linewidth=0.8, linestyle="--")
        ax.hlines(at, low, high, color=color, linewidth=1.4)
        ax.plot(value, at, "o", color=color, markersize=4.5, label=f"{hundredths(mass)} %")
    ax.set_xlim(0, 103)
    axes.tidy(ax, "x")
    ax.set_title("Share inside the range, %", loc="left", fontsize=style.TEXT_SIZE)
    if masses:
        ax.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="upper left", title="should hold",
                  bbox_to_anchor=(0.0, 0.0), borderaxespad=2.6, ncols=len(masses),
                  title_fontsize=style.SMALL_SIZE)  # fmt: skip
