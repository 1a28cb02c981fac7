"""Figures that ArviZ makes: taken out of pyplot's global state, their axes put into rows."""

from __future__ import annotations

from typing import Any, cast

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BACKEND = "matplotlib"


def detach(collection: Any) -> Figure:
    """Take the figure of a PlotCollection away from pyplot, which would keep it open."""
    figure = cast(Figure, collection.viz["figure"].item())
    plt.close(figure)
    return figure


def axes_of(collection: Any, variables: list[str], **selection: str) -> list[Axes]:
    """Axes of the variables of a PlotCollection, in their order."""
    plots = collection.viz["plot"].to_dataset()
    return [
        plots[v].sel({k: s for k, s in selection.items() if k in plots[v].dims}).item()
        for v in variables
    ]


def place(figure: Figure, axes: list[Axes], rows: int, columns: int) -> None:
    """Put the axes into a grid, row by row, and take away all others."""
    grid = figure.add_gridspec(rows, columns)
    for i, ax in enumerate(axes):
        ax.set_subplotspec(grid[i // columns, i % columns])
    for ax in figure.axes:
        if ax not in axes:
            ax.remove()
