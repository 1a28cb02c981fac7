"""The groups of ``conf/`` that an assumption set has, but for reporting and scenarios."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from estimator.assumptions.fields import Date, Ids, ModelledQuantity, Names, Persistence
from estimator.assumptions.fit_options import Bounds
from estimator.assumptions.priors import Prior
from estimator.assumptions.sections import Section


class EvidenceOptions(Section):
    """Which claims count."""

    files: Ids = Field(min_length=1)
    sources: Names
    origins: dict[ModelledQuantity, Names]
    populations: Names
    as_of: Date | None
    drop: Ids


class WindowOptions(Section):
    """Months that are estimated, and how far scenarios look beyond them."""

    start: Date
    end: Date
    overhang_days: int = Field(ge=0, le=366)
    months_before_window: int = Field(ge=0, le=600)
    horizon_months: int = Field(ge=0, le=60)

    @model_validator(mode="after")
    def _ordered(self) -> WindowOptions:
        if self.end <= self.start:
            raise ValueError(f"end must be after start. Got start={self.start}, end={self.end}")
        return self


class Projection(Section):
    """How a series goes on after its last month (see `estimator.quantities.dynamics`).

    `step_months`, `prior_months`: of ``local_step``, whose step is learnt from so many last
    changes and a prior worth so many. `persistence`: null for that of the model; below 1 the series
    falls back to its mean over the last `mean_months` months.
    """

    dynamics: Literal["walk", "local_step", "no_change"]
    step_months: int | None = Field(default=None, ge=2, le=600)
    prior_months: float | None = Field(default=None, gt=0.0, le=600.0)
    persistence: Persistence | None = None
    mean_months: int | None = Field(default=None, ge=1, le=600)

    @model_validator(mode="after")
    def _complete(self) -> Projection:
        if (self.dynamics == "local_step") != (self.step_months is not None) or (
            self.step_months is None
        ) != (self.prior_months is None):
            raise ValueError(
                "step_months and prior_months go with dynamics: local_step, which needs both. Got "
                f"{self.dynamics}, {self.step_months} and {self.prior_months}"
            )
        reverts = self.persistence is not None and self.persistence < 1.0
        if reverts != (self.mean_months is not None):
            raise ValueError(
                "mean_months goes with a persistence below 1, which needs it. Got "
                f"{self.persistence} and {self.mean_months}"
            )
        return self


class LossesOptions(Section):
    """Dynamics of the monthly losses, and how scenarios carry them on."""

    persistence: Persistence
    level: Prior
    step: Prior
    projection: Projection = Projection(dynamics="walk")


class ConfirmedOptions(Section):
    """What a confirmed figure is."""

    counts: Literal["losses", "killed"]
    false_confirmation: Prior


class UnconfirmedOptions(Section):
    """Losses beyond the confirmed ones, as a ratio to them."""

    ratio: Prior
    spread: Prior


class KilledShareOptions(Section):
    """Share of the losses who are killed, and whose claims on it count."""

    origins: Names
    persistence: Persistence
    level: Prior
    step: Prior


class ReturnsOptions(Section):
    """Return of the wounded to duty."""

    rate: Prior
    delay: Prior


class RecruitmentOptions(Section):
    """Inflow of recruits: a regular stream and one mobilisation."""

    persistence: Persistence
    level: Prior
    step: Prior
    mobilised: Prior
    mobilisation_start: Date | None
    mobilisation_end: Date | None

    @model_validator(mode="after")
    def _both_or_none(self) -> RecruitmentOptions:
        start, end = self.mobilisation_start, self.mobilisation_end
        if (start is None) != (end is None) or (start and end and end < start):
            raise ValueError(
                "mobilisation_start and mobilisation_end must both be dates in order, or both "
                f"null. Got {start} and {end}"
            )
        return self


class ForeignOptions(Section):
    """Inflow of foreign recruits."""

    persistence: Persistence
    level: Prior
    step: Prior


class ForceOptions(Section):
    """The force in the theatre: its start, and exits other than losses."""

    start: Prior
    other_exits: Prior


class HedgingOptions(Section):
    """Widths of the words around a figure, as shares of the figure (shares: in points)."""

    about: float = Field(ge=0.0, le=0.5)
    nearly: float = Field(gt=0.0, le=0.5)
    more_than: float = Field(gt=0.0, le=0.5)
    share_band: float = Field(gt=0.0, le=0.5)
    minimum: float = Field(gt=0.0, le=0.1)


class SamplerOptions(Bounds):
    """How the posterior is sampled, and what is demanded of the draws."""

    method: Literal["nutpie", "pymc", "prior"]
    chains: int = Field(ge=1, le=64)
    draws: int = Field(ge=10, le=100_000)
    tune: int = Field(ge=10, le=100_000)
    cores: int = Field(ge=1, le=256)
    target_accept: float = Field(gt=0.5, lt=1.0)
    adaptation: Literal["auto", "laplace", "diag", "low_rank"]
    prior_draws: int = Field(ge=10, le=100_000)
