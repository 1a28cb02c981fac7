"""Losses by month and since the first month, with the claims on them and the confirmed floor."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from estimator.show.figures import _claims as claims
from estimator.show.figures import _many as many
from estimator.show.figures import _style as style
from estimator.show.figures._floors import draw_floors
from estimator.show.figures._months import Months

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
    losses = style.group(result, "posterior")["losses"] / style.THOUSAND
    looks = claims.looks(result)
    table = claims.used_claims(result, "losses")
    whole = pd.Series(
        [claims.since_start(c, months) for _, c in table.iterrows()], table.index, bool
    )
    fig = style.new_figure(8.6)
    above, below = fig.subplots(2, 1, sharex=True, height_ratios=[3, 2])

    style.draw_band(above, months.x, losses, color=style.BLUE, label="estimated losses, median")
    drawn = many.draw_by_month(
        above,
        table[~whole],
        lambda rows: claims.monthly_means(rows, months) / style.THOUSAND,
        months,
        looks,
        lambda c: claims.draw_flow(above, c, months, looks[c["origin"]], style.THOUSAND),
    )
    draw_floors(above, claims.used_claims(result, prefix="confirmed_"), months)
    claims.label_origins(above, drawn.drawn["origin"], looks)
    above.set_ylabel(style.PER_MONTH)
    above.set_title(
        "By month, with claims at the monthly mean they imply", fontsize=style.TEXT_SIZE
    )

    total = losses.cumsum("month")
    style.draw_band(below, months.x + 0.5, total, color=style.BLUE, label="estimated total, median")
    many.draw_levels(
        below,
        table[whole],
        lambda claim: months.position(claim["period_end"], end_of_day=True),
        looks,
        style.THOUSAND,
    )
    claims.label_origins(below, table["origin"][whole], looks)
    below.set_ylabel(style.PERSONS)
    below.set_title(
        f"Since {months.labels[0]}, with cumulative claims at the end of their period",
        fontsize=style.TEXT_SIZE,
    )
    for ax in (above, below):
        style.tidy(ax)
        style.thousands(ax)
        ax.set_ylim(bottom=0)
        style.legend_outside(ax)
    months.write_ticks(below, reach=claims.reach(table, months))
    return style.finish(
        fig,
        result,
        f"Losses in {months.last}: {style.range_text(losses.isel(month=-1))} thousand; since "
        f"{months.labels[0]}: {style.range_text(total.isel(month=-1), digits=0)} thousand persons",
        notes=[" ".join([_ARROWS, *months.notes]), *many.notes(drawn)],
    )
