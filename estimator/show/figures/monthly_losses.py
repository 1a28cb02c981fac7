"""Losses by month and since the first month, with the claims on them and the confirmed floor."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from estimator.quantity import PER_MONTH
from estimator.show.figures import _axes as axes
from estimator.show.figures import _claims as claims
from estimator.show.figures import _look as style
from estimator.show.figures._months import Months, draw_floors

_ARROWS = "Arrows point to where a claim says that the figure lies (at least, under and the like)."


def plot_monthly_losses(result: xr.DataTree) -> Figure:
    """Plot monthly losses above, cumulative losses below.

    Claims that count from the window's start would hide the months, so they stand in the lower
    panel at the end of their period.

    Parameters
    ----------
    result
        Uses `posterior.losses` (chain, draw, month) in persons and `constant_data`.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes: thousand persons per month, thousand persons.
    """
    months = Months.of(result)
    losses = style.group(result, "posterior")["losses"]
    marks = claims.marks_of(result)
    table = claims.used_claims(result, "losses")
    whole = pd.Series(
        [claims.since_start(c, months) for _, c in table.iterrows()], table.index, bool
    )
    figure = style.new_figure(8.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])

    label = "estimated losses, median"
    axes.draw_band(above, months.x, axes.quantiles(losses).values, label=label)
    drawn = claims.draw_by_month(above, table[~whole], months, marks)
    draw_floors(above, claims.floors_of(result, months))
    axes.show_unit(above, "y", PER_MONTH)
    above.set_title(
        "By month, with claims at the monthly mean they imply", fontsize=style.TEXT_SIZE
    )

    total = losses.cumsum("month")
    label = "estimated total, median"
    axes.draw_band(below, months.x + 0.5, axes.quantiles(total).values, label=label)
    claims.draw_levels(
        below,
        table[whole],
        lambda claim: months.position(claim["period_end"], end_of_day=True),
        marks,
    )
    axes.show_unit(below, "y", axes.PERSONS)
    below.set_title(
        f"Since {months.labels[0]}, with cumulative claims at the end of their period",
        fontsize=style.TEXT_SIZE,
    )
    for ax in (above, below):
        axes.tidy(ax)
        ax.set_ylim(bottom=0)
        axes.legend(ax)
    months.write_ticks(below, reach=claims.reach(table, months))
    in_last = axes.range_text(losses.sel(month=months.last), PER_MONTH)
    in_all = axes.range_text(total.isel(month=-1), axes.PERSONS, digits=0)
    return style.frame_result(
        figure,
        result,
        f"Losses in {months.last}: {in_last} thousand; since {months.labels[0]}: {in_all} "
        "thousand persons",
        notes=[" ".join([_ARROWS, *months.notes]), *claims.notes(drawn)],
    )
