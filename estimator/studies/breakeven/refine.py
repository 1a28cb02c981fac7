"""Narrow the crossings of a curve by real fits with the key held at single values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from estimator.studies.breakeven.crossing import Place, find_places, line_place
from estimator.studies.breakeven.curve import Curve, probit
from estimator.studies.breakeven.options import BreakEvenOptions

_LEAST = 3  # fits under a crossing: two beside it, and one that tries their straight line
_NEAR = 1.0  # probits from the level within which a straight line is trusted


@dataclass(frozen=True)
class RealFit:
    """A real fit with the keys held at one place.

    Attributes
    ----------
    x
        On the model's scale. (key,).
    probability, error, ess
        Of the event, its Monte-Carlo standard error and effective sample size; NaN without draws.
    failures
        Which bounds of the diagnostics the draws missed; empty if none. Such a fit is not used.
    seconds
        What it took.
    kind
        Why it was made: refit, end (of the range), nearest (to the level), scan, check.
    """

    x: np.ndarray
    probability: float
    error: float
    ess: float
    failures: str
    seconds: float
    kind: str

    @property
    def ok(self) -> bool:
        """Whether it can be used."""
        return not self.failures


Hold = Callable[[np.ndarray, str], RealFit]
"""Makes a real fit with the keys held at a place; the word says why."""


@dataclass(frozen=True)
class NarrowedCrossing:
    """A crossing after its fits.

    Attributes
    ----------
    place
        The crossing.
    fits
        How many real fits it rests on; 0 if it is the curve's.
    narrow
        Whether its interval is within the tolerance.
    """

    place: Place
    fits: int
    narrow: bool


class Refinement:
    """The crossings of one key, narrowed by real fits until they are narrow or fits are used up.

    Parameters
    ----------
    curve
        Along one key.
    level
        Probability that is crossed.
    hold
        Makes a real fit.
    options
        Number of fits, tolerance, interval.

    Attributes
    ----------
    held
        All fits made, in their order.
    """

    def __init__(self, curve: Curve, level: float, hold: Hold, options: BreakEvenOptions) -> None:
        self.curve, self.level, self.options = curve, level, options
        self._hold = hold
        self.x = curve.x[:, 0]
        self.tolerance = options.tolerance * float(self.x[-1] - self.x[0])
        self.held: list[RealFit] = []

    def run(self, known: Sequence[RealFit] = ()) -> list[NarrowedCrossing]:
        """Find and narrow all crossings, beginning with fits that are there already."""
        self.held = list(known)
        budget = self.options.refits
        ends = [float(x) for x in (self.x[0], self.x[-1])]
        budget -= self._fit([x for x in ends if not self._known(x)], "end", budget)
        places = self._places(self._with_fits())
        if not places:
            budget -= self._fit(ends, "end", budget)
            budget -= self._fit([self._nearest()], "nearest", budget)
            places = self._places(self._with_fits())
        between = [(a.x + b.x) / 2.0 for a, b in pairwise(places)]
        borders = [-np.inf, *between, np.inf]
        found = []
        for number, place in enumerate(places):
            share = budget // (len(places) - number)
            before = len(self.held)
            found.append(self._narrow(place, borders[number], borders[number + 1], share))
            budget -= len(self.held) - before
        return found

    def _places(self, curve: Curve) -> list[Place]:
        return find_places(
            curve.x[:, 0],
            curve.probability,
            curve.error,
            curve.used,
            self.level,
            self.options.interval,
        )

    def _make(self, x: float, kind: str) -> RealFit:
        self.held.append(self._hold(np.array([x]), kind))
        return self.held[-1]

    def _fit(self, wanted: Sequence[float], kind: str, budget: int) -> int:
        """Fit at places where there is no fit yet; return how many it took."""
        done = {float(one.x[0]) for one in self.held}
        todo = [float(x) for x in dict.fromkeys(wanted) if float(x) not in done][: max(budget, 0)]
        for x in todo:
            self._make(x, kind)
        return len(todo)

    def _known(self, x: float) -> bool:
        """Whether the curve knows the probability at one of its points."""
        return bool(self.curve.used[self.x == x].any())

    def _nearest(self) -> float:
        """Place where the curve comes nearest to the level."""
        curve = self._with_fits()
        distance = np.abs(probit(curve.probability) - probit(self.level))
        nearest = int(np.argmin(np.where(curve.used, distance, np.inf)))
        return float(curve.x[nearest, 0])

    def _with_fits(self) -> Curve:
        """Curve in which real fits stand for the points where they were made."""
        fits = [one for one in self.held if one.ok]
        at = np.array([one.x[0] for one in fits])
        keep = ~np.isin(self.x, at)
        order = np.argsort(np.concatenate([self.x[keep], at]), kind="stable")

        def joined(name: str, of_fits: Sequence[object]) -> np.ndarray:
            both = np.concatenate([getattr(self.curve, name)[keep], np.array(of_fits)])
            return np.asarray(both[order])

        return Curve(
            np.concatenate([self.x[keep], at])[order][:, None],
            joined("probability", [one.probability for one in fits]).astype(float),
            joined("error", [one.error for one in fits]).astype(float),
            joined("ess", [one.ess for one in fits]).astype(float),
            joined("k_hat", [np.nan for _ in fits]).astype(float),
            joined("used", [True for _ in fits]).astype(bool),
        )

    # ---- one crossing ---------------------------------------------------------------------------

    def _narrow(self, rough: Place, left: float, right: float, budget: int) -> NarrowedCrossing:
        """Narrow one crossing; other crossings lie beyond `left` and `right`."""
        low_end, high_end = max(left, float(self.x[0])), min(right, float(self.x[-1]))
        queue = self._bracket(rough, low_end, high_end)
        step = queue[1] - queue[0]
        while True:
            found = self._from_fits(rough, left, right)
            if found is not None and found.narrow and not queue and found.fits >= _LEAST:
                return found
            if budget <= 0:
                return found or NarrowedCrossing(rough, 0, self._is_narrow(rough))
            if queue:
                x = queue.pop(0)
            elif found is not None:
                x = found.place.x
            else:
                outside = self._outwards(rough, low_end, high_end, left, right, step)
                if outside is None:
                    return NarrowedCrossing(rough, 0, self._is_narrow(rough))
                x, step = outside, 2.0 * step
            self._make(float(np.clip(x, low_end, high_end)), "refit")
            budget -= 1

    def _is_narrow(self, place: Place) -> bool:
        return bool(place.high - place.low <= self.tolerance)

    def _bracket(self, rough: Place, low_end: float, high_end: float) -> list[float]:
        """Where the curve is `bracket` probits from the level on either side of a crossing."""
        used = self.curve.used
        if used.sum() < 2:
            return [rough.low, rough.high]
        z = probit(self.curve.probability[used]) - probit(self.level)
        x = self.x[used] * (1.0 if rough.rising else -1.0)
        z, x = (z, x) if rough.rising else (z[::-1], x[::-1])
        sign = 1.0 if rough.rising else -1.0
        at = sign * rough.x
        goal = self.options.bracket
        before = [float(b) for a, b in zip(z, x, strict=True) if b < at and a <= -goal]
        after = [float(b) for a, b in zip(z, x, strict=True) if b > at and a >= goal]
        spacing = float(np.diff(self.x).min())
        ends = [
            sign * (before[-1] if before else at - 2 * spacing),
            sign * (after[0] if after else at + 2 * spacing),
        ]
        low, high = min(*ends, rough.low), max(*ends, rough.high)
        return [max(low, low_end), min(high, high_end)]

    def _of(self, left: float, right: float) -> list[RealFit]:
        return sorted(
            (one for one in self.held if one.ok and left <= one.x[0] <= right),
            key=lambda one: float(one.x[0]),
        )

    def _from_fits(self, rough: Place, left: float, right: float) -> NarrowedCrossing | None:
        """Crossing from the fits alone; None if they do not lie on both sides of the level."""
        fits = self._of(left, right)
        z = np.array([float(probit(one.probability) - probit(self.level)) for one in fits])
        x = np.array([float(one.x[0]) for one in fits])
        before = (z < 0) == rough.rising
        if not before.any() or before.all():
            return None
        inner = sorted((float(x[before].max()), float(x[~before].min())))
        near = np.abs(z) <= _NEAR
        straight = bool((near & before).any() and (near & ~before).any())
        near = near if straight else np.isin(x, inner)
        chosen = [one for one, take in zip(fits, near, strict=True) if take]
        place = line_place(
            [float(one.x[0]) for one in chosen],
            [one.probability for one in chosen],
            [one.error for one in chosen],
            self.level,
            self.options.interval,
        )
        if place is None or place.rising != rough.rising or not x[0] <= place.x <= x[-1]:
            place = Place(sum(inner) / 2.0, float(x[0]), float(x[-1]), rough.rising)
        elif not straight:  # too far from the level for a line: it lies somewhere in between
            place = replace(place, low=inner[0], high=inner[1])
        low, high = max(place.low, float(self.x[0])), min(place.high, float(self.x[-1]))
        place = replace(
            place,
            low=low,
            high=high,
            open_low=bool(low > place.low),
            open_high=bool(high < place.high),
        )
        return NarrowedCrossing(place, len(chosen), self._is_narrow(place))

    def _outwards(
        self,
        rough: Place,
        low_end: float,
        high_end: float,
        left: float,
        right: float,
        step: float,
    ) -> float | None:
        """Where to fit next if all fits so far lie on one side of the level."""
        fits = self._of(left, right)
        if not fits:
            return None
        above = bool(probit(fits[0].probability) >= probit(self.level))
        first, last = float(fits[0].x[0]), float(fits[-1].x[0])
        if above == rough.rising:  # the crossing lies at lower values
            return None if first <= low_end else max(first - step, low_end)
        return None if last >= high_end else min(last + step, high_end)
