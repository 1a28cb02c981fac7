"""Made-up wars whose truth is known, and those who report on them.

Nothing here comes from the estimator's own model: a misreading that both shared could not be seen.
The truth is counted by day in whole persons; what a reporter says is off by a bias of its own and
by noise, in the ranges that the priors of ``experiment=other_war`` name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

POPULATION = "made_forces"
MONTH = 30.44
"""Days of a month on average."""

_TAIL = 1.645  # standard deviations from the middle of a 90 % range to its ends
_CROWD = 5.0  # shape of the negative binomial counts of a day
# 90 % ranges of the log ratio of reported to true for each kind of speaker, and of the standard
# deviation of its origins around it. Without a speaker: the first alone, around 0.
_MEANS = {
    "enemy": {"losses": (-0.05, 0.85), "killed": (0.0, 1.2), "wounded": (-0.2, 0.9)},
    "own": {"losses": (-1.2, 0.0), "killed": (-2.0, -0.2), "wounded": (-1.2, 0.0)},
    "third_party": {"losses": (-0.3, 0.3), "killed": (-0.4, 0.4), "wounded": (-0.4, 0.4)},
    "": {"losses": (-0.3, 0.3), "killed": (-0.4, 0.4), "wounded": (-0.4, 0.4)},
}
_SPREADS = {"enemy": (0.10, 0.55), "own": (0.10, 0.55), "third_party": (0.05, 0.45)}
_NOISE = {"recruits": 0.10, "force_size": 0.05}
_USUAL_NOISE = 0.15


def normal(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from the normal distribution whose 90 % range is given."""
    return float(rng.normal((low + high) / 2, (high - low) / 2 / _TAIL))


