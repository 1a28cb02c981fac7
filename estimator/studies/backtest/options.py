"""How forecasts are held against what came: group ``backtest`` of ``conf/``."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from estimator.assumptions.fields import Date, Names
from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.groups import Projection
from estimator.assumptions.sections import Options, Section
from estimator.errors import nearest
from estimator.quantity import COUNTS, QUANTITIES

_MAIN = 0.9
# Counts that follow from the series that walk on; who of the wounded comes back is not carried on.
_FORECAST = tuple(name for name in COUNTS if "light" not in QUANTITIES[name].parts)


def _month(text: object) -> object:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError(f"must be a month as YYYY-MM. Got {text!r}")
    return text


def _log_source(text: str) -> str:
    origin, _, quantity = text.rpartition(":")
    if not origin or quantity not in _FORECAST:
        raise ValueError(
            f"must be origin:quantity, the quantity one of {', '.join(_FORECAST)}. Got {text!r}"
        )
    return text


Month = Annotated[str, BeforeValidator(_month)]
Source = Annotated[str, AfterValidator(_log_source)]
Level = Annotated[float, Field(gt=0.0, lt=1.0)]
Factor = Annotated[float, Field(gt=0.0, le=100.0)]


class Naive(Section):
    """A forecast from the past changes of a series of figures alone."""

    months: int | None = Field(ge=2, le=600)
    by: Literal["horizon", "root"]


class BacktestOptions(Options):
    """Origins, targets, dynamics and fits (see ``conf/backtest/default.yaml`` for each)."""

    group: ClassVar[str] = "backtest"

    first: Month
    last: Month | None
    horizons: int = Field(ge=1, le=60)
    sources: tuple[Source, ...] = Field(min_length=1)
    first_parts: tuple[str, ...]
    vintages: Names
    vintages_as_of: tuple[Date, ...] = Field(min_length=1)
    dynamics: dict[str, Projection] = Field(min_length=1)
    noise_factors: tuple[Factor, ...] = Field(min_length=1)
    naive: dict[str, Naive] = Field(min_length=1)
    naive_changes: int = Field(ge=2, le=600)
    baseline: str
    shown: str
    levels: tuple[Level, ...] = Field(min_length=1)
    interval: Level
    resamples: int = Field(ge=100, le=1_000_000)
    fit: FitOptions

    @property
    def main_level(self) -> float:
        """The level whose interval score is compared: 0.9 if it is scored, else the widest."""
        return _MAIN if _MAIN in self.levels else max(self.levels)

    @model_validator(mode="after")
    def _names_are_there(self) -> BacktestOptions:
        problems = []
        if self.baseline not in self.naive:
            problems.append(f"baseline: unknown; {nearest(self.baseline, self.naive)}")
        if self.shown not in self.dynamics:
            problems.append(f"shown: unknown; {nearest(self.shown, self.dynamics)}")
        both = sorted(set(self.naive) & set(self.dynamics))
        if both:
            problems.append(f"naive: {', '.join(both)}: a name that dynamics has too")
        if self.last is not None and self.last < self.first:
            problems.append(f"last: must not be before first. Got {self.last} and {self.first}")
        if problems:
            raise ValueError("\n".join(problems))
        return self
