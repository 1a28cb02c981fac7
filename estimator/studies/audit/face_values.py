"""Claims at face value: each an interval for a weighted sum of a monthly series.

A confirmed figure is read as the whole, a range of a rate as where the rate of each month lies, any
other rate as the mean of its period. A figure of some days says of their months only that they had
at least so many: days of one month need not be alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from estimator.assumptions.groups import HedgingOptions
from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.evidence.schema import POINTS
from estimator.evidence.wording import figure_text
from estimator.model.figures import Figure
from estimator.quantity import COUNTS, SHARES, names_where

SERIES = ("losses", "killed", "recruits", "foreign_recruits")
"""Series that claims at face value are sums of: those that nothing needs to be assumed for."""
_READ = names_where(lambda quantity: quantity.parts and set(quantity.parts) <= set(SERIES))
_WHOLE = 0.9  # of a month's days: a period that is shorter is a part of it


@dataclass(frozen=True)
class FaceValue:
    """One claim as an interval at face value.

    Attributes
    ----------
    claim, origin, quantity, status
        As in the claims table.
    first, last
        Months that it covers.
    text
        Its figure as published.
    weights
        On the months; one row, or for a range of a rate one for each month. (row, month).
    low, high
        In its unit; infinite where open.
    is_part
        Whether its period is a part of a month; its figure is then one of at least.
    """

    claim: str
    origin: str
    quantity: str
    status: str
    first: str
    last: str
    text: str
    weights: np.ndarray
    low: float
    high: float
    is_part: bool = False

    @property
    def source(self) -> tuple[str, str]:
        """Claims that are looked at together first."""
        return self.origin, self.quantity


def face_values(data: xr.Dataset, hedging: HedgingOptions, deviations: float) -> list[FaceValue]:
    """Read all claims on flows and killed shares as intervals.

    Parameters
    ----------
    data
        `estimator.evidence.Evidence.dataset`; whether a claim counts does not matter.
    hedging
        Widths of the words.
    deviations
        Half width of a rounded figure in standard deviations of its rounding.
    """
    found = []
    months = [str(month) for month in data["month"].values]
    days = data["month_days"].values
    for prefix, dim in (("", "claim"), ("confirmed_", "confirmed_claim")):
        # The weights of confirmed sums are those of what remains after their confirmed months.
        names = ("quantity", "origin", "hedge", "status", "unit", "low", "value", "high")
        columns = {
            name: data[f"{prefix}{name}"].values
            for name in (*names, "weight", "period_start", "period_end")
        }
        ids = data[dim].values
        for at in range(data.sizes[dim]):
            cell = {name: columns[name][at] for name in names}
            quantity = str(cell["quantity"])
            if quantity not in _READ:
                continue
            low, value, high = (float(cell[name]) for name in ("low", "value", "high"))
            if prefix and str(cell["hedge"]) != "range":
                # The remainder of a sum; of a single month the figure itself.
                value = (
                    value
                    + float(data["confirmed_floor"].values[at])
                    - _edge(value, str(cell["hedge"]), hedging)
                )
            figure = Figure(quantity, str(cell["hedge"]), low, value, high)
            ends = _ends(figure, hedging, deviations)
            weight = columns["weight"][at]
            covered = np.flatnonzero(weight > 0)
            length = _days(columns["period_start"][at], columns["period_end"][at])
            is_part = length < _WHOLE * days[covered].min()
            if is_part and quantity not in COUNTS:
                continue
            if is_part:
                ends = ends[0], np.inf
                weight = (weight > 0) / _per_figure(str(cell["unit"]), length)
            found.append(
                FaceValue(
                    str(ids[at]),
                    str(cell["origin"]),
                    quantity,
                    str(cell["status"]),
                    months[covered[0]],
                    months[covered[-1]],
                    figure_text(
                        str(cell["hedge"]),
                        float(cell["low"]),
                        float(cell["value"]),
                        float(cell["high"]),
                        str(cell["unit"]),
                    ),
                    _each_month(weight, days, str(cell["unit"]))
                    if _is_band_of_rate(cell) and not is_part
                    else weight[None],
                    *ends,
                    is_part,
                )
            )
    return found


def _days(first: object, last: object) -> int:
    """Days of a period, both ends included."""
    return int((np.datetime64(str(last)) - np.datetime64(str(first))).astype(int)) + 1


def _per_figure(unit: str, days: int) -> float:
    """Persons of a period of so many days for each unit of its figure."""
    return {"persons/day": float(days), "persons/month": days / DAYS_PER_MONTH}.get(unit, 1.0)


def _is_band_of_rate(cell: dict[str, Any]) -> bool:
    return str(cell["hedge"]) == "range" and "/" in str(cell["unit"])


def _each_month(weight: np.ndarray, days: np.ndarray, unit: str) -> np.ndarray:
    """Rows that give the rate in each month that a period covers. (row, month)."""
    covered = np.flatnonzero(weight > 0)
    rows = np.zeros((len(covered), len(weight)))
    length = DAYS_PER_MONTH if unit == "persons/month" else 1.0
    rows[np.arange(len(covered)), covered] = length / days[covered]
    return rows


def _edge(value: float, hedge: str, hedging: HedgingOptions) -> float:
    return value * (1.0 - hedging.nearly) if hedge == "nearly" else value


def _ends(figure: Figure, hedging: HedgingOptions, deviations: float) -> tuple[float, float]:
    if figure.hedge in POINTS:
        share = max(hedging.about if figure.hedge == "about" else 0.0, hedging.minimum)
        if figure.quantity in SHARES:
            share *= max(1.0 - figure.value, 0.05)
        half = deviations * share * abs(figure.value)
        return figure.value - half, figure.value + half
    ends = figure.interval(hedging)
    return (-np.inf, np.inf) if ends is None else ends
