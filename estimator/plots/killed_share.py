"""Killed share of the losses by month, with the claims that bear on it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.plots import _claims as claims
from estimator.plots import _style as style
from estimator.plots._months import Months


def plot_killed_share(result: xr.DataTree) -> Figure:
    """Plot the killed share with claims on it, and the shares that killed-claims imply.

    A claim on the killed says something about a share only with losses: it is divided by the
    posterior median of the losses of its period.

    Parameters
    ----------
    result
        Uses `posterior.killed_share`, `posterior.losses` and `constant_data`.

    Returns
    -------
    matplotlib.figure.Figure
        One axes: killed per person lost.
    """
    months = Months.of(result)
    share = style.group(result, "posterior")["killed_share"]
    looks = claims.looks(result)
    shares = claims.used_claims(result, "killed_share")
    killed = claims.used_claims(result, "killed")
    fig = style.new_figure(6.2)
    ax = fig.subplots()
    style.draw_band(ax, months.x, share, color=style.BLUE, label="estimated share, median")
    for _, claim in shares.iterrows():
        claims.draw_flow(ax, claim, months, looks[claim["origin"]], 1.0)
    for _, claim in killed.iterrows():
        _draw_implied(
            ax, claim, months, style.group(result, "posterior")["losses"], looks[claim["origin"]]
        )
    claims.label_origins(ax, shares["origin"], looks, ": share")
    claims.label_origins(ax, killed["origin"], looks, ": implied")
    style.tidy(ax)
    ax.set_ylim(0, 1)
    ax.set_ylabel("killed / losses (share)")
    months.write_ticks(ax, reach=claims.reach(pd.concat([shares, killed]), months))
    style.legend_outside(ax)
    return style.finish(
        fig,
        result,
        f"Killed share of the losses in {months.last}: "
        f"{style.range_text(share.isel(month=-1), digits=2)}",
        notes=[
            "Implied: claimed killed / posterior median losses of the same period, marked at the "
            "period's end with a thin line over the period."
        ],
    )


def implied_share(
    claim: pd.Series, months: Months, losses: xr.DataArray
) -> tuple[float, float, float]:
    """Low, central and high of claimed killed over the median losses of the claim's period."""
    weights = months.weights(claim["period_start"], claim["period_end"])
    along = xr.DataArray(weights, dims="month", coords={"month": losses["month"]})
    lost = float((losses * along).sum("month").median())
    per_month = claim["unit"] != "persons"
    factor = (weights.sum() if per_month else 1.0) / lost
    low, central, high = (
        claims.monthly(claim, months) if per_month else claim[["low", "central", "high"]]
    )
    return (low * factor, central * factor, high * factor)


def _draw_implied(
    ax: Axes, claim: pd.Series, months: Months, losses: xr.DataArray, look: claims.Look
) -> None:
    figures = implied_share(claim, months, losses)
    if not np.isfinite(figures[1]):
        return
    end = months.position(claim["period_end"], end_of_day=True)
    begin = months.position(claim["period_start"])
    ax.hlines(figures[1], begin, end, color=look.color, linewidth=0.6, alpha=0.35)
    claims.draw_point(ax, end, figures, claim["hedge"], look)
