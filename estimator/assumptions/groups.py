"""The groups of ``conf/`` that an assumption set has, but for reporting and scenarios.

A prior is a field with a `Spec`. `ASSUMPTIONS` collects them, so that a new one is a new field.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from estimator.assumptions.fields import Date, Ids, Member, ModelledQuantity, Names, Persistence
from estimator.assumptions.fit_options import Bounds
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import Spec
from estimator.assumptions.sections import Section

THOUSAND = 1000.0  # the model has thousands of persons


class EvidenceOptions(Section):
    """Which claims count (see `estimator.evidence.select`)."""

    files: Ids = Field(min_length=1)
    sources: Names
    origins: dict[ModelledQuantity, Names]
    populations: Names
    as_of: Date | None
    drop: Ids
    groups: dict[str, Member]
    other_groups: Literal["all", "original", "one", "none"]


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

    `persistence`: null for that of the model; below 1 the series falls back to its mean over the
    last `mean_months` months.
    """

    dynamics: Literal["walk", "no_change"]
    persistence: Persistence | None = None
    mean_months: int | None = Field(default=None, ge=1, le=600)

    @model_validator(mode="after")
    def _complete(self) -> Projection:
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
    level: Annotated[
        Prior,
        Spec(
            "persons/month",
            "positive",
            "losses before the first month",
            THOUSAND,
            may_be_zero=False,
        ),
    ]
    step: Annotated[
        Prior,
        Spec(
            "log ratio", "positive", "monthly step of the log losses at the end", may_be_zero=False
        ),
    ]
    volatility: Annotated[
        Prior, Spec("log ratio", "positive", "change of that step between its knots")
    ]
    step_months: int = Field(ge=1, le=600, description="months between two knots of the step")
    projection: Projection = Projection(dynamics="walk")


class CountedWounded(Section):
    """Which of the wounded an origin's figures on losses count, beside all killed.

    0 for `severe` would leave figures on the killed: these have their own quantity.
    """

    severe: float = Field(gt=0.0, le=1.0)
    light: float = Field(ge=0.0, le=1.0)


class DefinitionsOptions(Section):
    """What figures on losses count: all killed, and which share of the wounded.

    `severe`, `light` are of claimed and estimated figures, `confirmed_severe` and `confirmed_light`
    of confirmed ones; `origins` names those whose own words say what they count.
    """

    severe: Annotated[
        Prior,
        Spec("share", "share", "severely wounded in figures on losses", may_be_zero=False),
    ]
    light: Annotated[Prior, Spec("share", "share", "lightly wounded in figures on losses")]
    confirmed_severe: Annotated[
        Prior, Spec("share", "share", "severely wounded in confirmed figures")
    ]
    confirmed_light: Annotated[
        Prior, Spec("share", "share", "lightly wounded in confirmed figures")
    ]
    origins: dict[str, CountedWounded]

    @property
    def confirmed(self) -> str:
        """What a confirmed figure on losses counts, in words."""
        counted = (("severely", self.confirmed_severe), ("lightly", self.confirmed_light))
        shares = [(name, prior) for name, prior in counted if prior.value != 0.0]
        wounded = [
            f"{name} wounded" if prior.value == 1.0 else f"{name} wounded in part"
            for name, prior in shares
        ]
        return " and ".join(["killed", *wounded])


class ConfirmedOptions(Section):
    """How far a confirmed figure can be wrong."""

    false_confirmation: Annotated[Prior, Spec("share", "share", "share of confirmed that is wrong")]


class UnconfirmedOptions(Section):
    """Losses beyond the confirmed ones, as a ratio to them."""

    ratio: Annotated[
        Prior, Spec("ratio", "positive", "typical unconfirmed / confirmed", may_be_zero=False)
    ]
    spread: Annotated[
        Prior,
        Spec("log ratio", "positive", "spread of that ratio between periods", may_be_zero=False),
    ]


class KilledShareOptions(Section):
    """Share of the losses who are killed, and whose claims on it count."""

    origins: Names
    persistence: Persistence
    level: Annotated[Prior, Spec("share", "share", "killed / losses before the first month")]
    step: Annotated[Prior, Spec("log odds", "positive", "monthly step of the logit killed share")]


class ReturnsOptions(Section):
    """Return of the wounded to duty."""

    rate: Annotated[Prior, Spec("share", "share", "share of the wounded who come back to duty")]
    delay: Annotated[
        Prior, Spec("months", "positive", "mean time until they are back", may_be_zero=False)
    ]


class RecruitmentOptions(Section):
    """Inflow of recruits: a regular stream and one mobilisation."""

    persistence: Persistence
    level: Annotated[
        Prior, Spec("persons/month", "positive", "recruits, start", THOUSAND, may_be_zero=False)
    ]
    step: Annotated[Prior, Spec("log ratio", "positive", "monthly step of the log recruits")]
    mobilised: Annotated[
        Prior, Spec("persons", "positive", "recruits by the mobilisation", THOUSAND)
    ]
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
    level: Annotated[
        Prior,
        Spec("persons/month", "positive", "foreign recruits, start", THOUSAND, may_be_zero=False),
    ]
    step: Annotated[
        Prior, Spec("log ratio", "positive", "monthly step of the log foreign recruits")
    ]


class ForceOptions(Section):
    """The force in the theatre: its start, and exits other than losses."""

    start: Annotated[
        Prior,
        Spec(
            "persons", "positive", "force in the theatre at the start", THOUSAND, may_be_zero=False
        ),
    ]
    other_exits: Annotated[
        Prior, Spec("persons/month", "positive", "typical exits beside losses", THOUSAND)
    ]
    exits_step: Annotated[
        Prior, Spec("log ratio", "positive", "step of the log other exits between periods")
    ]
    exits_every_months: int = Field(ge=1, le=120)


class HedgingOptions(Section):
    """Widths of the words around a figure, as shares of the figure (shares: in points)."""

    about: float = Field(ge=0.0, le=0.5)
    confirmed_about: float = Field(ge=0.0, le=0.25)
    nearly: float = Field(gt=0.0, le=0.5)
    more_than: float = Field(gt=0.0, le=0.5)
    range_level: float = Field(gt=0.0, lt=1.0)
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
    adaptation: Literal["auto", "laplace", "pilot", "diag", "low_rank"]
    prior_draws: int = Field(ge=10, le=100_000)


WALKS = ("killed_share", "foreign", "recruitment", "losses")
"""Groups of the series that the model samples, each a walk with a level and a step."""

_WITH_PRIORS: dict[str, type[Section]] = {
    "losses": LossesOptions,
    "unconfirmed": UnconfirmedOptions,
    "confirmed": ConfirmedOptions,
    "definitions": DefinitionsOptions,
    "killed_share": KilledShareOptions,
    "returns": ReturnsOptions,
    "recruitment": RecruitmentOptions,
    "foreign": ForeignOptions,
    "force": ForceOptions,
}


def _assumptions() -> dict[str, Spec]:
    """Collect the priors of all groups by key: levels and steps of the walks first."""
    specs = {
        f"{group}.{name}": spec
        for group, options in _WITH_PRIORS.items()
        for name, field in options.model_fields.items()
        for spec in field.metadata
        if isinstance(spec, Spec)
    }
    first = [f"{walk}.{part}" for part in ("level", "step") for walk in WALKS]
    return {key: specs[key] for key in dict.fromkeys([*first, *specs])}


ASSUMPTIONS = _assumptions()
"""The scalar assumptions by key, in the order of the dim `assumption`."""
