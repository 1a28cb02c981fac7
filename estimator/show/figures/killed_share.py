"""Killed share of the losses by month, with the claims that bear on it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _claims as claims
from estimator.show.figures import _many as many
from estimator.show.figures import _style as style
from estimator.show.figures._months import Months

_ROWS = 256  # claims at a time, so that draws of their losses stay small


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
    posterior = style.group(result, "posterior")
    share, losses = posterior["killed_share"], posterior["losses"]
    looks = claims.looks(result)
    shares = claims.used_claims(result, "killed_share")
    killed = claims.used_claims(result, "killed")
    fig = style.new_figure(6.2)
    ax = fig.subplots()
    style.draw_band(ax, months.x, share, color=style.BLUE, label="estimated share, median")
    drawn_shares = many.draw_by_month(
        ax,
        shares,
        lambda rows: claims.monthly_means(rows, months),
        months,
        looks,
        lambda claim: claims.draw_flow(ax, claim, months, looks[claim["origin"]], 1.0),
    )
    drawn_killed = many.draw_by_month(
        ax,
        killed,
        lambda rows: np.array(
            [figures[1] for figures in implied_shares(rows, months, losses)], dtype=float
        ),
        months,
        looks,
        lambda claim: _draw_implied(ax, claim, months, losses, looks[claim["origin"]]),
    )
    claims.label_origins(ax, drawn_shares.drawn["origin"], looks, ": share")
    claims.label_origins(ax, drawn_killed.drawn["origin"], looks, ": implied")
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
            "period's end with a thin line over the period.",
            *many.notes(drawn_shares, drawn_killed),
        ],
    )


def implied_shares(
    table: pd.DataFrame, months: Months, losses: xr.DataArray
) -> list[tuple[float, float, float]]:
    """Low, central and high of claimed killed over the median losses of each claim's period."""
    weights = np.array(
        [
            months.weights(first, last)
            for first, last in zip(table["period_start"], table["period_end"], strict=True)
        ]
    ).reshape(len(table), len(months.labels))
    draws = losses.transpose("month", "chain", "draw").values.reshape(len(months.labels), -1)
    rows = range(0, len(table), _ROWS)
    lost = [np.median(weights[row : row + _ROWS] @ draws, axis=1) for row in rows]
    found = []
    for (_, claim), weight, total in zip(
        table.iterrows(), weights, np.concatenate([np.zeros(0), *lost]), strict=True
    ):
        per_month = claim["unit"] != "persons"
        factor = (weight.sum() if per_month else 1.0) / total
        low, central, high = (
            claims.monthly(claim, months) if per_month else claim[["low", "central", "high"]]
        )
        found.append((low * factor, central * factor, high * factor))
    return found


def _draw_implied(
    ax: Axes, claim: pd.Series, months: Months, losses: xr.DataArray, look: claims.Look
) -> None:
    (figures,) = implied_shares(claim.to_frame().T, months, losses)
    if not np.isfinite(figures[1]):
        return
    end = months.position(claim["period_end"], end_of_day=True)
    begin = months.position(claim["period_start"])
    ax.hlines(figures[1], begin, end, color=look.color, linewidth=0.6, alpha=0.35)
    claims.draw_point(ax, end, figures, claim["hedge"], look)
