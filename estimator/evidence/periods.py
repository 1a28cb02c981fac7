"""Months of a window, and the weights with which a claim's period covers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr

from estimator.assumptions.groups import WindowOptions
from estimator.assumptions.reporting import Delay

DAYS_PER_MONTH = 365.25 / 12
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Window:
    """The months that are estimated.

    The first month may begin mid-month (a war's first day), the last may end before its last day
    (the day up to which anything is known): they have only the days from `start` on and to `end`.

    Attributes
    ----------
    start, end
        First and last day.
    overhang_days
        How far a claim's period may reach beyond `end` and still count; those days are given the
        last month's rate.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    overhang_days: int = 0

    @classmethod
    def of(cls, options: WindowOptions) -> Window:
        """Window of an assumption set."""
        start, end = pd.Timestamp(options.start), pd.Timestamp(options.end)
        return cls(start, end, options.overhang_days)

    @classmethod
    def from_days(cls, month_days: xr.DataArray) -> Window:
        """Window from the days of each month (month,), as a result keeps them."""
        months = pd.PeriodIndex(month_days["month"].values.astype(str), freq="M")
        first, last = months[0], months[-1]
        late = first.days_in_month - int(month_days.values[0]) if first != last else 0
        start = first.start_time + pd.Timedelta(days=late)
        return cls(start, last.start_time + pd.Timedelta(days=int(month_days.values[-1]) - 1))

    @classmethod
    def of_result(cls, tree: xr.DataTree) -> Window:
        """Window of a result."""
        return cls.from_days(tree["constant_data"].to_dataset()["month_days"])

    @cached_property
    def months(self) -> list[str]:
        """Labels of the months, e.g. ``2026-01``."""
        return [str(p) for p in pd.period_range(self.start, self.end, freq="M")]

    @cached_property
    def edges(self) -> np.ndarray:
        """Days from `start` to each month's first day and to the day after `end`. (month + 1)."""
        firsts = pd.period_range(self.start, self.end, freq="M").to_timestamp()
        begins = np.maximum((firsts - self.start).days.to_numpy(), 0)
        return np.append(begins, (self.end - self.start).days + 1).astype(float)

    @cached_property
    def days(self) -> np.ndarray:
        """Days of each month that lie in the window. (month,), in days."""
        return np.diff(self.edges)

    @cached_property
    def calendar_share(self) -> np.ndarray:
        """Share of each calendar month that lies in the window. (month,)."""
        return np.asarray(self.days / [pd.Period(m, freq="M").days_in_month for m in self.months])

    @property
    def cut_months(self) -> dict[str, int]:
        """Days of the months of which only a part lies in the window, by label."""
        cut = self.calendar_share < 1.0
        return {m: int(self.days[i]) for i, m in enumerate(self.months) if cut[i]}

    @property
    def last_whole_month(self) -> str:
        """Label of the last month that lies whole in the window; of the last one if none does."""
        return last_whole(self.months, [f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}"])

    def covers(self, first: pd.Timestamp, last: pd.Timestamp) -> bool:
        """Whether a period may count: not before the start, at most the overhang after the end."""
        return bool(self.covering(pd.Series([first]), pd.Series([last])).iloc[0])

    def covering(self, first: pd.Series, last: pd.Series) -> pd.Series:
        """Which periods may count, as `covers` says of one; those without a day may not."""
        latest = self.end + pd.Timedelta(days=self.overhang_days)
        return (first >= self.start) & (last <= latest) & (first <= self.end)

    def overlap_days(self, first: pd.Timestamp, last: pd.Timestamp) -> np.ndarray:
        """Days of each month that a period covers, both ends included. (month,), in days.

        Days beyond the end are added to the last month (see `overhang_days`).
        """
        begin = float((first - self.start).days)
        end = float((last - self.start).days) + 1.0
        edges = self.edges
        inside: np.ndarray = np.clip(
            np.minimum(end, edges[1:]) - np.maximum(begin, edges[:-1]), 0.0, None
        )
        inside[-1] += max(0.0, end - edges[-1])
        return inside

    def flow_weights(self, first: pd.Timestamp, last: pd.Timestamp, unit: str) -> np.ndarray:
        """Weights w such that sum(w * monthly totals) is the claimed figure. (month,).

        Parameters
        ----------
        unit
            ``persons`` sums the period; ``persons/month`` and ``persons/day`` are mean rates in it.
        """
        overlap = self.overlap_days(first, last)
        weights = overlap / self.days
        per_day = 1.0 / overlap.sum()
        match unit:
            case "persons/day":
                return np.asarray(weights * per_day)
            case "persons/month":
                return np.asarray(weights * per_day * DAYS_PER_MONTH)
            case _:
                return np.asarray(weights)

    def known_share(
        self, first: pd.Timestamp, last: pd.Timestamp, published: pd.Timestamp, delay: Delay
    ) -> np.ndarray:
        """Share of what happened in a period that a registry knew when it published. (month,).

        Parameters
        ----------
        first, last
            The period.
        published
            Day of publication.
        delay
            Distribution of the days from a death to its registration.

        Returns
        -------
        numpy.ndarray
            Mean over the days of the period in each month; 1 in months outside it.
        """
        days = np.arange((last - first).days + 1)
        waited = (published - first).days - days + 1.0
        with np.errstate(divide="ignore"):
            known = ndtr(np.log(np.maximum(waited, 0.0) / delay.median_days) / delay.spread)
        month = np.searchsorted(self.edges[1:-1], (first - self.start).days + days, side="right")
        counts = np.bincount(month, minlength=len(self.months))
        total = np.bincount(month, weights=known, minlength=len(self.months))
        return np.asarray(np.where(counts > 0, total / np.maximum(counts, 1), 1.0))

    def stock_weights(self, day: pd.Timestamp) -> np.ndarray:
        """Weights of the monthly net changes in a stock at the beginning of `day`. (month,)."""
        elapsed = float((day - self.start).days)
        return np.asarray(np.clip((elapsed - self.edges[:-1]) / self.days, 0.0, 1.0))

    def years_to_end(self) -> np.ndarray:
        """Time from the middle of each month to that of the last one. (month,), in years, <= 0."""
        middles = (self.edges[:-1] + self.edges[1:]) / 2.0
        return np.asarray((middles - middles[-1]) / DAYS_PER_YEAR)


def days_in(window: str, month: str) -> int | None:
    """Days of a month that a window covers; None if that is not known, or it is no month."""
    start, _, end = window.partition(" to ")
    try:
        period = pd.Period(month, freq="M")
        first = max(pd.Timestamp(start), period.start_time)
        last = min(pd.Timestamp(end), period.end_time)
    except (ValueError, TypeError):
        return None
    if pd.isna(first) or pd.isna(last):
        return None
    return max((last.normalize() - first).days + 1, 0)


def last_whole(months: Sequence[str], windows: Iterable[str]) -> str:
    """Last of some months that is whole in all windows; the last one if none is.

    A headline of a month of which only a few days are known would look like a fall.

    Parameters
    ----------
    months
        Labels, in order.
    windows
        As for `days_in`; of a window that is not known every month is taken to be whole.

    Examples
    --------
    >>> last_whole(["2025-12", "2026-01", "2026-02"], ["2022-02-24 to 2026-02-15"])
    '2026-01'
    """
    windows = list(windows)
    for month in reversed(months):
        length = pd.Period(month, freq="M").days_in_month
        if all(days_in(window, month) in (None, length) for window in windows):
            return month
    return months[-1]
