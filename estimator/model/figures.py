"""Published figures on the scales of the model: points or intervals, with their noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import logit

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import HedgingOptions
from estimator.assumptions.reporting import SourceReporting
from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.evidence.schema import POINTS
from estimator.quantity import QUANTITIES, SIGNED, STOCKS, Scale

THOUSAND = 1000.0
_FAR = 1e6  # stands for an open end of an interval: finite, so that gradients stay finite
OPEN_END = 1e5
"""An end of an interval beyond this, on the scale of its quantity, is open."""

FIGURES = ("lower", "upper", "noise", "is_point", "used")
"""What the density of a claim takes beside its value."""
LOWER, UPPER, NOISE, IS_POINT, USED = range(len(FIGURES))
"""Their rows."""


def reporting_size(quantity: str) -> float:
    """Persons in the unit in which biases and noise of a quantity enter the model."""
    return THOUSAND if quantity in SIGNED else 1.0


def figures_of_claims(
    data: xr.Dataset, assumptions: AssumptionSet
) -> tuple[np.ndarray, np.ndarray]:
    """Put the figures of all claims on the scales of their quantities.

    Returns
    -------
    value, figures
        (claim,), and (claim_figure, claim) with the rows `FIGURES`.
    """
    columns = ("quantity", "origin", "hedge", "low", "value", "high")
    rows = []
    for quantity, origin, hedge, low, value, high, growth in zip(
        *(data[name].values.tolist() for name in columns),
        _growth(data, assumptions).tolist(),
        strict=True,
    ):
        figure = Figure(quantity, hedge, low, value, high)
        reporting = assumptions.reporting.of(origin, quantity)
        rows.append(figure.on_scale(reporting, assumptions.hedging, growth))
    value, lower, upper, noise = np.array(rows, dtype=float).reshape(len(rows), 4).T
    size = data["weight"].values.sum(axis=1)
    is_signed = np.isin(data["quantity"].values, SIGNED)
    noise = noise * np.where(is_signed, np.maximum(size, 1.0), 1.0)
    is_point = np.isin(data["hedge"].values, POINTS)
    return value.copy(), np.stack([lower, upper, noise, is_point, data["used"].values])


def _growth(data: xr.Dataset, assumptions: AssumptionSet) -> np.ndarray:
    """By how much a figure for less than a month is noisier than one for a month. (claim,).

    With `reporting.noise_growth` 0.5 the errors of days are independent: thirty daily figures say
    as much as their sum. A stock has no period, and rounding does not grow.
    """
    first, last = (
        data[name].values.astype("datetime64[D]") for name in ("period_start", "period_end")
    )
    days = (last - first).astype(float) + 1.0
    short = np.minimum(days / DAYS_PER_MONTH, 1.0)
    is_stock = np.isin(data["quantity"].values, STOCKS)
    return np.where(is_stock, 1.0, short**-assumptions.reporting.noise_growth)


@dataclass(frozen=True)
class Figure:
    """One claim's figure as published, in its own unit (NaN where a cell is empty)."""

    quantity: str
    hedge: str
    low: float
    value: float
    high: float

    def interval(self, hedging: HedgingOptions) -> tuple[float, float] | None:
        """Return the interval that the wording means, or None for a point."""
        scale = QUANTITIES[self.quantity].scale
        share = scale == "logit"
        nearly = hedging.share_band if share else hedging.nearly * abs(self.value)
        more_than = hedging.share_band if share else hedging.more_than * abs(self.value)
        bottom = -math.inf if scale in ("difference", "stock") else 0.0
        top = 1.0 if share else math.inf
        return {
            "range": (self.low, self.high),
            "nearly": (self.value - nearly, self.value),
            "more_than": (self.value, self.value + more_than),
            "at_least": (self.value, top),
            "under": (bottom, self.value),
            "up_to": (bottom, self.value),
        }.get(self.hedge)

    def on_scale(
        self, reporting: SourceReporting, hedging: HedgingOptions, growth: float
    ) -> tuple[float, float, float, float]:
        """Return point, lower and upper end, and noise, on the quantity's scale.

        `growth` is by how much the noise, but not the rounding, is that of a short period.
        The point of an interval is one inside it, and the ends of a point lie beside it: PyMC wants
        a number everywhere, and the density uses the one or the other.
        """
        scale = QUANTITIES[self.quantity].scale
        interval = self.interval(hedging)
        if interval is None:
            value = _on_scale(self.value, scale)
            noise = growth * self._noise(reporting, self.value)
            return value, value - 1.0, value + 1.0, math.hypot(noise, self._rounding(hedging))
        lower, upper = (_on_scale(edge, scale) for edge in interval)
        middle = float(np.mean([edge for edge in interval if math.isfinite(edge)]))
        inside = lower if upper >= _FAR else upper if lower <= -_FAR else (lower + upper) / 2.0
        return inside, lower, upper, growth * self._noise(reporting, middle)

    def _noise(self, reporting: SourceReporting, figure: float) -> float:
        relative = self.quantity in STOCKS
        size = abs(figure) / THOUSAND if relative else 1.0
        return reporting.noise * size / reporting_size(self.quantity)

    def _rounding(self, hedging: HedgingOptions) -> float:
        share = max(hedging.about if self.hedge == "about" else 0.0, hedging.minimum)
        match QUANTITIES[self.quantity].scale:
            case "log":
                return share
            case "logit":  # d logit(x) / d log(x) = 1 / (1 - x)
                return share / max(1.0 - self.value, 0.05)
            case _:
                return share * max(abs(self.value) / THOUSAND, 0.1)


