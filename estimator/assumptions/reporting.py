"""How an origin reports a quantity: bias, drift, delay, and noise on the quantity's scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from estimator.assumptions.fields import ModelledQuantity
from estimator.assumptions.priors import Prior
from estimator.assumptions.sections import Section
from estimator.quantity import COUNTS, MODELLED, QUANTITIES, Scale

REPORTING_UNITS: dict[Scale, str] = {
    "log": "log ratio",
    "logit": "log odds",
    "difference": "persons/month",
    "stock": "log ratio",
}


class Wander(Section):
    """A bias that wanders: it moves in a straight line from knot to knot, back from the end."""

    step: float = Field(gt=0.0, description="standard deviation of the change between knots")
    every_months: int = Field(ge=1, le=120)


class Delay(Section):
    """How long it takes until a death is in a registry or list: log-normal."""

    median_days: float = Field(gt=0.0, le=10_000)
    spread: float = Field(gt=0.0, le=5.0, description="standard deviation of the log of the days")


class SourceReporting(Section):
    """How one origin reports one quantity: truth + bias (+ drift, wander) + noise on its scale.

    With a `delay` only that part of the truth is reported which was known when the figure was
    published; confirmed figures have none.
    """

    bias: Prior | None = None
    undercount: Prior | None = None
    drift: Prior = Prior(family="Fixed", value=0.0)
    wander: Wander | None = None
    delay: Delay | None = None
    noise: float = Field(gt=0.0)

    @model_validator(mode="after")
    def _one_bias(self) -> SourceReporting:
        if (self.bias is None) == (self.undercount is None):
            raise ValueError(
                "give either bias (both signs) or undercount (one-sided). Got "
                f"{'neither' if self.bias is None else 'both'}"
            )
        if self.bias is not None and self.bias.family not in {"Fixed", "Normal"}:
            raise ValueError(f"bias must be Fixed or Normal. Got {self.bias.family}")
        if self.undercount is not None and self.undercount.family != "LogNormal":
            raise ValueError(f"undercount must be LogNormal. Got {self.undercount.family}")
        if self.drift.family not in {"Fixed", "Normal"}:
            raise ValueError(f"drift must be Fixed or Normal. Got {self.drift.family}")
        return self


class SharedBias(Section):
    """Biases of one kind of speaker: each origin's is drawn around a common mean."""

    mean: Prior
    spread: Prior

    @model_validator(mode="after")
    def _families(self) -> SharedBias:
        problems = []
        if self.mean.family not in {"Fixed", "Normal"}:
            problems.append(f".mean: must be Fixed or Normal. Got {self.mean.family}")
        fixed = self.spread.family == "Fixed" and (self.spread.value or 0.0) > 0
        if not fixed and self.spread.family != "LogNormal":
            problems.append(f".spread: must be LogNormal, or Fixed above 0. Got {self.spread}")
        if problems:
            raise ValueError("\n".join(problems))
        return self


Speaker = Literal["own", "enemy", "third_party"]


class ReportingOptions(Section):
    """Bias and noise: a default for each quantity, and what differs for an origin.

    `hierarchy` shares biases between origins of one speaker (who speaks of whose losses), for
    origins without an entry of their own.
    """

    default: dict[ModelledQuantity, SourceReporting]
    origins: dict[str, dict[ModelledQuantity, SourceReporting]]
    hierarchy: dict[Speaker, dict[ModelledQuantity, SharedBias]]
    noise_growth: float = Field(ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _complete_and_in_the_right_units(self) -> ReportingOptions:
        problems = [f"default.{name}: missing" for name in MODELLED if name not in self.default]
        tables = {"default": self.default} | {f"origins.{o}": t for o, t in self.origins.items()}
        for place, table in tables.items():
            for quantity, reporting in table.items():
                problems += _reporting_unit_problems(f"{place}.{quantity}", quantity, reporting)
        for speaker, shared in self.hierarchy.items():
            for quantity, bias in shared.items():
                place = f"hierarchy.{speaker}.{quantity}"
                problems += _unit_problems(place, quantity, {"mean": bias.mean})
                problems += _unit_problems(place, quantity, {"spread": bias.spread})
        if problems:
            raise ValueError("\n".join(f".{problem}" for problem in problems))
        return self

    def of(self, origin: str, quantity: str) -> SourceReporting:
        """Return how `origin` reports `quantity`: its own entry, else the default."""
        return self.origins.get(origin, {}).get(quantity, self.default[quantity])

    def delays(self) -> dict[str, dict[str, float]]:
        """Return the reporting delays by ``origin:quantity`` (``:quantity`` for the defaults)."""
        tables = {"": self.default, **self.origins}
        return {
            f"{origin}:{quantity}": reporting.delay.model_dump()
            for origin, table in tables.items()
            for quantity, reporting in table.items()
            if reporting.delay is not None
        }

    def shared(self, origin: str, quantity: str, speaker: str) -> SharedBias | None:
        """Return what the bias of `origin` is drawn around, if it shares it with others."""
        if quantity in self.origins.get(origin, {}):
            return None
        return {str(name): table for name, table in self.hierarchy.items()}.get(speaker, {}).get(
            quantity
        )


def reporting_unit(quantity: str) -> str:
    """Return the unit of biases and noise of reports on a quantity."""
    scale = QUANTITIES[quantity].scale
    if scale is None:
        raise KeyError(f"claims on {quantity} do not enter the likelihood")
    return REPORTING_UNITS[scale]


def _reporting_unit_problems(place: str, quantity: str, reporting: SourceReporting) -> list[str]:
    problems = _unit_problems(
        place, quantity, {name: getattr(reporting, name) for name in ("bias", "undercount")}
    )
    problems += _unit_problems(place, quantity, {"drift": reporting.drift}, per="/year")
    if reporting.delay is not None and quantity not in COUNTS:
        allowed = ", ".join(COUNTS)
        problems.append(f"{place}.delay: only for counts of persons ({allowed})")
    return problems


def _unit_problems(
    place: str, quantity: str, priors: Mapping[str, Prior | None], per: str = ""
) -> list[str]:
    expected = reporting_unit(quantity) + per
    return [
        f"{place}.{name}.unit: must be {expected!r}. Got {prior.unit!r}"
        for name, prior in priors.items()
        if prior is not None and prior.unit not in (None, expected)
    ]
