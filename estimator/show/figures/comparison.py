"""Ranges of any answers of several assumption sets, from their quantiles: no draws are needed."""

from __future__ import annotations

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from estimator.show.figures import _arviz, _panels
from estimator.show.figures import _style as style

_QUANTILES = ("q05", "q25", "q50", "q75", "q95")


def plot_comparison(table: pd.DataFrame, *, selection: str = "") -> Figure:
    """Plot ranges of answers, a panel an answer, with the sets along y.

    Parameters
    ----------
    table
        As `estimator.studies.compare.table.compare_sets` gives it, with the names shown in
        `assumption_set` and `reference`; persons become thousands. Of probabilities only a point
        is drawn.
    selection
        Which sets these are, if not all; it is written below.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the table is empty.
    """
    if table.empty:
        raise ValueError("plot_comparison needs at least one row. Got an empty table.")
    names = list(dict.fromkeys(table["assumption_set"]))
    answers = list(dict.fromkeys(table["answer"]))
    reference = str(table["reference"].iloc[0])
    ranges, units = _ranges(table, names, answers)
    collection = az.plot_forest(
        xr.DataTree.from_dict({"posterior": ranges["q50"].expand_dims(chain=[0], draw=[0])}),
        var_names=answers,
        combined=True,
        point_estimate="median",
        ci_kind="eti",
        ci_probs=(style.INNER, style.OUTER),
        labels=[],
        backend=_arviz.BACKEND,
        rows=["__variable__"],
        stats={
            "trunk": _bounds(ranges["q25"], ranges["q75"]),
            "twig": _bounds(ranges["q05"], ranges["q95"]),
            "point_estimate": ranges["q50"],
        },
        visuals={
            "ticklabels": False,
            "remove_axis": False,
            "trunk": {"color": style.BLUE, "width": 3.2},
            "twig": {"color": style.BLUE, "width": 1.1},
            "point_estimate": {"color": style.BLACK, "size": _panels.point_size(len(names))},
        },
        figure_kwargs={
            "sharex": False,
            "sharey": False,
            "figsize": _panels.figure_size(len(names), len(answers)),
            "figsize_units": "inches",
        },
    )
    figure = _arviz.detach(collection)
    axes = _arviz.axes_of(collection, answers, column="forest")
    _arviz.place(figure, axes, -(-len(answers) // _panels.COLUMNS), _panels.COLUMNS)
    failures = _panels.failures_of(table)
    heights = collection.get_aes_as_dataset("y")
    for n, (answer, ax) in enumerate(zip(answers, axes, strict=True)):
        y = np.asarray(heights[answer].values, dtype=float).reshape(-1)
        ax.set_ylim(y.min() - 0.6, y.max() + 0.6)
        middle = ranges["q50"][answer]
        at_reference = float(middle.sel(set=reference)) if reference in names else np.nan
        _panels.finish_panel(ax, answer, units[answer], at_reference)
        _panels.mark_zero(ax)
        first = n % _panels.COLUMNS == 0
        _panels.name_rows(ax, y, names, set(failures), reference, first=first)
    return style.frame(
        figure,
        _title(len(names), answers[0], ranges["q50"][answers[0]], units[answers[0]]),
        _panels.failure_note(failures),
        [selection, f"{_panels.note_of(reference)} {style.RANGES_TEXT}."],
    )


def _ranges(
    table: pd.DataFrame, names: list[str], answers: list[str]
) -> tuple[dict[str, xr.Dataset], dict[str, str]]:
    """One dataset a quantile with a variable an answer, in the units shown; these units."""
    units, columns = {}, {}
    for answer, rows in table.groupby("answer", sort=False):
        factor, units[str(answer)] = _panels.scale_of(str(rows["unit"].iloc[0]))
        rows = rows.set_index("assumption_set").reindex(names)
        columns[str(answer)] = rows[list(_QUANTILES)] / factor
    ranges = {
        quantile: xr.Dataset(
            {answer: ("set", columns[answer][quantile].to_numpy()) for answer in answers},
            coords={"set": names},
        )
        for quantile in _QUANTILES
    }
    return ranges, units


def _bounds(low: xr.Dataset, high: xr.Dataset) -> xr.Dataset:
    both = xr.concat([low, high], dim="ci_bound")
    return both.assign_coords(ci_bound=["lower", "upper"])


def _title(count: int, answer: str, middle: xr.DataArray, unit: str) -> str:
    low, high = float(middle.min()), float(middle.max())
    if count == 1:
        return f"{_panels.heading(answer)} of one assumption set: median {low:,.4g} {unit}"
    return (
        f"{count} assumption sets: medians of {_panels.heading(answer)} from {low:,.4g} to "
        f"{high:,.4g} {unit}"
    )
