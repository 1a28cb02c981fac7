"""The typed assumption set: one fully resolved configuration, checked, with an identity.

`AssumptionSet.from_config` collects every problem of a configuration and raises them at once, each
with its key, what was found, and what is allowed. `ASSUMPTIONS` lists the scalar assumptions that
the model samples (or holds fixed), with unit and support.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from estimator.errors import ConfigError, nearest, problems_text
from estimator.priors import FAMILIES_BY_SUPPORT, LINKS, Prior, Support

QUANTITY_SCALES: dict[str, Literal["log", "logit", "difference", "stock"]] = {
    "losses": "log",
    "killed": "log",
    "killed_share": "logit",
    "recruits": "log",
    "foreign_recruits": "log",
    "replacement_gap": "difference",
    "net_change": "difference",
    "force_size": "stock",
    "wounded": "log",
}
"""Quantities whose claims enter the likelihood, and the scale on which reporting errors add up."""

REPORTING_UNITS = {
    "log": "log ratio",
    "logit": "log odds",
    "difference": "persons/month",
    "stock": "log ratio",
}


@dataclass(frozen=True)
class Spec:
    """What is fixed about one scalar assumption: its unit, its support, its size in the model."""

    unit: str
    support: Support
    description: str
    per_model_unit: float = 1.0  # persons become thousands inside the model
    may_be_zero: bool = True  # False where 0 would leave the model without a value


ASSUMPTIONS: dict[str, Spec] = {
    "killed_share.level": Spec("share", "share", "killed / losses before the first month"),
    "foreign.level": Spec(
        "persons/month", "positive", "foreign recruits, start", 1000.0, may_be_zero=False
    ),
    "recruitment.level": Spec(
        "persons/month", "positive", "recruits, start", 1000.0, may_be_zero=False
    ),
    "losses.level": Spec(
        "persons/month", "positive", "losses before the first month", 1000.0, may_be_zero=False
    ),
    "killed_share.step": Spec("log odds", "positive", "monthly step of the logit killed share"),
    "foreign.step": Spec("log ratio", "positive", "monthly step of the log foreign recruits"),
    "recruitment.step": Spec("log ratio", "positive", "monthly step of the log recruits"),
    "losses.step": Spec(
        "log ratio", "positive", "monthly step of the log losses", may_be_zero=False
    ),
    "unconfirmed.ratio": Spec(
        "ratio", "positive", "typical unconfirmed / confirmed", may_be_zero=False
    ),
    "unconfirmed.spread": Spec(
        "log ratio", "positive", "spread of that ratio between periods", may_be_zero=False
    ),
    "confirmed.false_confirmation": Spec("share", "share", "share of confirmed that is wrong"),
    "returns.rate": Spec("share", "share", "share of the wounded who come back to duty"),
    "returns.delay": Spec("months", "positive", "mean time until they are back", may_be_zero=False),
    "recruitment.mobilised": Spec("persons", "positive", "recruits by the mobilisation", 1000.0),
    "force.start": Spec(
        "persons", "positive", "force in the theatre at the start", 1000.0, may_be_zero=False
    ),
    "force.other_exits": Spec("persons/month", "positive", "exits beside losses", 1000.0),
}
"""The scalar assumptions, in the order of the dim `assumption`: levels and steps of walks first."""


class Section(BaseModel):
    """Base of all parts of a configuration: unknown keys are errors, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _date(value: Any) -> dt.date:
    """Read YYYY-MM-DD only: pydantic alone would take a number for seconds since 1970."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"must be a date as YYYY-MM-DD. Got {value!r}") from error


def _list_of_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"must be a list of names, e.g. [a, b]. Got {value!r}")
    return tuple(value)


def _all_or_names(value: Any) -> str | tuple[str, ...]:
    try:
        return "all" if value == "all" else _list_of_names(value)
    except ValueError as error:
        raise ValueError(f"must be all, or a list of names. Got {value!r}") from error


def _known_quantity(name: str) -> str:
    if name not in QUANTITY_SCALES:
        raise ValueError(f"unknown quantity; {nearest(name, QUANTITY_SCALES)}")
    return name


Date = Annotated[dt.date, BeforeValidator(_date)]
Persistence = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Names = Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_all_or_names)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_list_of_names)]
Quantity = Annotated[str, AfterValidator(_known_quantity)]


class EvidenceOptions(Section):
    """Which claims count."""

    files: Ids = Field(min_length=1)
    sources: Names
    origins: dict[Quantity, Names]
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
    """How a series goes on after its last month (see `estimator.dynamics`).

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

    default: dict[Quantity, SourceReporting]
    origins: dict[str, dict[Quantity, SourceReporting]]
    hierarchy: dict[Speaker, dict[Quantity, SharedBias]]
    noise_growth: float = Field(ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _complete_and_in_the_right_units(self) -> ReportingOptions:
        problems = [
            f"default.{name}: missing" for name in QUANTITY_SCALES if name not in self.default
        ]
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


def _reporting_unit_problems(place: str, quantity: str, reporting: SourceReporting) -> list[str]:
    problems = _unit_problems(
        place, quantity, {name: getattr(reporting, name) for name in ("bias", "undercount")}
    )
    problems += _unit_problems(place, quantity, {"drift": reporting.drift}, per="/year")
    if reporting.delay is not None and QUANTITY_SCALES[quantity] != "log":
        allowed = ", ".join(name for name, scale in QUANTITY_SCALES.items() if scale == "log")
        problems.append(f"{place}.delay: only for counts of persons ({allowed})")
    return problems


def _unit_problems(
    place: str, quantity: str, priors: Mapping[str, Prior | None], per: str = ""
) -> list[str]:
    expected = REPORTING_UNITS[QUANTITY_SCALES[quantity]] + per
    return [
        f"{place}.{name}.unit: must be {expected!r}. Got {prior.unit!r}"
        for name, prior in priors.items()
        if prior is not None and prior.unit not in (None, expected)
    ]


class HedgingOptions(Section):
    """Widths of the words around a figure, as shares of the figure (shares: in points)."""

    about: float = Field(ge=0.0, le=0.5)
    nearly: float = Field(gt=0.0, le=0.5)
    more_than: float = Field(gt=0.0, le=0.5)
    share_band: float = Field(gt=0.0, le=0.5)
    minimum: float = Field(gt=0.0, le=0.1)


class Band(Section):
    """A range for a quantity that a scenario sets, drawn uniformly for each posterior draw."""

    low: float = Field(ge=0.0)
    high: float = Field(ge=0.0)
    by: int = Field(default=1, ge=1, description="months until it is reached, in a straight line")

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        if self.low > self.high:
            raise ValueError(f"low must not be above high. Got low={self.low}, high={self.high}")
        return self


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
        if self.low > self.high:
            raise ValueError(f"low must not be above high. Got low={self.low}, high={self.high}")
        return self


class DerivedOptions(Section):
    """Numbers used only after sampling, for quantities that follow from the posterior."""

    plan_persons_per_year: float = Field(gt=0.0)
    front_length_km: float = Field(gt=0.0)
    loss_ratio: tuple[RatioPeriod, ...]


class SamplerOptions(Section):
    """How the posterior is sampled, and what is demanded of the draws."""

    method: Literal["nutpie", "pymc", "prior"]
    chains: int = Field(ge=1, le=64)
    draws: int = Field(ge=10, le=100_000)
    tune: int = Field(ge=10, le=100_000)
    cores: int = Field(ge=1, le=256)
    target_accept: float = Field(gt=0.5, lt=1.0)
    adaptation: Literal["auto", "laplace", "diag", "low_rank"]
    prior_draws: int = Field(ge=10, le=100_000)
    max_rhat: float = Field(gt=1.0)
    min_ess: float = Field(ge=1.0)
    max_divergences: int = Field(ge=0)


class Options(Section):
    """Base of a group that says how something is worked out; it is no part of a set's identity."""

    group: ClassVar[str]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Check the group of a resolved configuration.

        Raises
        ------
        ConfigError
            With every problem found: key, what was found, what is allowed.
        """
        try:
            return cls.model_validate(config)
        except ValidationError as error:
            problems = [f"{cls.group}.{problem}" for problem in explained(error, cls)]
            text = problems_text("The configuration has problems:", problems)
            raise ConfigError(text) from error


class AssumptionSet(Section):
    """One fully resolved configuration.

    Attributes are the groups of ``conf/``; `label` names the set in tables and folders.
    """

    label: str
    seed: int = Field(ge=0)
    evidence: EvidenceOptions
    window: WindowOptions
    losses: LossesOptions
    confirmed: ConfirmedOptions
    unconfirmed: UnconfirmedOptions
    killed_share: KilledShareOptions
    returns: ReturnsOptions
    recruitment: RecruitmentOptions
    foreign: ForeignOptions
    force: ForceOptions
    reporting: ReportingOptions
    hedging: HedgingOptions
    scenario: dict[str, ScenarioOptions]
    derived: DerivedOptions
    sampler: SamplerOptions

    @model_validator(mode="after")
    def _priors_fit_their_quantity(self) -> AssumptionSet:
        problems = [
            problem for key, prior in self.priors() for problem in prior_problems(key, prior)
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, label: str) -> AssumptionSet:
        """Check a resolved configuration and return it typed.

        Parameters
        ----------
        config
            Plain nested mapping, as ``OmegaConf.to_container(..., resolve=True)`` gives it. Keys
            that are not assumptions (``name``, ``output_dir``, …) are ignored.
        label
            Name of the set in tables.

        Raises
        ------
        ConfigError
            With every problem found: key, what was found, what is allowed.
        """
        fields = {key: config[key] for key in cls.model_fields if key in config}
        try:
            return cls.model_validate(fields | {"label": label})
        except ValidationError as error:
            problems = [*explained(error, cls), *_problems_of_priors(config)]
            text = problems_text("The configuration has problems:", dict.fromkeys(problems))
            raise ConfigError(text) from error

    def priors(self) -> Iterator[tuple[str, Prior]]:
        """Yield key and prior of every scalar assumption, in the order of `ASSUMPTIONS`."""
        for key in ASSUMPTIONS:
            group, name = key.split(".")
            yield key, getattr(getattr(self, group), name)

    def identity(self, data_hash: str) -> str:
        """Return the id of the set: a hash of what it assumes and of the data it saw."""
        assumed = self.model_dump(mode="json", exclude={"label"})
        assumed["evidence"].pop("files")  # the content counts (data_hash), not its path
        text = json.dumps([assumed, data_hash], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def prior_problems(key: str, prior: Prior) -> list[str]:
    """Return what does not fit between a prior and the assumption it is for."""
    spec = ASSUMPTIONS[key]
    problems = []
    if prior.unit is not None and prior.unit != spec.unit:
        problems.append(f"{key}.unit: must be {spec.unit!r}. Got {prior.unit!r}")
    if prior.family not in FAMILIES_BY_SUPPORT[spec.support]:
        allowed = ", ".join(FAMILIES_BY_SUPPORT[spec.support])
        problems.append(
            f"{key}.family: a {spec.support} quantity takes {allowed}. Got {prior.family}"
        )
    elif spec.support != "real":
        problems += _support_problems(key, spec, prior)
    return problems


def _support_problems(key: str, spec: Spec, prior: Prior) -> list[str]:
    top = 1.0 if spec.support == "share" else math.inf
    allowed = f"[0, {'1' if top == 1.0 else '∞'}] {spec.unit}"
    names = ("value", "low", "high", "lower", "upper")
    edges = {name: edge for name in names if (edge := getattr(prior, name)) is not None}
    problems = [
        f"{key}.{name}: must lie in {allowed}. Got {edge}"
        for name, edge in edges.items()
        if not 0.0 <= edge <= top
    ]
    if prior.is_fixed and prior.value == 0.0 and not spec.may_be_zero:
        problems.append(f"{key}.value: must be above 0 {spec.unit}. Got {prior.value}")
    if problems:
        return problems
    if prior.family == "TruncatedNormal":
        needed = ("lower", "upper") if spec.support == "share" else ("lower",)
        return [
            f"{key}.{name}: a {spec.support} quantity needs this bound for TruncatedNormal"
            for name in needed
            if name not in edges
        ]
    if prior.family == "Uniform":
        # The range holds only `mass` of it: the rest lies on either side, maybe out of bounds.
        ends = prior.parameters()
        if ends["lower"] < 0.0 or ends["upper"] > top:
            return [
                f"{key}: Uniform with {prior.mass} of it in {prior.low} to {prior.high} reaches "
                f"from {ends['lower']:.4g} to {ends['upper']:.4g}; must lie in {allowed}"
            ]
    return []


def _problems_of_priors(config: Mapping[str, Any]) -> list[str]:
    """Problems of the priors that can be read, where other parts of the configuration cannot."""
    problems = []
    for key in ASSUMPTIONS:
        group, name = key.split(".")
        try:
            prior = Prior.model_validate(config[group][name])
        except (ValidationError, LookupError, TypeError):
            continue  # reported by the validation of the whole
        problems += prior_problems(key, prior)
    return problems


def is_packed(prior: Prior) -> bool:
    """Whether the prior shares the one compiled graph (affine map of a standard normal)."""
    return prior.is_fixed or prior.family in LINKS


def explained(error: ValidationError, kind: type[BaseModel]) -> list[str]:
    """Say each of pydantic's findings with its key, what was found, and what is allowed."""
    problems = []
    for item in error.errors():
        place = [str(part) for part in item["loc"] if part != "[key]"]
        key = ".".join(place)
        if item["type"] == "extra_forbidden":
            siblings = _fields_at(kind, place[:-1])
            hint = nearest(place[-1], siblings) if siblings else "remove it"
            problems.append(f"{key}: unknown key; {hint}")
        elif item["type"] == "missing":
            problems.append(f"{key}: missing; it has no default")
        elif item["type"] == "value_error":
            lines = item["msg"].removeprefix("Value error, ").splitlines()
            # A line that begins with a dot goes on with the key; at the root it has its own.
            problems += [
                f"{key}{line}" if line.startswith(".") or not key else f"{key}: {line}"
                for line in lines
            ]
        else:
            found = item.get("input")
            allowed = re.findall(r"'([^']+)'", item.get("ctx", {}).get("expected", ""))
            hint = nearest(str(found), allowed) if allowed else ""
            hint = f"; {hint}" if hint.startswith("did you mean") else ""
            problems.append(f"{key}: {item['msg']}. Got {found!r}{hint}")
    return problems


def _fields_at(root: type[BaseModel], place: list[str]) -> list[str]:
    """Names of the fields allowed at a place of the configuration, where the type says so."""
    kind: Any = root
    for part in place:
        fields = getattr(kind, "model_fields", {})
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif get_origin(kind) is tuple:
            kind = get_args(kind)[0]
        elif part in fields:
            kind = fields[part].annotation
        else:
            return []
        if type(None) in get_args(kind):  # an optional section
            kind = get_args(kind)[0]
    return list(getattr(kind, "model_fields", {}))
