"""Where a noisy curve crosses a level: all places, each with an interval.

Everything is done on the probit scale (standard normal quantiles of the probability), on which the
probability of a quantity that moves with the key is close to a straight line. An interval holds the
values at which the level lies inside the curve's band: Fieller's interval, for a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from estimator.studies.breakeven.curve import probit

_UNKNOWN = 10.0  # probit that stands for "no idea"


@dataclass(frozen=True)
class Place:
    """A crossing on the model's scale of the key.

    Attributes
    ----------
    x, low, high
        The crossing and its interval.
    rising
        Whether the probability rises there as the key grows.
    open_low, open_high
        Whether the interval ends only because the range does.
    """

    x: float
    low: float
    high: float
    rising: bool
    open_low: bool = False
    open_high: bool = False


def multiple(interval: float) -> float:
    """Count the standard errors to either side of an interval of that mass."""
    return float(ndtri(0.5 + interval / 2.0))


def find_places(
    x: np.ndarray,
    probability: np.ndarray,
    error: np.ndarray,
    used: np.ndarray,
    level: float,
    interval: float,
) -> list[Place]:
    """All crossings of a curve, in the order of the key.

    Parameters
    ----------
    x
        Rising. (point,).
    probability, error, used
        As in `Curve`; points that are not used are bridged, and their band knows nothing. (point,).
    level
        Probability that is crossed.
    interval
        Mass of the intervals.

    Notes
    -----
    A point is above or below the level if its band is. Between neighbours on different sides lies
    one crossing, however often noise takes the curve across in between. A curve that touches the
    level, and is on one side before and after, does not cross it.
    """
    if not used.any():
        return []
    goal, wide = float(probit(level)), multiple(interval)
    middle = np.interp(x, x[used], probit(probability[used]) - goal)
    lower, upper = np.full(len(x), -_UNKNOWN), np.full(len(x), _UNKNOWN)
    lower[used] = probit((probability - wide * error)[used]) - goal
    upper[used] = probit((probability + wide * error)[used]) - goal
    side = np.where(lower >= 0, 1, np.where(upper < 0, -1, 0))
    decided = np.flatnonzero(side)
    if not len(decided):
        # As a whole undecided: the curve itself has to say.
        return _undecided(x, middle, x[0], x[-1])
    first, last = int(decided[0]), int(decided[-1])
    places = []
    if first > 0:
        part = slice(0, first + 1)
        end = _roots(x[part][::-1], (lower if side[first] > 0 else upper)[part][::-1])[0]
        places += _undecided(x[part], middle[part], x[0], end, open_high=False)
    for i, j in pairwise(decided):
        if side[i] != side[j]:
            part = slice(int(i), int(j) + 1)
            rising = bool(side[j] > 0)
            near, far = (upper, lower) if rising else (lower, upper)
            low = _roots(x[part], near[part])[0]
            high = _roots(x[part][::-1], far[part][::-1])[0]
            at = _roots(x[part], middle[part])
            places.append(Place(at[len(at) // 2], low, high, rising))
    if last < len(x) - 1:
        begin = _roots(x[last:], (lower if side[last] > 0 else upper)[last:])[0]
        places += _undecided(x[last:], middle[last:], begin, x[-1], open_low=False)
    return places


def _undecided(
    x: np.ndarray,
    middle: np.ndarray,
    low: float,
    high: float,
    *,
    open_low: bool = True,
    open_high: bool = True,
) -> list[Place]:
    """Find the crossing of a part of the curve whose band holds the level to the range's end."""
    at = _roots(x, middle)
    if len(at) % 2 == 0:
        return []
    rising = bool(middle[-1] > 0 or middle[0] < 0)
    return [Place(at[len(at) // 2], low, high, rising, open_low, open_high)]


def _roots(x: np.ndarray, z: np.ndarray) -> list[float]:
    """Where a broken line crosses 0; a point at 0 counts as above it."""
    above = z >= 0
    at = np.flatnonzero(above[:-1] != above[1:])
    share = z[at] / (z[at] - z[at + 1])
    return [float(value) for value in x[at] + share * (x[at + 1] - x[at])]


def line_place(
    x: Sequence[float] | np.ndarray,
    probability: Sequence[float] | np.ndarray,
    error: Sequence[float] | np.ndarray,
    level: float,
    interval: float,
) -> Place | None:
    """Crossing of a straight line, on the probit scale, through a few independent probabilities.

    Parameters
    ----------
    x, probability, error
        At least two different places. (point,).
    level, interval
        As for `find_places`.

    Returns
    -------
    Place or None
        None if the points do not say on which side of the level either end is: the slope cannot be
        told from 0.

    Notes
    -----
    Points that miss the line by more than their errors widen the interval (Birge's ratio).
    """
    at, z, sd = np.asarray(x, float), probit(np.asarray(probability)), _probit_errors(
        np.asarray(probability, float), np.asarray(error, float)
    )  # fmt: skip
    weight = 1.0 / sd**2
    center = float(weight @ at / weight.sum())
    spread = float(weight @ (at - center) ** 2)
    if spread <= 0:
        return None
    slope = float(weight @ ((at - center) * z) / spread)
    mean = float(weight @ z / weight.sum())
    goal, wide = float(probit(level)), multiple(interval)
    inflation = 1.0
    if len(at) > 2:
        missed = (z - mean - slope * (at - center)) / sd
        inflation = max(1.0, float(missed @ missed) / (len(at) - 2))
    slope_variance = inflation / spread
    mean_variance = inflation / float(weight.sum())
    # (mean + slope d - goal)^2 <= wide^2 (mean_variance + slope_variance d^2), d from the centre.
    a = slope**2 - wide**2 * slope_variance
    if a <= 0:
        return None
    b = 2.0 * slope * (mean - goal)
    c = (mean - goal) ** 2 - wide**2 * mean_variance
    root = float(np.sqrt(max(b * b - 4.0 * a * c, 0.0)))
    low, high = center + (-b - root) / (2.0 * a), center + (-b + root) / (2.0 * a)
    return Place(center + (goal - mean) / slope, low, high, slope > 0)


def _probit_errors(probability: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Bring standard errors to the probit scale: half of what lies between one error either way."""
    half = (probit(probability + error) - probit(probability - error)) / 2.0
    return np.asarray(np.maximum(half, 1e-6))
