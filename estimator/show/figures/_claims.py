"""Claims as marks on months: one by one, or if they are many by origin and month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.show.figures._look import GREEN, GREY, ORANGE, PURPLE, VERMILION, group
from estimator.show.figures._months import Months

COLUMNS = ("quantity", "unit", "hedge", "status", "origin", "low", "value", "high")
DATES = ("period_start", "period_end", "published")
UPWARD = ("at_least", "more_than")
DOWNWARD = ("under", "up_to")
BOUNDS = UPWARD + DOWNWARD
MANY = 150  # more claims than this in one axes are drawn by origin
ORIGINS = 12  # origins that are drawn by month, those with most claims
_FEW = 12  # an origin with no more than this is drawn claim by claim
_WIDTH = 0.7  # of a month, in which its origins stand side by side
_COLORS = (ORANGE, GREEN, VERMILION, PURPLE, GREY)  # not blue: that is what is estimated
_MARKERS = ("o", "s", "D", "^", "X", "P", "v")

Heights = Callable[[pd.DataFrame], np.ndarray]
"""Low, central and high of claims in the unit of their axis. (claim, 3)."""


@dataclass(frozen=True)
class Mark:
    """Colour and marker of an origin."""

    color: str
    marker: str


# ---- tables ---------------------------------------------------------------------------------


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


def floors_of(result: xr.DataTree, months: Months) -> pd.DataFrame:
    """Table of the confirmed figures that count, as bars on an axis of months.

    Returns
    -------
    pandas.DataFrame
        Index: ids of the claims. Columns begin and end (positions), mean (persons a month), single
        (whether the period is one month).
    """
    table = used_claims(result, prefix="confirmed_")
    return pd.DataFrame(
        {
            "begin": [months.position(day) for day in table["period_start"]],
            "end": [months.position(day, end_of_day=True) for day in table["period_end"]],
            "mean": monthly_means(table, months)[:, 1],
            "single": [one_month(claim, months) for _, claim in table.iterrows()],
        },
        index=table.index,
    ).dropna(subset="mean")


def marks_of(result: xr.DataTree) -> dict[str, Mark]:
    """Colour and marker of every origin, the same in all pictures of a result."""
    counts = used_claims(result)["origin"].value_counts()
    order = sorted(counts.index, key=lambda origin: (-int(counts[origin]), str(origin)))
    return {
        str(origin): Mark(_COLORS[i % len(_COLORS)], _MARKERS[(i // len(_COLORS)) % len(_MARKERS)])
        for i, origin in enumerate(order)
    }


def words(name: str) -> str:
    """Write a name of the data as words."""
    return name.replace("_", " ")


def monthly_means(table: pd.DataFrame, months: Months) -> np.ndarray:
    """Low, central and high of claims on a flow or share as the mean of their months. (claim, 3).

    Flows are in persons per month.
    """
    figures = table[["low", "central", "high"]].to_numpy(dtype=float)
    factors = [
        {"persons/month": 1.0, "persons/day": DAYS_PER_MONTH, "share": 1.0}.get(
            unit, 1.0 / max(months.weights(first, last).sum(), 1e-9)
        )
        for unit, first, last in zip(
            table["unit"], table["period_start"], table["period_end"], strict=True
        )
    ]
    return np.asarray(figures * np.reshape(factors, (-1, 1)))


def one_month(claim: pd.Series, months: Months) -> bool:
    """Whether the claim is about a single month, all of it."""
    weights = months.weights(claim["period_start"], claim["period_end"])
    return bool(np.count_nonzero(weights) == 1 and abs(weights.sum() - 1.0) < 0.05)


def since_start(claim: pd.Series, months: Months) -> bool:
    """Whether the claim is cumulative: from the window's first month on, over four or more."""
    weights = months.weights(claim["period_start"], claim["period_end"])
    return bool(weights[0] > 0.5 and weights.sum() > 3.5)


def reach(table: pd.DataFrame, months: Months) -> float:
    """Position where the last of the claims' periods ends."""
    ends = (months.position(end, end_of_day=True) for end in table["period_end"])
    return max(ends, default=0.0)


# ---- marks ----------------------------------------------------------------------------------


def draw_point(
    ax: Axes, x: float, low: float, central: float, high: float, hedge: str, mark: Mark
) -> None:
    """Draw a claim at one position: marker, bar from low to high, arrow to where a bound points."""
    if np.isfinite(low) and np.isfinite(high):
        ax.vlines(x, low, high, color=mark.color, linewidth=1.2)
    ax.plot(
        x, central, mark.marker, color=mark.color, markersize=4.5, markeredgecolor="white",
        markeredgewidth=0.4, zorder=4,
    )  # fmt: skip
    if hedge in BOUNDS:
        ax.annotate(
            "",
            xy=(x, central),
            xytext=(0, 15 if hedge in UPWARD else -15),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": mark.color, "linewidth": 1.1, "shrinkA": 0},
            annotation_clip=True,
        )


def draw_flow(ax: Axes, claim: pd.Series, figures: np.ndarray, months: Months, mark: Mark) -> None:
    """Draw a claim on a flow (or a share) over its period, at the mean of its months.

    One month: a marker. Longer: a thin line, or a thin box from low to high.
    """
    low, central, high = figures
    begin = months.position(claim["period_start"])
    end = months.position(claim["period_end"], end_of_day=True)
    if one_month(claim, months):
        draw_point(ax, begin + 0.5, low, central, high, claim["hedge"], mark)
        return
    if np.isfinite(low) and np.isfinite(high):
        box = Rectangle(
            (begin, low), end - begin, high - low, facecolor=mark.color, edgecolor=mark.color,
            alpha=0.25, linewidth=0.8, zorder=3,
        )  # fmt: skip
        ax.add_patch(box)
        ax.update_datalim([(begin, low), (end, high)])
    if np.isfinite(claim["value"]):
        ax.hlines(central, begin, end, color=mark.color, linewidth=1.4, zorder=3)
    draw_point(ax, (begin + end) / 2, np.nan, central, np.nan, claim["hedge"], mark)


