"""Killed share of the losses by month, with the claims that bear on it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimator.show.figures import _axes as axes
from estimator.show.figures import _claims as claims
from estimator.show.figures import _look as style
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
    marks = claims.marks_of(result)
    shares = claims.used_claims(result, "killed_share")
    killed = claims.used_claims(result, "killed")
    figure = style.new_figure(6.2)
    ax = figure.subplots()
    bands = axes.quantiles(share).values
    axes.draw_band(ax, months.x, bands, label="estimated share, median")
    drawn = [
        claims.draw_by_month(ax, shares, months, marks, ": share"),
        claims.draw_by_month(
            ax, killed, months, marks, ": implied",
            heights=lambda rows: implied_shares(rows, months, losses), draw=_draw_implied,
        ),
    ]  # fmt: skip
    axes.tidy(ax)
    ax.set_ylim(0, 1)
    axes.show_unit(ax, "y", "share", label="killed of those lost, %")
    months.write_ticks(ax, reach=claims.reach(pd.concat([shares, killed]), months))
    axes.legend(ax)
    last = axes.range_text(share.sel(month=months.last), "share", digits=0)
    return style.frame_result(
        figure,
        result,
        f"Killed share of the losses in {months.last}, in per cent: {last}",
        notes=[
            "Implied: claimed killed / posterior median losses of the same period, marked at the "
            "period's end with a thin line over the period.",
            *claims.notes(*drawn),
        ],
    )


def implied_shares(table: pd.DataFrame, months: Months, losses: xr.DataArray) -> np.ndarray:
    """Low, central and high of claimed killed over the median losses of their period. (claim, 3).

    Parameters
    ----------
    losses
        Draws by month, dims chain, draw and month.
    """
    weights = np.array(
        [
            months.weights(first, last)
            for first, last in zip(table["period_start"], table["period_end"], strict=True)
        ]
    ).reshape(len(table), len(months.labels))
    draws = losses.transpose("month", "chain", "draw").values.reshape(len(months.labels), -1)
    parts = [weights[row : row + _ROWS] for row in range(0, len(table), _ROWS)]
    lost = np.concatenate([np.zeros(0), *(np.median(part @ draws, axis=1) for part in parts)])
    killed = claims.monthly_means(table, months) * weights.sum(axis=1, keepdims=True)
    return np.asarray(killed / lost[:, None])


def _draw_implied(
    ax: Axes, claim: pd.Series, figures: np.ndarray, months: Months, mark: claims.Mark
) -> None:
    low, central, high = figures
    if np.isfinite(central):
        begin = months.position(claim["period_start"])
        end = months.position(claim["period_end"], end_of_day=True)
        ax.hlines(central, begin, end, color=mark.color, linewidth=0.6, alpha=0.35)
        claims.draw_point(ax, end, low, central, high, claim["hedge"], mark)
