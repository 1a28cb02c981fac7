"""Net change and size of the force, with the scenarios after the last month."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.quantity import PER_MONTH
from estimator.show.figures import _axes as axes
from estimator.show.figures import _claims as claims
from estimator.show.figures import _look as style
from estimator.show.figures._months import Months

SHADED = "status_quo"
_COLORS = tuple(color for color in style.COLORS if color not in (style.BLUE, style.GREY))
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
    posterior = style.group(result, "posterior")
    figure = style.new_figure(8.4)
    further: list[str] = []
    texts = []
    for name, ax, unit, title in zip(
        ("net_change", "force_size"),
        figure.subplots(2, 1, sharex=True),
        (PER_MONTH, axes.PERSONS),
        ("Net change of the force", "Size of the force at the end of the month"),
        strict=True,
    ):
        samples = posterior[name]
        label = f"estimated {claims.words(name)}, median"
        axes.draw_band(ax, months.x, axes.quantiles(samples).values, label=label)
        if "scenarios" in result.children:
            ahead = style.group(result, "scenarios")[name]
            further = [str(m) for m in ahead["projected_month"].values]
            _draw_scenarios(ax, ahead, samples.isel(month=-1), months)
        if name == "net_change":
            ax.axhline(0, color=style.BLACK, linewidth=1.0)
        else:  # sizes stand at the ends of months, claims at their day: half a month on
            claims.draw_levels(
                ax,
                claims.used_claims(result, name),
                lambda claim: months.position(claim["period_end"]) - 0.5,
                claims.marks_of(result),
                ": claim",
            )
            months.write_ticks(ax, further)
        axes.tidy(ax)
        axes.show_unit(ax, "y", unit)
        ax.set_title(title, fontsize=style.TEXT_SIZE)
        axes.legend(ax)
        digits = 1 if name == "net_change" else 0
        texts.append(axes.range_text(samples.sel(month=months.last), unit, digits=digits))
    return style.frame_result(
        figure,
        result,
        f"Net change in {months.last}: {texts[0]} thousand; force of {texts[1]} thousand persons",
        notes=[" ".join([_SCENARIOS, *months.notes])] if further else months.notes,
    )


def _draw_scenarios(ax: Axes, ahead: xr.DataArray, last: xr.DataArray, months: Months) -> None:
    """Draw the scenarios, each joined to the last month's draws."""
    x = months.x[-1] + np.arange(ahead.sizes["projected_month"] + 1)
    ax.axvline(months.x[-1] + 0.5, color=style.GREY, linewidth=0.9, linestyle=":")
    now = axes.quantiles(last).values[:, None]
    others = 0
    for name in (str(s) for s in ahead["scenario"].values):
        later = axes.quantiles(ahead.sel(scenario=name, drop=True))
        bands = np.hstack([now, later.transpose("quantile", "projected_month").values])
        label = f"scenario: {claims.words(name)}"
        if name == SHADED:
            axes.draw_band(ax, x, bands, color=style.GREY, label=label)
            continue
        ax.plot(
            x, bands[2], color=_COLORS[others % len(_COLORS)], linewidth=1.2, label=label,
            linestyle=style.DASHES[others // len(_COLORS) % len(style.DASHES)],
        )  # fmt: skip
        others += 1
