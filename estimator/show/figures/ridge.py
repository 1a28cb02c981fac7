"""Densities of answers of several assumption sets, one above the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _axes as axes
from estimator.show.figures import _look as style
from estimator.show.figures.forest import mark_reference, reference_note

_OVERLAP = 1.4  # height of a density in rows
_POINTS = 160  # of a density
_EDGE = 0.005  # of the draws on either side that a panel may leave out


def plot_ridge(
    draws: xr.Dataset,
    table: pd.DataFrame,
    *,
    reference: str = "",
    heading: str = "",
    selection: str = "",
) -> Figure:
    """Plot densities of answers, a panel an answer, with the sets along y.

    Parameters
    ----------
    draws
        A variable an answer with dims set and draw, of equal weight; NaN where there are none.
        Labels of `set` are the names shown.
    table
        A row a set and answer, as `plot_forest` takes it: units and failed diagnostics.
    reference
        Name of the set whose median is marked in all panels.
    heading
        What the names are made of; empty if they speak for themselves.
    selection
        Which sets these are, if not all; it is written below.

    Returns
    -------
    matplotlib.figure.Figure
        All densities have the same height: narrow ones would flatten all others.

    Raises
    ------
    ValueError
        If there is no answer.
    """
    answers = [str(name) for name in draws.data_vars]
    if not answers:
        raise ValueError("plot_ridge needs at least one answer. Got none.")
    names = [str(name) for name in draws["set"].values]
    units = table.drop_duplicates("answer").set_index("answer")["unit"]
    failures = axes.failures_in(table)
    y = np.arange(len(names), dtype=float)
    height = axes.row_height(names) * len(names) + 1.2
    figure, panels = axes.panels(len(answers), height, style.PAPER)
    beside, note = axes.heading_of_rows(heading, axes.row_height(names) * len(names))
    for n, (answer, ax) in enumerate(zip(answers, panels, strict=True)):
        values = draws[answer].transpose("set", "draw").values
        for row, sample in zip(y, values, strict=True):
            _draw_density(ax, row, sample[np.isfinite(sample)])
        low, high = np.nanquantile(values, [_EDGE, 1.0 - _EDGE])
        ax.set_xlim(low, high if high > low else low + 1.0)
        ax.set_ylim(len(names) - 0.6, -_OVERLAP - 0.2)
        axes.tidy(ax)
        axes.show_unit(ax, "x", str(units[answer]))
        axes.mark_zero(ax)
        if reference in names:
            mark_reference(ax, float(np.nanmedian(values[names.index(reference)])))
        ax.set_title(axes.heading(answer), fontsize=style.TEXT_SIZE)
        first = n % axes.COLUMNS == 0
        axes.name_rows(ax, y, names, failed=failures, bold=reference, shown=first, heading=beside)
    return style.frame(
        figure,
        f"Posterior densities of {len(names)} assumption sets",
        failure=axes.failure_text(failures),
        notes=[selection, f"{note}{reference_note(reference)}All densities have the same height."],
    )


def _draw_density(ax: Axes, row: float, sample: np.ndarray) -> None:
    """Draw a density that rises from its row; later rows lie in front of earlier ones."""
    if len(sample) < 2 or np.ptp(sample) == 0:
        return
    x, density, _ = array_stats.kde(sample, grid_len=_POINTS)
    top = row - _OVERLAP * density / density.max()
    ax.fill_between(x, row, top, color=style.BLUE, alpha=0.35, linewidth=0, zorder=2 + row / 1e3)
    ax.plot(x, top, color=style.BLUE, linewidth=0.9, zorder=2 + row / 1e3)
