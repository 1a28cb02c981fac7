"""What plots of a break-even take in, and how they are coloured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pandas as pd


class Key(Protocol):
    """A key as it was moved."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def unit(self) -> str:
        """Its unit."""

    @property
    def low(self) -> float:
        """Low end of its range."""

    @property
    def high(self) -> float:
        """High end of its range."""

    @property
    def assumed_low(self) -> float:
        """Low end of what the set assumes; NaN if it says nothing."""

    @property
    def assumed_high(self) -> float:
        """High end of what the set assumes; the low end where the key is fixed."""


class Point(Protocol):
    """A crossing with its interval."""

    @property
    def value(self) -> float:
        """In the unit of the key."""

    @property
    def low(self) -> float:
        """Low end of the interval."""

    @property
    def high(self) -> float:
        """High end of the interval."""


class Drawn(Protocol):
    """What is drawn of a break-even (see `estimator.studies.breakeven.result.BreakEven`)."""

    @property
    def axes(self) -> Sequence[Key]:
        """One key or two."""

    @property
    def event(self) -> str:
        """The event; of a scenario its name and a colon stand in front."""

    @property
    def words(self) -> str:
        """The event in words."""

    @property
    def level(self) -> float:
        """Probability that is crossed."""

    @property
    def interval(self) -> float:
        """Mass of the bands."""

    @property
    def crossings(self) -> Sequence[Point]:
        """Where it is crossed."""

    @property
    def curve(self) -> pd.DataFrame:
        """Columns value, value_2, probability, error, used."""

    @property
    def refits(self) -> pd.DataFrame:
        """Columns kind, value, value_2, probability, error, failures."""

    @property
    def contour(self) -> pd.DataFrame:
        """Columns edge, line, value, value_2."""

    @property
    def sentence(self) -> str:
        """The answer."""

    @property
    def failures(self) -> Sequence[str]:
        """Missed bounds of the fits behind it."""

    @property
    def assumption_set(self) -> str:
        """Name of the set."""