# ---- few or many ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Division:
    """What of a table of claims is drawn, and how.

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
    def of(cls, table: pd.DataFrame) -> Division:
        """Divide the claims of one axes; up to `MANY` of them are all drawn one by one.

        Bounds say nothing of a median; like claims of origins with few they are drawn one by one,
        the latest ones if there are too many.
        """
        if len(table) <= MANY:
            return cls(table, table[:0], 0)
        bound = table["hedge"].isin(BOUNDS)
        counts = table.loc[~bound, "origin"].value_counts(sort=False)
        counts = counts[counts > _FEW].sort_values(ascending=False, kind="stable")
        dense = ~bound & table["origin"].isin(counts.index)
        monthly = table[dense & table["origin"].isin(counts.index[:ORIGINS])]
        rest = table[~dense].sort_values("period_end", kind="stable")
        single = rest.iloc[-MANY:]
        return cls(single, monthly, len(table) - len(monthly) - len(single))


def draw_by_month(
    ax: Axes,
    table: pd.DataFrame,
    months: Months,
    marks: dict[str, Mark],
    suffix: str = "",
    *,
    heights: Heights | None = None,
    draw: Callable[..., None] = draw_flow,
) -> Division:
    """Draw claims one by one or, if they are many, by origin and month; name their origins.

    Parameters
    ----------
    suffix
        Of the origins' names in the legend.
    heights
        In place of the claims' monthly means.
    draw
        Draws a single claim, as `draw_flow` does.

    Returns
    -------
    Division
        What was drawn how; `notes` says it in words.
    """
    figures = heights or (lambda rows: monthly_means(rows, months))
    division = Division.of(table)
    single, monthly = division.single, division.monthly
    for (_, claim), numbers in zip(single.iterrows(), figures(single), strict=True):
        draw(ax, claim, numbers, months, marks[claim["origin"]])
    if len(monthly):
        _draw_medians(ax, monthly.assign(height=figures(monthly)[:, 1]), months, marks)
    _label_origins(ax, [*monthly["origin"], *single["origin"]], marks, suffix)
    return division


def _draw_medians(ax: Axes, table: pd.DataFrame, months: Months, marks: dict[str, Mark]) -> None:
    """Draw for each origin and month the median and the middle half of its claims."""
    middle = [
        (months.position(first) + months.position(last, end_of_day=True)) / 2.0
        for first, last in zip(table["period_start"], table["period_end"], strict=True)
    ]
    table = table.assign(month=np.clip(np.round(middle), 0, len(months.labels) - 1))
    origins = table["origin"].value_counts().index
    places = np.linspace(-0.5, 0.5, len(origins)) * _WIDTH if len(origins) > 1 else np.zeros(1)
    for place, origin in zip(places, origins, strict=True):
        by_month = table[table["origin"] == origin].groupby("month")["height"]
        quarters = by_month.quantile([0.25, 0.5, 0.75]).unstack()
        x, mark = quarters.index.to_numpy() + place, marks[str(origin)]
        ax.vlines(x, quarters[0.25], quarters[0.75], color=mark.color, linewidth=1.4, alpha=0.7)
        ax.plot(
            x, quarters[0.5], mark.marker, color=mark.color, markersize=4.5,
            markeredgecolor="white", markeredgewidth=0.4, zorder=4,
        )  # fmt: skip


def draw_levels(
    ax: Axes,
    table: pd.DataFrame,
    x: Callable[[pd.Series], float],
    marks: dict[str, Mark],
    suffix: str = "",
) -> None:
    """Draw claims on a stock or a total at one position each, or if they are many a line an origin.

    Parameters
    ----------
    x
        Position of a claim.
    suffix
        Of the origins' names in the legend.
    """
    places = [x(claim) for _, claim in table.iterrows()]
    if len(table) <= MANY:
        for (_, claim), place in zip(table.iterrows(), places, strict=True):
            figures = (claim["low"], claim["central"], claim["high"])
            draw_point(ax, place, *figures, claim["hedge"], marks[claim["origin"]])
    else:
        for origin, rows in table.assign(x=places).sort_values("x").groupby("origin", sort=False):
            mark = marks[str(origin)]
            ax.plot(
                rows["x"], rows["central"], marker=mark.marker, color=mark.color, markersize=4.5,
                markevery=max(len(rows) // 12, 1), linewidth=0.8, zorder=4,
            )  # fmt: skip
    _label_origins(ax, list(table["origin"]), marks, suffix)


def _label_origins(ax: Axes, origins: list[str], marks: dict[str, Mark], suffix: str) -> None:
    """Add one legend entry an origin to the axes."""
    for origin in dict.fromkeys(origins):
        mark = marks[origin]
        ax.plot(
            [], [], mark.marker, color=mark.color, markersize=5, label=words(origin) + suffix
        )  # fmt: skip


def notes(*divisions: Division) -> list[str]:
    """Say what was drawn by month, and how much was not drawn; nothing if claims were few."""
    monthly = pd.concat([division.monthly for division in divisions])
    left_out = sum(division.left_out for division in divisions)
    texts = []
    if len(monthly):
        texts.append(
            f"Too many claims to draw each: medians and middle halves of {len(monthly):,} claims "
            f"of {monthly['origin'].nunique()} origins, by origin (side by side) and by the month "
            "of the middle of their period."
        )
    if left_out:
        texts.append(
            f"Not drawn: {left_out:,} claims, of origins with fewer claims, or earlier bounds."
        )
    return texts
