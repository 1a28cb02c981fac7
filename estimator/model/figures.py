"""Published figures on the scales of the model: points or intervals, with their noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import logit, ndtri

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
"""What the density of a claim takes beside its value; `used` is its weight, 0 to 1."""
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
    columns = ("quantity", "hedge", "low", "value", "high", "sd", "level")
    read = [
        Figure(*cells)
        for cells in zip(*(data[name].values.tolist() for name in columns), strict=True)
    ]
    rows = [
        figure.on_scale(
            assumptions.reporting.of(origin, figure.quantity), assumptions.hedging, growth
        )
        for figure, origin, growth in zip(
            read, data["origin"].values.tolist(), _growth(data, assumptions).tolist(), strict=True
        )
    ]
    value, lower, upper, noise = np.array(rows, dtype=float).reshape(len(rows), 4).T
    size = data["weight"].values.sum(axis=1)
    is_signed = np.isin(data["quantity"].values, SIGNED)
    noise = noise * np.where(is_signed, np.maximum(size, 1.0), 1.0)
    is_point = np.array([figure.is_point for figure in read], dtype=float)
    noise = noise * np.sqrt(_overlaps(data, (lower > -_FAR) & (upper < _FAR)))
    share = _shares_of_bounds(data, lower, upper)
    return value.copy(), np.stack([lower, upper, noise, is_point, share])


def _overlaps(data: xr.Dataset, is_figure: np.ndarray) -> np.ndarray:
    """How many figures of its source speak of a claim's period, itself counted. (claim,).

    Sums that overlap share what went wrong in the days that both cover. Each other figure counts by
    the days that both cover, as a share of those that either covers: a repeated sum counts 1, so
    that both together say as much as one, and months side by side count 0.
    """
    first, last = (
        data[name].values.astype("datetime64[D]").astype(float)
        for name in ("period_start", "period_end")
    )
    found = np.ones(len(first))
    counts = data["used"].values & is_figure & ~np.isin(data["quantity"].values, STOCKS)
    source = data["source"].values
    for name in np.unique(source[counts]):
        rows = np.flatnonzero(counts & (source == name))
        begin, end = first[rows], last[rows] + 1.0
        both = np.minimum(end[:, None], end) - np.maximum(begin[:, None], begin)
        either = np.maximum(end[:, None], end) - np.minimum(begin[:, None], begin)
        found[rows] = (np.maximum(both, 0.0) / either).sum(axis=1)
    return found


def _shares_of_bounds(data: xr.Dataset, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Weight of each claim's log density; 0 where it does not count. (claim,).

    Bounds on one side from one source (at least, under, up to) have one error, which is that of its
    way of counting: all together they weigh as much as one, each by the days that it speaks of.
    Fifty-two "at least" of weeks with errors of their own would say that the largest of fifty-two
    errors was survived, and push the truth far above what a year's "at least" says.
    """
    first, last = (
        data[name].values.astype("datetime64[D]").astype(float)
        for name in ("period_start", "period_end")
    )
    share = data["used"].values.astype(float)
    source = data["source"].values
    for is_open in (upper >= _FAR, lower <= -_FAR):
        bounds = is_open & (share > 0)
        for name in np.unique(source[bounds]):
            rows = np.flatnonzero(bounds & (source == name))
            days = last[rows] - first[rows] + 1.0
            share[rows] = days / days.sum()
    return share


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
    sd: float = math.nan
    level: float = math.nan

    @property
    def has_interval(self) -> bool:
        """Whether its low and high are an interval of an estimate, and not what its words mean.

        They are where the level is published, and where a best guess lies inside them.
        """
        inside = self.low < self.value < self.high
        said = not math.isnan(self.level)
        return self.hedge in (*POINTS, "range") and (inside or said) and self.low < self.high

    @property
    def is_point(self) -> bool:
        """Whether it is a figure with an error, and not a bound or a band."""
        has_error = self.hedge == "range" and not math.isnan(self.sd)
        return self.hedge in POINTS or self.has_interval or has_error

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
        if self.is_point or interval is None:
            middle = (self.low + self.high) / 2.0 if math.isnan(self.value) else self.value
            value = _on_scale(middle, scale)
            noise = growth * self._noise(reporting, middle)
            error = self._published_error(hedging, middle)
            return value, value - 1.0, value + 1.0, math.hypot(noise, error)
        lower, upper = (_on_scale(edge, scale) for edge in interval)
        middle = float(np.mean([edge for edge in interval if math.isfinite(edge)]))
        inside = lower if upper >= _FAR else upper if lower <= -_FAR else (lower + upper) / 2.0
        return inside, lower, upper, growth * self._noise(reporting, middle)

    def _noise(self, reporting: SourceReporting, figure: float) -> float:
        relative = self.quantity in STOCKS
        size = abs(figure) / THOUSAND if relative else 1.0
        return reporting.noise * size / reporting_size(self.quantity)

    def _published_error(self, hedging: HedgingOptions, middle: float) -> float:
        """Return the published standard error, or that of the interval; else of the rounding."""
        scale = QUANTITIES[self.quantity].scale
        if not math.isnan(self.sd):
            slope = {"log": 1.0 / middle, "logit": 1.0 / (middle * (1.0 - middle))}
            return max(self.sd * slope.get(str(scale), 1.0 / THOUSAND), hedging.minimum)
        if self.has_interval:
            level = hedging.range_level if math.isnan(self.level) else self.level
            width = _on_scale(self.high, scale) - _on_scale(self.low, scale)
            return max(width / (2.0 * float(ndtri((1.0 + level) / 2.0))), hedging.minimum)
        return self._rounding(hedging)

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
        "confirmed_rounding": data["confirmed_rounding"].values / THOUSAND,
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
