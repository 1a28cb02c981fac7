"""Recruits against losses by month, and the gap between them."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _claims as claims
from estimator.show.figures import _many as many
from estimator.show.figures import _style as style
from estimator.show.figures._months import Months


def plot_recruits_losses(result: xr.DataTree) -> Figure:
    """Plot recruits and losses as two bands, and the replacement gap with its zero line below.

    Parameters
    ----------
    result
        Uses `losses`, `recruits` and `replacement_gap` of `posterior` in persons, and
        `constant_data`.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, both in thousand persons per month.
    """
    months = Months.of(result)
    posterior = style.group(result, "posterior")
    looks = claims.looks(result)
    fig = style.new_figure(8.0)
    above, below = fig.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    for name, color in (("losses", style.BLUE), ("recruits", style.BLACK)):
        samples = posterior[name] / style.THOUSAND
        style.draw_band(above, months.x, samples, color=color, label=f"{name}, median")
    gap = posterior["replacement_gap"] / style.THOUSAND
    style.draw_band(below, months.x, gap, color=style.BLUE, label="replacement gap, median")
    below.axhline(0, color=style.BLACK, linewidth=1.0)
    drawn = []
    for ax, quantity in ((above, "recruits"), (below, "replacement_gap")):
        table = claims.used_claims(result, quantity)
        drawn.append(_draw_claims(ax, table, months, looks))
        claims.label_origins(ax, drawn[-1].drawn["origin"], looks, f": {claims.words(quantity)}")
        style.tidy(ax)
        style.thousands(ax)
        ax.set_ylabel(style.PER_MONTH)
        style.legend_outside(ax)
    above.set_ylim(bottom=0)
    above.set_title("Losses and recruits, with claims on recruits", fontsize=style.TEXT_SIZE)
    below.set_title("Replacement gap: recruits − losses", fontsize=style.TEXT_SIZE)
    months.write_ticks(below)
    last = gap.isel(month=-1)
    short = 100 * float((last < 0).mean())
    return style.finish(
        fig,
        result,
        f"Recruits minus losses in {months.last}: {style.range_text(last)} thousand; "
        f"below zero in {_percent(short)} of draws",
        notes=[*months.notes, *many.notes(*drawn)],
    )


def _draw_claims(
    ax: Axes, table: pd.DataFrame, months: Months, looks: dict[str, claims.Look]
) -> many.Parts:
    return many.draw_by_month(
        ax,
        table,
        lambda rows: claims.monthly_means(rows, months) / style.THOUSAND,
        months,
        looks,
        lambda claim: claims.draw_flow(ax, claim, months, looks[claim["origin"]], style.THOUSAND),
    )


def _percent(share: float) -> str:
    """Write a percentage so that only certainty reads as 0 % or 100 %."""
    if 0 < share < 1:
        return "under 1 %"
    if 99 < share < 100:
        return "over 99 %"
    return f"{share:.0f} %"