def _on_scale(figure: float, scale: Scale | None) -> float:
    match scale:
        case "log":
            open_ended = not 0.0 < figure < math.inf
            return math.copysign(_FAR, figure - 1.0) if open_ended else math.log(figure / THOUSAND)
        case "logit":
            open_ended = not 0.0 < figure < 1.0
            return math.copysign(_FAR, figure - 0.5) if open_ended else float(logit(figure))
        case _:
            return figure / THOUSAND if math.isfinite(figure) else math.copysign(_FAR, figure)


def in_units(values: np.ndarray, scale: Sequence[str]) -> np.ndarray:
    """Take values off the scales of their quantities: persons, or shares.

    Parameters
    ----------
    values
        Locations or reports. (..., claim).
    scale
        Of each claim.
    """
    kind = np.array(scale)
    result = values * THOUSAND
    log, share = kind == "log", kind == "logit"
    result[..., log] = np.exp(values[..., log]) * THOUSAND
    result[..., share] = 1.0 / (1.0 + np.exp(-values[..., share]))
    return result


def confirmed_data(data: xr.Dataset, assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    """Floors in thousands, and what they count."""
    return {
        "confirmed_value": data["confirmed_floor"].values / THOUSAND,
        "confirmed_used": data["confirmed_used"].values.astype(float),
        "confirmed_states": confirmed_states(data, assumptions),
    }


COUNTED_STATES = ("severe", "light", "by_definition")
"""What decides which wounded a confirmed figure counts beside the killed."""

_STATES_OF = {"killed": (0.0, 0.0, 0.0), "irrecoverable": (1.0, 0.0, 0.0)}


def confirmed_states(data: xr.Dataset, assumptions: AssumptionSet) -> np.ndarray:
    """Share of the severely and of the lightly wounded that each confirmed figure counts.

    Returns
    -------
    (counted_state, confirmed_claim)
        Both shares; then 1 where these are 0 and the scalar assumptions of `definitions` say it.
    """
    named = assumptions.definitions.origins
    rows = []
    for quantity, origin in zip(
        data["confirmed_quantity"].values.tolist(),
        data["confirmed_origin"].values.tolist(),
        strict=True,
    ):
        own = (named[origin].severe, named[origin].light, 0.0) if origin in named else (0, 0, 1.0)
        rows.append(_STATES_OF.get(quantity, own))
    return np.array(rows, dtype=float).reshape(len(rows), len(COUNTED_STATES)).T.copy()
