"""Recruits against losses by month, and the gap between them."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from estimator.quantity import PER_MONTH
from estimator.show.figures import _axes as axes
from estimator.show.figures import _claims as claims
from estimator.show.figures import _look as style
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
    marks = claims.marks_of(result)
    figure = style.new_figure(8.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    for ax, name, color in (
        (above, "losses", style.BLUE),
        (above, "recruits", style.BLACK),
        (below, "replacement_gap", style.BLUE),
    ):
        bands = axes.quantiles(posterior[name]).values
        axes.draw_band(ax, months.x, bands, color=color, label=f"{claims.words(name)}, median")
    below.axhline(0, color=style.BLACK, linewidth=1.0)
    drawn = []
    for ax, quantity in ((above, "recruits"), (below, "replacement_gap")):
        table = claims.used_claims(result, quantity)
        suffix = f": {claims.words(quantity)}"
        drawn.append(claims.draw_by_month(ax, table, months, marks, suffix))
        axes.tidy(ax)
        axes.show_unit(ax, "y", PER_MONTH)
        axes.legend(ax)
    above.set_ylim(bottom=0)
    above.set_title("Losses and recruits, with claims on recruits", fontsize=style.TEXT_SIZE)
    below.set_title("Replacement gap: recruits − losses", fontsize=style.TEXT_SIZE)
    months.write_ticks(below)
    gap = posterior["replacement_gap"].sel(month=months.last)
    return style.frame_result(
        figure,
        result,
        f"Recruits minus losses in {months.last}: {axes.range_text(gap, PER_MONTH)} thousand; "
        f"below zero in {_percent(100 * float((gap < 0).mean()))} of draws",
        notes=[*months.notes, *claims.notes(*drawn)],
    )


def _percent(share: float) -> str:
    """Write a percentage so that only certainty reads as 0 % or 100 %."""
    if 0 < share < 1:
        return "under 1 %"
    if 99 < share < 100:
        return "over 99 %"
    return f"{share:.0f} %"
