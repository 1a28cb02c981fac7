"""Net change and size of the force, with the scenarios after the last month."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _claims as claims
from estimator.show.figures import _many as many
from estimator.show.figures import _style as style
from estimator.show.figures._months import Months

SHADED = "status_quo"
_COLORS = (style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY, style.BLACK)
_DASHES = ("-", "--", ":")
_SCENARIOS = "After the dotted line: scenarios; status quo with its ranges, the others at medians."


def plot_force(result: xr.DataTree) -> Figure:
    """Plot net change above and force size below, carried on by the scenarios if there are any.

    Only the scenario `status_quo` has a band; the others are lines at their medians.

    Parameters
    ----------
    result
        Uses `net_change` and `force_size` of `posterior` and, if it is there, of `scenarios`
        (scenario, chain, draw, projected_month), in persons.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes: thousand persons per month, thousand persons.
    """
    months = Months.of(result)
    fig = style.new_figure(8.4)
    axes = dict(zip(("net_change", "force_size"), fig.subplots(2, 1, sharex=True), strict=True))
    further: list[str] = []
    for name, ax in axes.items():
        samples = style.group(result, "posterior")[name] / style.THOUSAND
        style.draw_band(
            ax, months.x, samples, color=style.BLUE, label=f"estimated {claims.words(name)}, median"
        )
        if "scenarios" in result.children:
            ahead = style.group(result, "scenarios")[name] / style.THOUSAND
            further = [str(m) for m in ahead["projected_month"].values]
            _draw_scenarios(ax, ahead, samples.isel(month=-1), months)
        style.tidy(ax)
        style.thousands(ax)
    axes["net_change"].axhline(0, color=style.BLACK, linewidth=1.0)
    axes["net_change"].set_ylabel(style.PER_MONTH)
    axes["net_change"].set_title("Net change of the force", fontsize=style.TEXT_SIZE)
    axes["force_size"].set_ylabel(style.PERSONS)
    axes["force_size"].set_title(
        "Size of the force at the end of the month", fontsize=style.TEXT_SIZE
    )
    _draw_stocks(axes["force_size"], result, months)
    for ax in axes.values():
        style.legend_outside(ax)
    months.write_ticks(axes["force_size"], further)
    last = style.group(result, "posterior")["net_change"].isel(month=-1) / style.THOUSAND
    size = style.group(result, "posterior")["force_size"].isel(month=-1) / style.THOUSAND
    return style.finish(
        fig,
        result,
        f"Net change in {months.last}: {style.range_text(last)} thousand; force of "
        f"{style.range_text(size, digits=0)} thousand persons",
        notes=[" ".join([_SCENARIOS, *months.notes])] if further else months.notes,
    )


def _draw_scenarios(ax: Axes, ahead: xr.DataArray, last: xr.DataArray, months: Months) -> None:
    """Draw the scenarios, each joined to the last month's draws."""
    x = months.x[-1] + np.arange(ahead.sizes["projected_month"] + 1)
    ax.axvline(months.x[-1] + 0.5, color=style.GREY, linewidth=0.9, linestyle=":")
    others = 0
    for name in (str(s) for s in ahead["scenario"].values):
        one = ahead.sel(scenario=name, drop=True)
        label = f"scenario: {claims.words(name)}"
        if name == SHADED:
            first = last.drop_vars("month", errors="ignore").expand_dims(projected_month=["now"])
            style.draw_band(
                ax, x, xr.concat([first, one], "projected_month").transpose(..., "projected_month"),
                color=style.GREY, label=label,
            )  # fmt: skip
            continue
        mid = [float(last.median()), *one.median(["chain", "draw"]).values]
        ax.plot(
            x, mid, color=_COLORS[others % len(_COLORS)], linewidth=1.2, label=label,
            linestyle=_DASHES[(others // len(_COLORS)) % len(_DASHES)],
        )  # fmt: skip
        others += 1


def _draw_stocks(ax: Axes, result: xr.DataTree, months: Months) -> None:
    """Draw claims on the force size at their day (sizes stand at months' ends: half a month on)."""
    looks = claims.looks(result)
    table = claims.used_claims(result, "force_size")
    many.draw_levels(
        ax, table, lambda claim: months.position(claim["period_end"]) - 0.5, looks, style.THOUSAND
    )
    claims.label_origins(ax, table["origin"], looks, ": claim")
