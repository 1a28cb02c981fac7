"""What is worked out from the posterior: scenarios, and quantities that follow from it."""

from __future__ import annotations

from pydantic import Field, model_validator

from estimator.assumptions.fields import Date
from estimator.assumptions.sections import Section


def _with_low_below_high[Range: (Band, PlanRange, RatioPeriod)](section: Range) -> Range:
    if section.low > section.high:
        raise ValueError(f"low must not be above high. Got low={section.low}, high={section.high}")
    return section


class Band(Section):
    """A range for a quantity that a scenario sets, drawn uniformly for each posterior draw."""

    low: float = Field(ge=0.0)
    high: float = Field(ge=0.0)
    by: int = Field(default=1, ge=1, description="months until it is reached, in a straight line")

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        return _with_low_below_high(self)


class Pulse(Section):
    """Additional persons, spread evenly over some months of the horizon."""

    persons: float = Field(ge=0.0)
    first_month: int = Field(ge=1)
    months: int = Field(ge=1)


class ScenarioOptions(Section):
    """What is set differently after the last month; what is not named goes on as it did."""

    description: str
    losses: Band | None = None
    recruits: Band | None = None
    plan_share: float | None = Field(default=None, ge=0.0)
    killed_share: Band | None = None
    mobilisation: Pulse | None = None

    @model_validator(mode="after")
    def _possible(self) -> ScenarioOptions:
        if self.killed_share is not None and self.killed_share.high > 1:
            raise ValueError(f"killed_share must lie in [0, 1]. Got high={self.killed_share.high}")
        if self.recruits is not None and self.plan_share is not None:
            raise ValueError("give recruits or plan_share, not both")
        return self


class PlanRange(Section):
    """Recruits of a year that were planned, drawn uniformly for each posterior draw."""

    low: float = Field(gt=0.0)
    high: float = Field(gt=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> PlanRange:
        return _with_low_below_high(self)


class RatioPeriod(Section):
    """Losses per loss of the other side over a period."""

    start: Date
    end: Date | None  # null: until the last month
    low: float = Field(gt=0.0)
    high: float = Field(gt=0.0)
    claim: str

    @model_validator(mode="after")
    def _ordered(self) -> RatioPeriod:
        if self.end is not None and self.end < self.start:
            raise ValueError(
                f"end must not be before start. Got start={self.start}, end={self.end}"
            )
        return _with_low_below_high(self)


class DerivedOptions(Section):
    """Numbers used only after sampling, for quantities that follow from the posterior."""

    plan_persons_per_year: PlanRange
    front_length_km: float = Field(gt=0.0)
    loss_ratio: tuple[RatioPeriod, ...]
