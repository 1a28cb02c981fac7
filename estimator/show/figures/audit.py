"""Verdicts of claims under several sets, as a heat map."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.grid import Grid

MOST = 45
_LEVELS = ("in conflict", "strained", "consistent")
_COLORS = (style.VERMILION, "#F0C987", "#DCEBF5")
_CLAIM = 24  # characters of the ids of a claim and its repeats
_SET = 24  # characters of a set's label
_FIGURE = 64  # characters of quantity and figure: a range cut in its middle would be another


def plot_verdicts(grid: Grid) -> Figure:
    """Plot the table of verdicts: its first rows, with a colour for each verdict.

    Parameters
    ----------
    grid
        Claims by sets; the style of a cell is its verdict.

    Returns
    -------
    matplotlib.figure.Figure
        One axes with up to `MOST` claims.
    """
    labels, rows = grid.headings[1:], grid.rows[:MOST]
    figure = style.new_figure(
        0.21 * max(len(rows), 4) + 2.6, width=2.9 + 1.05 * max(len(labels), 4)
    )
    ax = figure.subplots()
    levels = np.full((len(rows), len(labels)), np.nan)
    for y, (_, *cells) in enumerate(rows):
        for x, cell in enumerate(cells):
            if cell.style in _LEVELS:
                levels[y, x] = _LEVELS.index(cell.style)
                color = "white" if cell.style == _LEVELS[0] else style.BLACK
                ax.text(x, y, cell.text, ha="center", va="center", color=color,
                        fontsize=style.SMALL_SIZE - 0.5)  # fmt: skip
    ax.imshow(levels, cmap=ListedColormap(list(_COLORS)), vmin=0, vmax=2, aspect="auto")
    names = [axes.shorten(label, _SET) for label in labels]
    ax.set_xticks(range(len(labels)), names, rotation=30, ha="left", fontsize=style.TEXT_SIZE - 1)
    ax.xaxis.tick_top()
    texts = [
        f"{axes.shorten(name.text, _CLAIM)}  {axes.shorten(name.below, _FIGURE)}"
        for name, *_ in rows
    ]
    ax.set_yticks(range(len(rows)), texts, fontsize=style.SMALL_SIZE)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    handles = [Patch(color=c, label=name) for c, name in zip(_COLORS, _LEVELS, strict=True)]
    axes.legend(ax, handles=handles)
    verdicts = [cell.style for _, *cells in grid.rows for cell in cells if cell.style in _LEVELS]
    return style.frame(
        figure,
        f"Claims under each set: {verdicts.count('in conflict')} in conflict, "
        f"{verdicts.count('strained')} strained of {len(verdicts)} verdicts",
        notes=[
            *grid.notes,
            *(
                [f"Shown: the first {MOST} of {len(grid.rows)} claims."]
                if len(grid.rows) > MOST
                else []
            ),
        ],
    )
