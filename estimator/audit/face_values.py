"""Claims at face value: each an interval for a weighted sum of a monthly series.

A confirmed figure is read as the whole, a range of a rate as where the rate of each month lies, any
other rate as the mean of its period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from estimator.assumptions import QUANTITY_SCALES
from estimator.assumptions.groups import HedgingOptions
from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.evidence.wording import figure_text
from estimator.model.figures import POINTS, Figure

ADDS = {
    "losses": {"losses": 1.0},
    "killed": {"killed": 1.0},
    "recruits": {"recruits": 1.0},
    "foreign_recruits": {"foreign_recruits": 1.0},
    "replacement_gap": {"recruits": 1.0, "losses": -1.0},
}
"""Series that a claim on a quantity adds up."""


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
    for prefix, dim in (("", "claim"), ("confirmed_", "confirmed_claim")):
        # The weights of confirmed sums are those of what remains after their confirmed months.
        names = ("quantity", "origin", "hedge", "status", "unit", "low", "value", "high")
        for at in range(data.sizes[dim]):
            cell = {name: data[f"{prefix}{name}"].values[at] for name in names}
            quantity = str(cell["quantity"])
            if quantity != "killed_share" and quantity not in ADDS:
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
            weight = data[f"{prefix}weight"].values[at]
            covered = np.flatnonzero(weight > 0)
            found.append(
                FaceValue(
                    str(data[dim].values[at]),
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
                    _each_month(weight, data["month_days"].values, str(cell["unit"]))
                    if _is_band_of_rate(cell)
                    else weight[None],
                    *ends,
                )
            )
    return found


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
        if QUANTITY_SCALES[figure.quantity] == "logit":
            share *= max(1.0 - figure.value, 0.05)
        half = deviations * share * abs(figure.value)
        return figure.value - half, figure.value + half
    ends = figure.interval(hedging)
    return (-np.inf, np.inf) if ends is None else ends
