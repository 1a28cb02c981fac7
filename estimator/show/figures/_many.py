"""Claims that are too many to be drawn one by one: medians by origin and month, lines by origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from estimator.show.figures import _claims as claims
from estimator.show.figures._months import Months

MANY = 150  # more claims than this in one axes are drawn by origin
ORIGINS = 12  # origins that are drawn by month, those with most claims
_FEW = 12  # an origin with no more than this is drawn claim by claim
_WIDTH = 0.7  # of a month, in which its origins stand side by side
_BOUNDS = claims.UPWARD + claims.DOWNWARD

DrawOne = Callable[[pd.Series], object]
"""Draws a single claim."""


@dataclass(frozen=True)
class Parts:
    """What of a table is drawn, and how.

    Attributes
    ----------
    single
        Claims that are drawn one by one.
    monthly
        Claims that are drawn by origin and month.
    left_out
        How many are not drawn.
    """

    single: pd.DataFrame
    monthly: pd.DataFrame
    left_out: int

    @classmethod
    def of(cls, table: pd.DataFrame) -> Parts:
        """Divide the claims of one axes; up to `MANY` of them are all drawn one by one.

        Bounds say nothing of a median; like claims of origins with few they are drawn one by one,
        the latest ones if there are too many.
        """
        if len(table) <= MANY:
            return cls(table, table[:0], 0)
        bound = table["hedge"].isin(_BOUNDS)
        counts = table.loc[~bound, "origin"].value_counts(sort=False)
        counts = counts[counts > _FEW].sort_values(ascending=False, kind="stable")
        dense = ~bound & table["origin"].isin(counts.index)
        monthly = table[dense & table["origin"].isin(counts.index[:ORIGINS])]
        rest = table[~dense].sort_values("period_end", kind="stable")
        single = rest.iloc[-MANY:]
        return cls(single, monthly, len(table) - len(monthly) - len(single))

    @property
    def drawn(self) -> pd.DataFrame:
        """All claims that are drawn in some way."""
        return pd.concat([self.monthly, self.single]) if len(self.monthly) else self.single


def draw_by_month(
    ax: Axes,
    table: pd.DataFrame,
    figures: Callable[[pd.DataFrame], np.ndarray],
    months: Months,
    looks: dict[str, claims.Look],
    draw_one: DrawOne,
) -> Parts:
    """Draw the claims of one axes, one by one or, if they are many, by origin and month.

    Parameters
    ----------
    figures
        Heights of claims in the axes' unit. (claim,).
    draw_one
        Draws a claim by itself.

    Returns
    -------
    Parts
        What was drawn how; `notes` says it in words.
    """
    parts = Parts.of(table)
    for _, claim in parts.single.iterrows():
        draw_one(claim)
    if len(parts.monthly):
        _draw_medians(ax, parts.monthly.assign(height=figures(parts.monthly)), months, looks)
    return parts


def _draw_medians(
    ax: Axes, table: pd.DataFrame, months: Months, looks: dict[str, claims.Look]
) -> None:
    """Draw for each origin and month the median and the middle half of its claims."""
    middle = [
        (months.position(first) + months.position(last, end_of_day=True)) / 2.0
        for first, last in zip(table["period_start"], table["period_end"], strict=True)
    ]
    table = table.assign(month=np.clip(np.round(middle), 0, len(months.labels) - 1))
    origins = table["origin"].value_counts().index
    places = np.linspace(-0.5, 0.5, len(origins)) * _WIDTH if len(origins) > 1 else np.zeros(1)
    for place, origin in zip(places, origins, strict=True):
        heights = table[table["origin"] == origin].groupby("month")["height"]
        quarters = heights.quantile([0.25, 0.5, 0.75]).unstack()
        x, look = quarters.index.to_numpy() + place, looks[str(origin)]
        ax.vlines(x, quarters[0.25], quarters[0.75], color=look.color, linewidth=1.4, alpha=0.7)
        ax.plot(
            x, quarters[0.5], look.marker, color=look.color, markersize=4.5,
            markeredgecolor="white", markeredgewidth=0.4, zorder=4,
        )  # fmt: skip


def draw_levels(
    ax: Axes,
    table: pd.DataFrame,
    x: Callable[[pd.Series], float],
    looks: dict[str, claims.Look],
    scale: float,
) -> None:
    """Draw claims on a stock or a total at one position each, or if they are many a line an origin.

    Parameters
    ----------
    x
        Position of a claim.
    scale
        What to divide figures by.
    """
    if len(table) <= MANY:
        for _, claim in table.iterrows():
            low, central, high = (claim[c] / scale for c in ("low", "central", "high"))
            look = looks[claim["origin"]]
            claims.draw_point(ax, x(claim), (low, central, high), claim["hedge"], look)
        return
    placed = table.assign(x=[x(claim) for _, claim in table.iterrows()]).sort_values("x")
    for origin, own in placed.groupby("origin", sort=False):
        look = looks[str(origin)]
        every = max(len(own) // 12, 1)
        ax.plot(
            own["x"], own["central"] / scale, marker=look.marker, markevery=every,
            color=look.color, markersize=4.5, linewidth=0.8, zorder=4,
        )  # fmt: skip


def notes(*drawn: Parts) -> list[str]:
    """Say what was drawn by month, and how much was not drawn; nothing if claims were few."""
    monthly = pd.concat([parts.monthly for parts in drawn])
    left_out = sum(parts.left_out for parts in drawn)
    said = []
    if len(monthly):
        said.append(
            f"Too many claims to draw each: medians and middle halves of {len(monthly):,} claims "
            f"of {monthly['origin'].nunique()} origins, by origin (side by side) and by the month "
            "of the middle of their period."
        )
    if left_out:
        said.append(
            f"Not drawn: {left_out:,} claims, of origins with fewer claims, or earlier bounds."
        )
    return said