def ratio(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from the log-normal distribution whose 90 % range is given."""
    return float(np.exp(normal(rng, np.log(low), np.log(high))))


def share(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from the logit-normal distribution whose 90 % range is given."""
    ends = [np.log(end / (1 - end)) for end in (low, high)]
    return float(1 / (1 + np.exp(-normal(rng, *ends))))


@dataclass(frozen=True)
class War:
    """What truly happened.

    Attributes
    ----------
    days
        Every day of the war.
    daily
        Persons a day by quantity: losses, killed, wounded, recruits.
    force
        Size of the force at the end of each day.
    """

    days: pd.DatetimeIndex
    daily: Mapping[str, np.ndarray]
    force: np.ndarray

    @property
    def first(self) -> dt.date:
        """First day."""
        return self.days[0].date()

    @property
    def last(self) -> dt.date:
        """Last day."""
        return self.days[-1].date()

    def between(self, quantity: str, first: dt.date, last: dt.date) -> int:
        """Count persons from one day to another, both inclusive; of the force, on the last day."""
        end = (last - self.first).days
        if quantity == "force_size":
            return int(self.force[end])
        return int(self.daily[quantity][(first - self.first).days : end + 1].sum())

    def by_month(self, quantity: str) -> pd.Series:
        """Persons by month, as `2026-01`; the force at the end of each."""
        months = self.days.strftime("%Y-%m")
        if quantity == "force_size":
            return pd.Series(self.force, months).groupby(level=0).last()
        return pd.Series(self.daily[quantity], months).groupby(level=0).sum()

    def spans(self, months: int = 0, days: int = 0) -> list[tuple[dt.date, dt.date]]:
        """First and last days of periods of so many months or days that fill the war."""
        step = pd.DateOffset(months=months, days=days)
        begins = [self.days[0]]
        while (following := begins[-1] + step) <= self.days[-1]:
            begins.append(following.replace(day=1) if months else following)
        ends = [begin - pd.Timedelta(days=1) for begin in begins[1:]] + [self.days[-1]]
        return [(a.date(), b.date()) for a, b in zip(begins, ends, strict=True)]


def happened(
    rng: np.random.Generator, days: pd.DatetimeIndex, losses: float, pace: float | None = None
) -> War:
    """Draw a war.

    Parameters
    ----------
    rng
        Decides all.
    days
        Every day of it.
    losses
        Usual losses of a month, in persons.
    pace
        Standard deviation of what the log losses change in a month; None draws it.
    """
    pace = ratio(rng, 0.10, 0.60) if pace is None else pace
    level = np.log(losses / MONTH) + _wandering(rng, len(days), pace, back=12.0)
    counted = rng.negative_binomial(_CROWD, _CROWD / (_CROWD + np.exp(level)))
    usual = share(rng, 0.08, 0.65)
    odds = np.log(usual / (1 - usual)) + _wandering(rng, len(days), 0.15, back=24.0)
    killed = rng.binomial(counted, 1 / (1 + np.exp(-odds)))
    wounded = counted - killed
    recruited = losses * ratio(rng, 0.6, 1.6) / MONTH
    recruits = rng.poisson(recruited * np.exp(_wandering(rng, len(days), 0.10, back=24.0)))
    returned = _returned(rng, wounded)
    exits = rng.poisson(0.1 * losses / MONTH, len(days))
    start = losses * ratio(rng, 10.0, 40.0)
    force = start + np.cumsum(recruits + returned - counted - exits)
    daily = {"losses": counted, "killed": killed, "wounded": wounded, "recruits": recruits}
    return War(days, daily, np.maximum(force, start / 20))


def _wandering(rng: np.random.Generator, days: int, pace: float, back: float) -> np.ndarray:
    """Walk by so much a month, drawn back to 0 within so many months."""
    steps = rng.normal(0.0, pace / np.sqrt(MONTH), days)
    walk, at = np.empty(days), 0.0
    for day, step in enumerate(steps):
        at += step - at / (back * MONTH)
        walk[day] = at
    return walk


def _returned(rng: np.random.Generator, wounded: np.ndarray) -> np.ndarray:
    """Wounded who come back, by day: a share of them, after a delay that differs."""
    light = rng.binomial(wounded, share(rng, 0.10, 0.85))
    months = ratio(rng, 1.0, 9.0)
    returned, away = np.zeros(len(wounded)), 0.0
    for day, fallen in enumerate(light):
        returned[day] = away / (months * MONTH)
        away += fallen - returned[day]
    return returned


@dataclass(frozen=True)
class Reporter:
    """Somebody who publishes figures of a war.

    Attributes
    ----------
    name, speaker
        The origin, and whose it is.
    war, rng
        What happened, and the randomness of the noise.
    biases
        Log ratio of reported to true by quantity.
    """

    name: str
    speaker: str
    war: War
    rng: np.random.Generator
    biases: Mapping[str, float]

    def says(self, quantity: str, first: dt.date, last: dt.date) -> float:
        """Return the figure of a period: the truth with bias and noise, three digits of it."""
        days = (last - first).days + 1
        short = 1.0 if quantity == "force_size" else max(MONTH / days, 1.0) ** 0.5
        off = self.biases[quantity] + self.noise(quantity) * short * self.rng.normal()
        return rounded(self.war.between(quantity, first, last) * np.exp(off))

    def noise(self, quantity: str) -> float:
        """Standard deviation of the log of a figure for a month."""
        return _NOISE.get(quantity, _USUAL_NOISE)

    def claim(
        self, quantity: str, first: dt.date, last: dt.date, **cells: object
    ) -> dict[str, object]:
        """Return a row of the claims table: an estimate, unless cells say otherwise."""
        late = last + dt.timedelta(days=14)
        begin = last if quantity == "force_size" else first
        row: dict[str, object] = {
            "id": f"{self.name}-{quantity}-{begin}-{last}",
            "quantity": quantity,
            "period_start": begin,
            "period_end": last,
            "low": "",
            "value": "",
            "high": "",
            "unit": "persons",
            "hedge": "about",
            "status": "estimated",
            "origin": self.name,
            "source": "made up",
            "published": late,
            "citation": "made up",
            "population": POPULATION,
            "speaker": self.speaker,
        }
        given = {"value", "low", "high"} & cells.keys()
        return row | ({} if given else {"value": self.says(quantity, first, last)}) | cells


@dataclass(frozen=True)
class Press:
    """All who report on one war: those of one kind of speaker share a mean bias."""

    war: War
    rng: np.random.Generator
    _means: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def reporter(self, name: str, speaker: str = "third_party") -> Reporter:
        """Draw a reporter; an empty speaker is one of whom nothing is said."""
        biases = {quantity: self._bias(speaker, quantity) for quantity in _MEANS[speaker]}
        biases["recruits"] = normal(self.rng, -0.25, 0.25)
        biases["force_size"] = normal(self.rng, -0.30, 0.30)
        return Reporter(name, speaker, self.war, self.rng, biases)

    def _bias(self, speaker: str, quantity: str) -> float:
        between = _MEANS[speaker][quantity]
        if speaker not in _SPREADS:
            return normal(self.rng, *between)
        if (speaker, quantity) not in self._means:
            drawn = normal(self.rng, *between), ratio(self.rng, *_SPREADS[speaker])
            self._means[speaker, quantity] = drawn
        return float(self.rng.normal(*self._means[speaker, quantity]))


def rounded(figure: float) -> float:
    """Round to three digits, and to whole persons."""
    digits = 3 - len(str(int(abs(figure))))
    return float(round(figure, min(digits, 0)))
