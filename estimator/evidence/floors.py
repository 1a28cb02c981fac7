"""Confirmed figures as the model takes them: what is shorter than a month added up, sums cut down.

One count is additive: 90,000 confirmed for a quarter, 25,000 of them in its first month and 35,000
in its last, are 30,000 confirmed in the month between. Reading the sum as that remainder keeps the
ratios of different months independent, counts no figure twice, and implies the same floor under the
sum.

For the same reason weeks and days become months. The model has one rate a month: with a ratio of
its own for each week, which all have that rate, weeks that are alike would say that nothing lies
above them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from estimator.evidence.periods import Window

_SAME_COUNT = ["origin", "quantity", "population"]
_LONG = 28  # days; what is shorter is less than a month
_DAY = pd.Timedelta(days=1)
_SCALED = ("low", "value", "high")

ADDED_UP = "confirmed for less than a month, and added up with its neighbours"
"""Why a confirmed claim does not count itself."""


def add_up_to_months(claims: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Add up the confirmed figures of one count for weeks or days that follow on one another.

    Parameters
    ----------
    claims
        As `estimator.evidence.select_claims` returns them.
    window
        Months that are estimated.

    Returns
    -------
    pandas.DataFrame
        The claims, with a claim more for each month, derived from those that it adds up, which do
        not count any more. A figure whose period reaches into the next month is shared out by
        days. A figure that has no neighbour stays as it is.
    """
    days = (claims["period_end"] - claims["period_start"]).dt.days + 1
    short = claims["used"] & (claims["status"] == "confirmed") & (claims["unit"] == "persons")
    of_one_count = [*_SAME_COUNT, "hedge", "evidence_group"]
    months: list[dict[Hashable, Any]] = []
    added: list[int] = []
    for _, rows in claims[short & (days < _LONG)].groupby(of_one_count, sort=False):
        for run in _runs(rows.sort_values(["period_start", "period_end"])):
            months += _months(run, window)
            added += run.index.tolist()
    if not months:
        return claims
    claims = claims.copy()
    claims.loc[added, ["used", "reason"]] = (False, ADDED_UP)
    return pd.concat([claims, pd.DataFrame(months, columns=claims.columns)], ignore_index=True)


def _runs(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield runs of at least two rows, each of which begins on the day after the one before."""
    starts, ends = rows["period_start"].tolist(), rows["period_end"].tolist()
    run: list[int] = []
    for at, start in enumerate(starts):
        if run and start == ends[run[-1]] + _DAY:
            run.append(at)
        elif not run or start > ends[run[-1]]:
            if len(run) > 1:
                yield rows.iloc[run]
            run = [at]
    if len(run) > 1:
        yield rows.iloc[run]


def _months(run: pd.DataFrame, window: Window) -> Iterator[dict[Hashable, Any]]:
    """Claims on the months of a run; days beyond the window belong to its last month."""
    first, last = run["period_start"].min(), run["period_end"].max()
    begins = pd.date_range(first, min(last, window.end), freq="MS")
    edges = [first, *(day for day in begins if day > first), last + _DAY]
    days = (run["period_end"] - run["period_start"]).dt.days + 1
    for start, after in pairwise(edges):
        begin = run["period_start"].clip(lower=start)
        end = (run["period_end"] + _DAY).clip(upper=after)
        inside = (end - begin).dt.days
        parts = run[inside > 0]
        share = (inside / days)[parts.index]
        oldest, latest = parts["id"].iloc[0], parts["id"].iloc[-1]
        yield parts.iloc[0].to_dict() | {
            "id": f"{oldest}-{latest}" if len(parts) > 1 else f"{oldest}-{start:%Y-%m}",
            "period_start": start,
            "period_end": after - _DAY,
            **{name: (parts[name] * share).sum(min_count=1) for name in _SCALED},
            "published": parts["published"].max(),
            "citation": f"Sum of {oldest} to {latest}; {parts['citation'].iloc[0]}",
            "derived_from": " ".join(parts["id"]),
        }


def difference_floors(
    floors: pd.DataFrame, weight: np.ndarray, figure: np.ndarray, half_width: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Take from each confirmed sum the confirmed figures of its single months.

    Parameters
    ----------
    floors
        Confirmed claims with `used` and the columns that name one count.
    weight
        Weights of their periods on the months. (floor, month).
    figure
        Floors in persons. (floor,).
    half_width
        How far each figure may lie from its count, having been rounded; persons. (floor,).

    Returns
    -------
    weight, figure, used
        Of the remainders; a sum stays whole where its rounding and that of its months might leave
        nothing. Of several floors of one count with the same weights, the highest is used.
    rounding
        By how much each remainder moves if a figure was rounded down by all of its half width:
        a remainder carries the rounding of its sum and of all months that were taken from it.
        (floor, floor).
    """
    weight, figure = weight.copy(), figure.copy()
    rounding = np.diag(half_width.astype(float))
    used = floors["used"].to_numpy(dtype=bool).copy()
    count = floors.groupby(_SAME_COUNT, sort=False).ngroup().to_numpy()
    whole = np.isclose(weight, 1.0)
    single = (weight > 0).sum(axis=1) == 1
    single &= whole.sum(axis=1) == 1
    for row in np.flatnonzero(~single):
        for month in np.flatnonzero(whole[row]):
            parts = single & whole[:, month] & (count == count[row])
            parts &= used if used[row] else True
            if not parts.any() or (weight[row] > 0).sum() < 2:
                continue
            part = int(np.flatnonzero(parts)[np.argmax(figure[parts])])
            carried = rounding[row] - rounding[part]
            if figure[row] - figure[part] > np.abs(carried).sum():
                figure[row] -= figure[part]
                rounding[row] = carried
                weight[row, month] = 0.0
    months = weight > 0
    alike: dict[Hashable, list[int]] = {}
    for number, is_used in enumerate(used.tolist()):
        if is_used:
            alike.setdefault((count[number], months[number].tobytes()), []).append(number)
    for rows in alike.values():
        for number in rows:
            same = np.array([other for other in rows if used[other]])
            same = same[np.isclose(weight[same], weight[number]).all(axis=1)]
            higher = figure[same] > figure[number]
            higher |= (figure[same] == figure[number]) & (same < number)
            used[number] = not higher.any()
    return weight, figure, used, rounding
