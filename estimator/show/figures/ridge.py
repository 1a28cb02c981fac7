"""Densities of any answers of several assumption sets, one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from estimator.show.figures import _arviz, _panels
from estimator.show.figures import _style as style

_OVERLAP = 1.4  # height of a density in rows
_POINTS = 160  # of a density
_EDGE = 0.005  # of the draws on either side that a panel may leave out


def plot_ridge(draws: xr.Dataset, table: pd.DataFrame, *, selection: str = "") -> Figure:
    """Plot densities of answers, a panel an answer, with the sets along y.

    Parameters
    ----------
    draws
        A variable an answer with dims set and draw, of equal weight; NaN where there are none.
        Labels of `set` are the names shown.
    table
        As `estimator.studies.compare.table.compare_sets` gives it, with the names shown.
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
    reference = str(table["reference"].iloc[0])
    units = table.drop_duplicates("answer").set_index("answer")["unit"]
    limits = {answer: _limits(draws[answer].values) for answer in answers}
    # On one scale, for ArviZ takes one height for all panels.
    scaled = xr.Dataset({a: _to_unit(draws[a], limits[a]) for a in answers})
    collection = az.plot_ridge(
        xr.DataTree.from_dict({"posterior": scaled.expand_dims(chain=[0])}),
        var_names=answers,
        combined=True,
        kind="kde",
        ridge_height=_OVERLAP,
        stats={"dist": {"grid_len": _POINTS}},
        labels=[],
        backend=_arviz.BACKEND,
        rows=["__variable__"],
        visuals={
            "ticklabels": False,
            "remove_axis": False,
            "edge": {"color": style.BLUE, "width": 0.9},
            "face": {"color": style.BLUE, "alpha": 0.35},
        },
        figure_kwargs={
            "sharex": False,
            "sharey": False,
            "figsize": _panels.figure_size(len(names), len(answers)),
            "figsize_units": "inches",
        },
    )
    figure = _arviz.detach(collection)
    axes = _arviz.axes_of(collection, answers, column="ridge")
    _arviz.place(figure, axes, -(-len(answers) // _panels.COLUMNS), _panels.COLUMNS)
    failures = _panels.failures_of(table)
    heights = collection.get_aes_as_dataset("y")
    for n, (answer, ax) in enumerate(zip(answers, axes, strict=True)):
        factor, unit = _panels.scale_of(str(units[answer]))
        low, high = limits[answer]
        y = np.asarray(heights[answer].values, dtype=float).reshape(-1)
        _equal_heights(collection, answer, names, y)
        ax.set_ylim(y.min() - 0.4, y.max() + _OVERLAP + 0.2)
        ax.set_xlim(-0.02, 1.02)
        middle = np.nan
        if reference in names:
            middle = float(scaled[answer].sel(set=reference).median())
        _panels.finish_panel(ax, answer, unit, middle)
        _write_ticks(ax, low / factor, high / factor)
        first = n % _panels.COLUMNS == 0
        _panels.name_rows(ax, y, names, set(failures), reference, first=first)
    return style.frame(
        figure,
        f"Posterior densities of {len(names)} assumption sets",
        _panels.failure_note(failures),
        [selection, f"{_panels.note_of(reference)} All densities have the same height."],
    )


def _equal_heights(collection: Any, answer: str, names: Sequence[str], bases: np.ndarray) -> None:
    """Stretch the densities of a panel to one height above their rows."""
    for name, base in zip(names, bases, strict=True):
        edge = collection.viz["edge"][answer].sel(set=name).item()
        face = collection.viz["face"][answer].sel(set=name).item()
        y = np.asarray(edge.get_ydata(), dtype=float)
        top = float(np.nanmax(y)) - base
        if not (np.isfinite(top) and top > 0):
            continue
        edge.set_ydata(base + (y - base) * _OVERLAP / top)
        for path in face.get_paths():
            path.vertices[:, 1] = base + (path.vertices[:, 1] - base) * _OVERLAP / top


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Leave out the outermost draws of all sets together. Low, high."""
    low, high = np.nanquantile(values, [_EDGE, 1.0 - _EDGE])
    return float(low), float(high) if high > low else float(low) + 1.0


def _to_unit(values: xr.DataArray, limits: tuple[float, float]) -> xr.DataArray:
    low, high = limits
    return (values - low) / (high - low)


def _write_ticks(ax: Axes, low: float, high: float) -> None:
    """Label an axis that runs from 0 to 1 with the numbers it stands for."""
    ticks = MaxNLocator(5).tick_values(low, high)
    places = [(tick - low) / (high - low) for tick in ticks]
    written = [f"{tick:,.10g}".replace("-", "−") for tick in ticks]
    texts = dict(zip(places, written, strict=True))
    ax.xaxis.set_major_locator(FixedLocator(places))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda place, _: texts.get(place, "")))
    _panels.mark_zero(ax, (0.0 - low) / (high - low))
