"""Recruits against losses by month, and the gap between them."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.quantity import PER_MONTH
from estimator.show.figures import _axes as axes
from estimator.show.figures import _claims as claims
from estimator.show.figures import _look as style
from estimator.show.figures._months import Months, draw_floors

_NOT_CUT = 0.94  # share of the months whose ranges are within the axes of a page


def plot_recruits_losses(
    result: xr.DataTree, others: Sequence[xr.DataTree] = (), look: style.Look = style.PAPER
) -> Figure:
    """Plot recruits and losses as two bands, and the replacement gap with its zero line below.

    Parameters
    ----------
    result
        Uses `losses`, `recruits` and `replacement_gap` of `posterior` in persons, and
        `constant_data`.
    others
        Further results, whose medians are drawn as thin lines.
    look
        On paper with the claims on recruits and the gap, or inside a page with the floors.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, both in thousand persons per month.
    """
    months = Months.of(result)
    posterior = style.group(result, "posterior")
    figure = style.new_figure(8.0 if look.framed else 4.6, look)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    recruits = style.BLACK if look.framed else style.VERMILION
    cut = [] if look.framed else list(months.window.cut_months)  # few days would look like a fall
    shown = [n for n, month in enumerate(months.labels) if month not in cut]
    whole = [months.labels[n] for n in shown]
    posterior = posterior[["losses", "recruits", "replacement_gap"]].sel(month=whole)
    for ax, name, color in (
        (above, "losses", style.BLUE),
        (above, "recruits", recruits),
        (below, "replacement_gap", style.BLUE),
    ):
        for other in others:
            middle = style.group(other, "posterior")[name].median(["chain", "draw"])
            there = middle.reindex(month=whole).values
            ax.plot(months.x[shown], there, color=color, linewidth=0.6, alpha=0.7)
        bands = axes.quantiles(posterior[name]).values
        axes.draw_band(
            ax, months.x[shown], bands, color=color, label=f"{claims.words(name)}, median"
        )
    below.axhline(0, color=style.BLACK, linewidth=1.0)
    drawn = []
    marks = claims.marks_of(result)
    for ax, quantity in ((above, "recruits"), (below, "replacement_gap")):
        axes.tidy(ax)
        axes.show_unit(ax, "y", PER_MONTH, label=None if look.framed else "thousand a month")
        if look.framed:
            table = claims.used_claims(result, quantity)
            suffix = f": {claims.words(quantity)}"
            drawn.append(claims.draw_by_month(ax, table, months, marks, suffix))
            axes.legend(ax)
    above.set_ylim(bottom=0)
    if not look.framed:
        draw_floors(above, claims.floors_of(result, months))
        _cut_peaks(posterior, above, below)
        axes.legend(above, look)
    above.set_title(
        "Losses and recruits, with claims on recruits" if look.framed else "Losses and recruits",
        fontsize=style.TEXT_SIZE,
    )
    below.set_title("Replacement gap: recruits − losses", fontsize=style.TEXT_SIZE)
    months.write_ticks(below)
    gap = posterior["replacement_gap"].sel(month=months.last)
    return style.frame_result(
        figure,
        result,
        f"Recruits minus losses in {months.last}: {axes.range_text(gap, PER_MONTH)} thousand; "
        f"below zero in {_percent(100 * float((gap < 0).mean()))} of draws",
        notes=[*months.notes, *(claims.notes(*drawn) if drawn else [])],
        look=look,
    )


def _cut_peaks(posterior: xr.Dataset, above: Axes, below: Axes) -> None:
    """Let single months, as those of a mobilisation, not flatten all others."""
    highest = [axes.quantiles(posterior[name])[-1] for name in ("losses", "recruits")]
    above.set_ylim(0, 1.1 * max(float(one.quantile(_NOT_CUT)) for one in highest))
    gap = axes.quantiles(posterior["replacement_gap"])
    low, high = float(gap[0].quantile(1 - _NOT_CUT)), float(gap[-1].quantile(_NOT_CUT))
    below.set_ylim(1.1 * min(low, 0.0), 1.1 * max(high, 0.0))


def _percent(share: float) -> str:
    """Write a percentage so that only certainty reads as 0 % or 100 %."""
    if 0 < share < 1:
        return "under 1 %"
    if 99 < share < 100:
        return "over 99 %"
    return f"{share:.0f} %"
