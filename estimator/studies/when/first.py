"""The first month ahead in which a quantity lies beyond a number, draw by draw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from estimator.errors import ConfigError, nearest
from estimator.quantities.scenario import PROJECTED
from estimator.quantity import QUANTITIES
from estimator.show.grid import Cell, Grid, column
from estimator.show.number import probability, significant
from estimator.show.part import Part
from estimator.studies.breakeven.event import NUMBER

COLUMNS = ("assumption_set", "scenario", "month", "probability_in_month", "probability_by_month")
LATER = "later"
"""Stands for a first month beyond the horizon, or for none."""

_LEVELS = (0.05, 0.5, 0.95)
_EVENT = re.compile(rf"(?P<quantity>\w+)\s*(?P<sign>[<>])\s*(?P<number>{NUMBER})")


@dataclass(frozen=True)
class Beyond:
    """A quantity below or above a number, in whichever month.

    Attributes
    ----------
    quantity
        Name of a quantity that scenarios project.
    below
        Whether it lies below the number, or above it.
    threshold
        The number, in the unit of the quantity.
    """

    quantity: str
    below: bool
    threshold: float

    @classmethod
    def parse(cls, text: str) -> Beyond:
        """Read ``force_size < 600000``.

        Raises
        ------
        ConfigError
            If it is something else, with what is allowed.
        """
        found = _EVENT.fullmatch(text.strip())
        if found is None:
            raise ConfigError(
                f"event {text!r}: must be quantity < number or quantity > number, without a month. "
                "Examples: force_size < 600000, losses > 40000"
            )
        name = found["quantity"]
        if name not in PROJECTED:
            raise ConfigError(
                f"event {text!r}: no quantity that scenarios project; {nearest(name, PROJECTED)}"
            )
        return cls(name, found["sign"] == "<", float(found["number"]))

    def __str__(self) -> str:
        """Write it in words, e.g. ``force size < 600,000 persons``."""
        unit = QUANTITIES[self.quantity].unit
        sign = "<" if self.below else ">"
        words = QUANTITIES[self.quantity].words
        return f"{words} {sign} {significant(self.threshold, 10)} {unit}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Whether it holds of values in the unit of the quantity."""
        return values < self.threshold if self.below else values > self.threshold


@dataclass(frozen=True)
class FirstMonths:
    """What one set says under one scenario.

    Attributes
    ----------
    label, scenario
        Of the set, and of what carries it beyond the window.
    months
        Of the horizon.
    held
        Whether it holds. (draw, month).
    """

    label: str
    scenario: str
    months: Sequence[str]
    held: np.ndarray

    @property
    def in_month(self) -> np.ndarray:
        """Probability that it holds in each month. (month,)."""
        return np.asarray(self.held.mean(axis=0))

    @property
    def by_month(self) -> np.ndarray:
        """Probability that it has held by the end of each month. (month,)."""
        return np.asarray(np.logical_or.accumulate(self.held, axis=1).mean(axis=0))

    def quantile(self, level: float) -> str:
        """Month before which no more than `level` of the draws hold for the first time."""
        reached = np.flatnonzero(self.by_month >= level)
        return self.months[reached[0]] if len(reached) else LATER


def first_months(label: str, tree: xr.DataTree, scenario: str, beyond: Beyond) -> FirstMonths:
    """Work out what a set says.

    Parameters
    ----------
    label
        Of the set.
    tree
        Its result; the group scenarios is used.
    scenario
        Name of the scenario.
    beyond
        What is asked.

    Raises
    ------
    ConfigError
        If the set projects no such scenario.
    """
    scenarios = tree["scenarios"].to_dataset() if "scenarios" in tree.children else None
    names = [] if scenarios is None else scenarios["scenario"].values.astype(str).tolist()
    if scenarios is None or scenario not in names:
        hint = nearest(scenario, names) if names else "it projects none (window.horizon_months)"
        raise ConfigError(f"{label}: no scenario {scenario!r}; {hint}")
    one = scenarios[beyond.quantity].sel(scenario=scenario)
    values = one.transpose("chain", "draw", "projected_month").values
    months = one["projected_month"].values.astype(str).tolist()
    return FirstMonths(label, scenario, months, beyond.holds(values.reshape(-1, len(months))))


def as_part(
    beyond: Beyond, found: Sequence[FirstMonths], failed: Mapping[str, bool] | None = None
) -> Part:
    """Say it in two tables, and one for other programs.

    Parameters
    ----------
    beyond
        What was asked.
    found
        What each set says.
    failed
        Whether a set failed its diagnostics, by label.
    """
    failed = failed or {}
    last = found[0].months[-1]
    lines: list[Sequence[Cell | str]] = []
    by_month: list[Sequence[Cell | str]] = []
    for one in found:
        name = Cell(f"{one.label} (FAILED)" if failed.get(one.label) else one.label)
        low, middle, high = (one.quantile(level) for level in _LEVELS)
        span = low if low == high else f"{low} to {high}"
        lines.append((name, probability(float(one.by_month[-1])), middle, span))
        by_month.append((name, *(probability(float(p)) for p in one.by_month)))
    notes = [
        f"Scenario {found[0].scenario}, from {found[0].months[0]} on. First month: the one by "
        f"which half of the draws have been there, and 5 to 95 %; {LATER}: after {last}, or never."
    ]
    columns = [
        column("set", "name"),
        column(f"P by {last}"),
        column("first month"),
        column("5 to 95 %"),
    ]
    months = [column("set", "name"), *(column(month) for month in found[0].months)]
    table = pd.DataFrame(
        [
            (one.label, one.scenario, month, float(now), float(by))
            for one in found
            for month, now, by in zip(one.months, one.in_month, one.by_month, strict=True)
        ],
        columns=list(COLUMNS),
    )
    return Part(
        grids=[
            Grid.of(f"First month in which {beyond}", columns, lines, notes),
            Grid.of(f"Probability that {beyond} by the end of each month", months, by_month),
        ],
        tables={"first_month": table},
    )
