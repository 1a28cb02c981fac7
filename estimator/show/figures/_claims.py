"""Claims as they are drawn: central figure, monthly mean, position, colour and marker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from estimator.show.figures._months import DAYS_PER_MONTH, Months
from estimator.show.figures._style import GREEN, GREY, ORANGE, PURPLE, VERMILION, group

COLUMNS = ("quantity", "unit", "hedge", "status", "origin", "low", "value", "high")
DATES = ("period_start", "period_end", "published")
UPWARD = ("at_least", "more_than")
DOWNWARD = ("under", "up_to")
_COLORS = (ORANGE, GREEN, VERMILION, PURPLE, GREY)
_MARKERS = ("o", "s", "D", "^", "X", "P", "v")


@dataclass(frozen=True)
class Look:
    """Colour and marker of an origin."""

    color: str
    marker: str


def used_claims(
    result: xr.DataTree, quantity: str | None = None, *, prefix: str = ""
) -> pd.DataFrame:
    """Table of the claims that entered the likelihood, one row a claim, ids as index.

    Parameters
    ----------
    quantity
        Only claims on this quantity.
    prefix
        ``"confirmed_"`` for the confirmed figures.

    Returns
    -------
    pandas.DataFrame
        The columns of `constant_data` and `central`: the value, else the middle of low and high,
        else the one that is given.
    """
    data = group(result, "constant_data")
    dim = f"{prefix}claim"
    if dim not in data.dims:
        return pd.DataFrame(columns=[*COLUMNS, *DATES, "central"])
    table = pd.DataFrame(
        {name: data[prefix + name].values for name in (*COLUMNS, *DATES)},
        index=pd.Index(data[dim].values.astype(str), name="claim"),
    )
    table["central"] = table["value"].fillna(table[["low", "high"]].mean(axis=1))
    table = table[data[f"{prefix}used"].values.astype(bool)]
    return table if quantity is None else table[table["quantity"] == quantity]


def looks(result: xr.DataTree) -> dict[str, Look]:
    """Colour and marker of every origin, the same in all plots of a result."""
    counts = used_claims(result)["origin"].value_counts()
    order = sorted(counts.index, key=lambda origin: (-int(counts[origin]), str(origin)))
    return {
        str(origin): Look(_COLORS[i % len(_COLORS)], _MARKERS[(i // len(_COLORS)) % len(_MARKERS)])
        for i, origin in enumerate(order)
    }


def words(name: str) -> str:
    """Write a name of the data as words."""
    return name.replace("_", " ")


def monthly(claim: pd.Series, months: Months) -> tuple[float, float, float]:
    """Low, central and high of a flow as the mean of its months, in persons per month."""
    weights = months.weights(claim["period_start"], claim["period_end"])
    factor = {"persons/month": 1.0, "persons/day": DAYS_PER_MONTH, "share": 1.0}.get(
        claim["unit"], 1.0 / max(weights.sum(), 1e-9)
    )
    return (claim["low"] * factor, claim["central"] * factor, claim["high"] * factor)


def monthly_means(table: pd.DataFrame, months: Months) -> np.ndarray:
    """Central figures of claims on a flow as the mean of their months. (claim,)."""
    return np.array([monthly(claim, months)[1] for _, claim in table.iterrows()])


def one_month(claim: pd.Series, months: Months) -> bool:
    """Whether the claim is about a single month, all of it."""
    weights = months.weights(claim["period_start"], claim["period_end"])
    return bool(np.count_nonzero(weights) == 1 and abs(weights.sum() - 1.0) < 0.05)


def reach(table: pd.DataFrame, months: Months) -> float:
    """Position where the last of the claims' periods ends."""
    ends = (months.position(end, end_of_day=True) for end in table["period_end"])
    return max(ends, default=0.0)


def since_start(claim: pd.Series, months: Months) -> bool:
    """Whether the claim is cumulative: from the window's first month on, over four or more."""
    weights = months.weights(claim["period_start"], claim["period_end"])
    return bool(weights[0] > 0.5 and weights.sum() > 3.5)


def draw_hedge(ax: Axes, x: float, y: float, hedge: str, color: str) -> None:
    """Draw an arrow towards where the claim says that the figure lies."""
    if hedge not in UPWARD + DOWNWARD:
        return
    ax.annotate(
        "",
        xy=(x, y),
        xytext=(0, 15 if hedge in UPWARD else -15),
        textcoords="offset points",
        arrowprops={"arrowstyle": "<-", "color": color, "linewidth": 1.1, "shrinkA": 0},
        annotation_clip=True,
    )


def draw_point(
    ax: Axes, x: float, figures: tuple[float, float, float], hedge: str, look: Look
) -> None:
    """Draw a claim at one position: marker, bar from low to high, arrow for its hedge."""
    low, central, high = figures
    if np.isfinite(low) and np.isfinite(high):
        ax.vlines(x, low, high, color=look.color, linewidth=1.2)
    ax.plot(
        x, central, look.marker, color=look.color, markersize=4.5, markeredgecolor="white",
        markeredgewidth=0.4, zorder=4,
    )  # fmt: skip
    draw_hedge(ax, x, central, hedge, look.color)


def draw_flow(ax: Axes, claim: pd.Series, months: Months, look: Look, scale: float) -> None:
    """Draw a claim on a flow (or a share) over its period, at the mean of its months.

    One month: a marker. Longer: a thin line, or a thin box from low to high.
    """
    low, central, high = (figure / scale for figure in monthly(claim, months))
    if one_month(claim, months):
        x = months.position(claim["period_start"]) + 0.5
        draw_point(ax, x, (low, central, high), claim["hedge"], look)
        return
    begin = months.position(claim["period_start"])
    end = months.position(claim["period_end"], end_of_day=True)
    if np.isfinite(low) and np.isfinite(high):
        box = Rectangle(
            (begin, low), end - begin, high - low, facecolor=look.color, edgecolor=look.color,
            alpha=0.25, linewidth=0.8, zorder=3,
        )  # fmt: skip
        ax.add_patch(box)
        ax.update_datalim([(begin, low), (end, high)])
    if np.isfinite(claim["value"]):
        ax.hlines(central, begin, end, color=look.color, linewidth=1.4, zorder=3)
    middle = (begin + end) / 2
    ax.plot(middle, central, look.marker, color=look.color, markersize=4.5, zorder=4)
    draw_hedge(ax, middle, central, claim["hedge"], look.color)


def label_origins(ax: Axes, origins: pd.Series, shown: dict[str, Look], suffix: str = "") -> None:
    """Add one legend entry an origin to the axes."""
    for origin in dict.fromkeys(origins):
        ax.plot(
            [], [], shown[origin].marker, color=shown[origin].color, markersize=5,
            label=words(origin) + suffix,
        )  # fmt: skip
