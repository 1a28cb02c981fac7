"""Months of a window, and the weights with which a claim's period covers them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr

from estimator.assumptions.reporting import Delay

DAYS_PER_MONTH = 365.25 / 12
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Window:
    """The months that are estimated.

    The first month may begin mid-month (a war's first day): its days are those from `start` on.

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

    def covers(self, first: pd.Timestamp, last: pd.Timestamp) -> bool:
        """Whether a period may count: not before the start, at most the overhang after the end."""
        latest = self.end + pd.Timedelta(days=self.overhang_days)
        return bool(first >= self.start and last <= latest and first <= self.end)

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
