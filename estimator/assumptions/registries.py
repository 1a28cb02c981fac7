"""Registries of the dead: whom they can count, how late they learn, and how their figures err."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from estimator.assumptions.fields import Date
from estimator.assumptions.priors import Prior
from estimator.assumptions.sections import Section


class Stratum(Section):
    """Killed who can be in no registry of a population: a share of all killed, or a number.

    `first`, `last`: its days; null for those of the window. A number is spread over its days as
    the killed are.
    """

    share: Prior | None = None
    killed: Prior | None = None
    first: Date | None = None
    last: Date | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Stratum:
        if (self.share is None) == (self.killed is None):
            raise ValueError(
                "give either share (of the killed) or killed (persons). Got "
                f"{'neither' if self.share is None else 'both'}"
            )
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"last must not be before first. Got {self.first} and {self.last}")
        problems = _families({"share": (self.share, "LogitNormal", "share")})
        problems += _families({"killed": (self.killed, "LogNormal", "persons")})
        if problems:
            raise ValueError("\n".join(problems))
        return self


class Learning(Section):
    """Log-normal days from a death until a registry learns of it, with estimated parameters."""

    median_days: Prior
    spread: Prior

    @model_validator(mode="after")
    def _log_normal(self) -> Learning:
        problems = _families(
            {
                "median_days": (self.median_days, "LogNormal", "days"),
                "spread": (self.spread, "LogNormal", "log ratio"),
            }
        )
        if problems:
            raise ValueError("\n".join(problems))
        return self


class Triangle(Section):
    """How an origin's figures on the killed of a month change from vintage to vintage.

    Each vintage adds to the one before what was learnt between them (without `learning`: each is
    made anew). Errors are standard deviations of log ratios: `effort` of all that one vintage adds,
    `method` and `own` of what it adds to neighbouring months and to one month, `lasting` of what is
    told of neighbouring months in every vintage, `rounding` of each figure. Errors of months that
    lie apart are alike by exp(-distance / months_alike).
    """

    learning: Learning | None = None
    effort: float = Field(ge=0.0)
    method: float = Field(ge=0.0)
    own: float = Field(ge=0.0)
    lasting: float = Field(ge=0.0)
    rounding: float = Field(gt=0.0)
    months_alike: float = Field(gt=0.0)
    floor_noise: float | None = Field(default=None, gt=0.0)


class RegistriesOptions(Section):
    """Whom registries can count, by population of the claims, and whose vintages are kept."""

    populations: dict[str, dict[str, Stratum]]
    triangles: dict[str, Triangle]


def _families(priors: Mapping[str, tuple[Prior | None, str, str]]) -> list[str]:
    problems = []
    for name, (prior, family, unit) in priors.items():
        if prior is None:
            continue
        if prior.family not in (family, "Fixed"):
            problems.append(f".{name}: must be {family} or Fixed. Got {prior.family}")
        if prior.unit not in (None, unit):
            problems.append(f".{name}.unit: must be {unit!r}. Got {prior.unit!r}")
        if prior.is_fixed and not (prior.value or 0.0) > 0:
            problems.append(f".{name}: a fixed value must be above 0. Got {prior.value}")
        if prior.is_fixed and family == "LogitNormal" and not (prior.value or 0.0) < 1:
            problems.append(f".{name}: a fixed share must be below 1. Got {prior.value}")
    return problems
