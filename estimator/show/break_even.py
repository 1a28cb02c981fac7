"""A break-even as it is handed on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from estimator.export import plain_numbers
from estimator.show.number import resolved

CURVE_COLUMNS = ("value", "value_2", "probability", "error", "ess", "k_hat", "used")
REFIT_COLUMNS = (
    "kind",
    "value",
    "value_2",
    "probability",
    "error",
    "ess",
    "curve",
    "curve_error",
    "failures",
    "seconds",
)
CONTOUR_COLUMNS = ("edge", "line", "value", "value_2")
_TABLES = ("curve", "refits", "contour")


@dataclass(frozen=True)
class Axis:
    """A key as it was moved.

    Attributes
    ----------
    key, unit, description
        What it is.
    low, high
        Range over which it was moved, in its unit.
    source
        Where the range comes from.
    assumed
        What the set itself assumes, e.g. ``0.3 to 0.65 share``; empty where it says nothing.
    assumed_low, assumed_high
        The same as numbers; equal where the set holds the key fixed, NaN where it says nothing.
    """

    key: str
    unit: str
    description: str
    low: float
    high: float
    source: str
    assumed: str
    assumed_low: float
    assumed_high: float


@dataclass(frozen=True)
class Crossing:
    """A value at which the probability crosses the level.

    Attributes
    ----------
    value, low, high
        In the unit of the key; the interval tells the Monte-Carlo error alone.
    rising
        Whether the probability rises as the key grows.
    fits
        How many real fits it rests on; 0 if it is read off the reweighted curve.
    narrow
        Whether the interval is within the tolerance.
    open_low, open_high
        Whether the interval ends only because the range does.
    """

    value: float
    low: float
    high: float
    rising: bool
    fits: int
    narrow: bool
    open_low: bool = False
    open_high: bool = False

    @property
    def value_text(self) -> str:
        """The value, with the digits that the interval knows."""
        return resolved(self.value, self.high - self.low)

    @property
    def interval_text(self) -> str:
        """The interval, e.g. ``[0.39, 0.43]``; an end that only the range sets has a mark."""
        low, high = (resolved(end, self.high - self.low) for end in (self.low, self.high))
        return f"[{'< ' * self.open_low}{low}, {'> ' * self.open_high}{high}]"

    def __str__(self) -> str:
        """Value and interval, e.g. ``0.41 [0.39, 0.43]``."""
        return f"{self.value_text} {self.interval_text}"


@dataclass(frozen=True)
class BreakEven:
    """Where the probability of an event crosses a level as one or two assumptions move.

    Attributes
    ----------
    axes
        The one or two keys.
    event, words
        As it was written, and in words.
    level
        The probability that is crossed.
    interval
        Mass of the intervals.
    crossings
        Of one key; empty if there is none.
    curve
        `CURVE_COLUMNS`: probability at each value, from reweighted draws. `value_2` is missing
        with one key.
    refits
        `REFIT_COLUMNS`: real fits with the keys held, and what the curve says there.
    contour
        `CONTOUR_COLUMNS` with two keys: the lines on which the curve has the level, and
        those on which the lower and upper edge of its band have it.
    as_it_is, as_it_is_error
        Probability under the set itself; NaN if the draws do not tell.
    sentence
        The answer, to be quoted.
    notes
        What has to be known beside it.
    failures
        Bounds of the diagnostics that fits missed on which the answer rests.
    assumption_set, assumption_set_id, data_hash, versions, seed
        Where it comes from.
    seconds
        What it took.
    """

    axes: tuple[Axis, ...]
    event: str
    words: str
    level: float
    interval: float
    crossings: tuple[Crossing, ...]
    curve: pd.DataFrame
    refits: pd.DataFrame
    contour: pd.DataFrame
    as_it_is: float
    as_it_is_error: float
    sentence: str
    notes: tuple[str, ...]
    failures: tuple[str, ...]
    assumption_set: str
    assumption_set_id: str
    data_hash: str
    versions: dict[str, str]
    seed: int
    seconds: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The one or two keys."""
        return tuple(axis.key for axis in self.axes)

    @property
    def key(self) -> str:
        """The keys as one text."""
        return " x ".join(self.keys)

    @property
    def unit(self) -> str:
        """Unit of the first key."""
        return self.axes[0].unit

    @property
    def low(self) -> float:
        """Low end of the first key's range."""
        return self.axes[0].low

    @property
    def high(self) -> float:
        """High end of the first key's range."""
        return self.axes[0].high

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, as it is written to JSON; missing numbers are None."""
        plain = {name: value for name, value in self.__dict__.items() if name not in _TABLES}
        plain["axes"] = [asdict(axis) for axis in self.axes]
        plain["crossings"] = [asdict(one) for one in self.crossings]
        plain |= {name: getattr(self, name).to_dict("list") for name in _TABLES}
        return dict(plain_numbers(plain))

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> BreakEven:
        """Read back what `to_dict` wrote."""
        fields = dict(plain)
        fields["axes"] = tuple(Axis(**_with_nan(axis)) for axis in plain["axes"])
        fields["crossings"] = tuple(Crossing(**one) for one in plain["crossings"])
        fields |= {name: tuple(plain[name]) for name in ("notes", "failures")}
        fields |= {name: _frame(plain[name]) for name in _TABLES}
        fields |= _with_nan({name: plain[name] for name in ("as_it_is", "as_it_is_error")})
        return cls(**fields)


def _with_nan(plain: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: it is null there."""
    return {name: np.nan if value is None else value for name, value in plain.items()}


def _frame(columns: dict[str, list[Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    texts = {"kind", "failures", "edge", "used", "line"} & set(frame)
    return frame.astype({name: float for name in frame if name not in texts})
