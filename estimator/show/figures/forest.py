"""Answers of several assumption sets side by side."""

from __future__ import annotations

from collections.abc import Mapping

import arviz as az
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from estimator.show.figures import _arviz
from estimator.show.figures import _style as style
from estimator.show.figures._months import Months

COLUMNS = 3
UNITS = {
    "losses, last month": style.PER_MONTH,
    "losses, all months": style.PERSONS,
    "killed, all months": style.PERSONS,
    "killed share, last month": "killed / losses (share)",
    "replacement gap, last month": style.PER_MONTH,
    "net change, last month": style.PER_MONTH,
}


def plot_forest(results: Mapping[str, xr.DataTree]) -> Figure:
    """Plot ranges of the main answers for each assumption set.

    Parameters
    ----------
    results
        Results by the name shown, from top to bottom; their `posterior` in persons. Sets may have
        other numbers of draws and other months: sums are over each set's own months.

    Returns
    -------
    matplotlib.figure.Figure
        Six axes, one an answer, with the sets along y.

    Raises
    ------
    ValueError
        If there are no results.
    """
    if not results:
        raise ValueError("plot_forest needs at least one result. Got an empty mapping.")
    names = list(results)
    answers = xr.concat(
        [_answers(tree) for tree in results.values()],
        dim=xr.Variable("set", names),
        join="outer",
        coords="minimal",
        compat="override",
    )
    variables = list(UNITS)
    collection = az.plot_forest(
        xr.DataTree.from_dict({"posterior": answers}),
        var_names=variables,
        combined=True,
        point_estimate="median",
        ci_kind="eti",
        ci_probs=(style.INNER, style.OUTER),
        labels=[],
        backend=_arviz.BACKEND,
        rows=["__variable__"],
        stats={k: {"skipna": True} for k in ("trunk", "twig", "point_estimate")},
        visuals={
            "ticklabels": False,
            "remove_axis": False,
            "trunk": {"color": style.BLUE, "width": 3.2},
            "twig": {"color": style.BLUE, "width": 1.1},
            "point_estimate": {"color": style.BLACK, "size": 22},
        },
        figure_kwargs={
            "sharex": False,
            "sharey": False,
            "figsize": (style.WIDTH, 2 * (0.26 * len(names) + 1.0) + 0.9),
            "figsize_units": "inches",
        },
    )
    figure = _arviz.detach(collection)
    axes = _arviz.axes_of(collection, variables, column="forest")
    _arviz.place(figure, axes, 2, COLUMNS)
    heights = collection.get_aes_as_dataset("y")
    for i, (name, ax) in enumerate(zip(variables, axes, strict=True)):
        style.tidy(ax)
        y = np.asarray(heights[name].values, dtype=float)
        ax.set_yticks(y, names if i % COLUMNS == 0 else [""] * len(names))
        ax.tick_params(axis="y", labelleft=i % COLUMNS == 0, length=0)
        ax.set_ylim(y.min() - 0.6, y.max() + 0.6)
        ax.set_title(name, fontsize=style.TEXT_SIZE)
        ax.set_xlabel(UNITS[name], fontsize=style.SMALL_SIZE)
        ax.locator_params(axis="x", nbins=5)
        style.thousands(ax, "x")
        if name.startswith(("replacement", "net")):
            ax.axvline(0, color=style.GREY, linewidth=0.8)
    lasts = sorted({Months.of(tree).last for tree in results.values()})
    return style.finish(
        figure,
        results,
        _title(answers, len(names)),
        notes=[f"Last month: {', '.join(lasts)}."],
    )


def _answers(result: xr.DataTree) -> xr.Dataset:
    """Scalar answers of a result, by chain and draw, numbered from 0."""
    posterior = style.group(result, "posterior")
    last = posterior.isel(month=-1)
    series = (
        last["losses"] / style.THOUSAND,
        posterior["losses"].sum("month") / style.THOUSAND,
        posterior["killed"].sum("month") / style.THOUSAND,
        last["killed_share"],
        last["replacement_gap"] / style.THOUSAND,
        last["net_change"] / style.THOUSAND,
    )
    scalars = {n: s.reset_coords(drop=True) for n, s in zip(UNITS, series, strict=True)}
    return xr.Dataset(scalars).assign_coords(
        chain=np.arange(posterior.sizes["chain"]), draw=np.arange(posterior.sizes["draw"])
    )


def _title(answers: xr.Dataset, count: int) -> str:
    """Say how far the sets' medians lie apart in losses and in killed share."""
    middle = answers.median(["chain", "draw"])
    losses, share = middle["losses, last month"], middle["killed share, last month"]
    if count == 1:
        return "Main answers of one assumption set"
    return (
        f"{count} assumption sets: medians of last month's losses from {float(losses.min()):,.1f} "
        f"to {float(losses.max()):,.1f} thousand, of the killed share from "
        f"{float(share.min()):.2f} to {float(share.max()):.2f}"
    )
