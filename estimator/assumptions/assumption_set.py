"""One fully resolved configuration, checked as a whole, with an identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator

from estimator.assumptions.groups import (
    ASSUMPTIONS,
    ConfirmedOptions,
    DefinitionsOptions,
    EvidenceOptions,
    ForceOptions,
    ForeignOptions,
    HedgingOptions,
    KilledShareOptions,
    LossesOptions,
    RecruitmentOptions,
    ReturnsOptions,
    SamplerOptions,
    UnconfirmedOptions,
    WindowOptions,
)
from estimator.assumptions.labels import label_of_changes
from estimator.assumptions.priors import Prior
from estimator.assumptions.problems import explained
from estimator.assumptions.registries import RegistriesOptions
from estimator.assumptions.reporting import ReportingOptions
from estimator.assumptions.scalars import prior_problems
from estimator.assumptions.scenarios import DerivedOptions, ScenarioOptions
from estimator.assumptions.sections import Section
from estimator.errors import ConfigError, nearest, problems_text

_DESCRIBES = {"family", "unit"}  # of a prior, whatever its parameters


class AssumptionSet(Section):
    """One fully resolved configuration.

    Attributes are the groups of ``conf/``; `label` names the set in tables and folders.
    """

    label: str
    seed: int = Field(ge=0, lt=2**63)  # as files of results have numbers
    evidence: EvidenceOptions
    window: WindowOptions
    losses: LossesOptions
    confirmed: ConfirmedOptions
    definitions: DefinitionsOptions
    unconfirmed: UnconfirmedOptions
    killed_share: KilledShareOptions
    returns: ReturnsOptions
    recruitment: RecruitmentOptions
    foreign: ForeignOptions
    force: ForceOptions
    reporting: ReportingOptions
    registries: RegistriesOptions
    hedging: HedgingOptions
    scenario: dict[str, ScenarioOptions]
    derived: DerivedOptions
    sampler: SamplerOptions

    @model_validator(mode="after")
    def _priors_fit_their_quantity(self) -> AssumptionSet:
        problems = [
            problem
            for key, prior in self.priors()
            for problem in prior_problems(key, ASSUMPTIONS[key], prior)
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

    def with_priors(self, priors: Mapping[str, Prior]) -> AssumptionSet:
        """Return the set with other priors of some scalar assumptions, by key."""
        changed: dict[str, dict[str, Prior]] = {}
        for key, prior in priors.items():
            group, name = key.split(".")
            changed.setdefault(group, {})[name] = prior
        return self.model_copy(
            update={
                group: getattr(self, group).model_copy(update=fields)
                for group, fields in changed.items()
            }
        )

    def replace(
        self, key: str, value: Any = None, /, *, label: str | None = None, **fields: Any
    ) -> AssumptionSet:
        """Return the set with another value or other fields of one key, checked as a whole.

        Parameters
        ----------
        key
            Of a prior, group or option, e.g. ``returns.rate``.
        value
            All of it: a number, text, list or mapping. A number in place of a prior holds the
            assumption fixed.
        label
            Name of the new set; None: that of this one and what is changed.
        **fields
            Fields of what stands there, the others stay: ``low=0.1, high=0.3``. A prior with other
            parameters than these keeps its family and unit.

        Raises
        ------
        ConfigError
            If there is no such key, or the set is impossible with the new values.

        Examples
        --------
        >>> few = assumptions.replace("returns.rate", low=0.1, high=0.3)  # doctest: +SKIP
        """
        if (value is None) == (not fields):
            raise ConfigError(f"{key}: give one value, or fields such as low=0.1, high=0.3")
        config = self.model_dump(mode="json")
        *path, last = key.split(".")
        at = config
        for name in path:
            at = _within(at, name, key)
        here = _within(at, last, key, is_group=False)
        if fields:
            if not isinstance(here, dict):
                raise ConfigError(f"{key} has no fields; give its value. It is {here!r}")
            here = here if key not in ASSUMPTIONS else _kept_of_prior(here, fields)
        at[last] = {**here, **fields} if fields else value
        changes = [f"{key}.{name}={new}" for name, new in fields.items()] or [f"{key}={value}"]
        return AssumptionSet.from_config(
            config, label=label or label_of_changes(self.label, changes)
        )

    def identity(self, data_hash: str) -> str:
        """Return the id of the set: a hash of what it assumes and of the data it saw."""
        assumed = self.model_dump(mode="json", exclude={"label"})
        assumed["evidence"].pop("files")  # the content counts (data_hash), not its path
        text = json.dumps([assumed, data_hash], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _within(config: Any, name: str, key: str, *, is_group: bool = True) -> Any:
    """Go one step down a key.

    Raises
    ------
    ConfigError
        If there is no such step.
    """
    if not isinstance(config, dict) or name not in config:
        names = config if isinstance(config, dict) else ()
        raise ConfigError(f"no key {key!r}: {name!r} is not there; {nearest(name, names)}")
    if is_group and not isinstance(config[name], dict):
        raise ConfigError(f"no key {key!r}: {name!r} is a value. It is {config[name]!r}")
    return config[name]


def _kept_of_prior(prior: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what stays of a prior: all but its source where its own parameters get new values."""
    given = {name: value for name, value in prior.items() if value is not None}
    stays = set(given) - {"source"} if set(fields) <= set(given) else _DESCRIBES
    return {name: value for name, value in given.items() if name in stays}


def _problems_of_priors(config: Mapping[str, Any]) -> list[str]:
    """Problems of the priors that can be read, where other parts of the configuration cannot."""
    problems = []
    for key, spec in ASSUMPTIONS.items():
        group, name = key.split(".")
        try:
            prior = Prior.model_validate(config[group][name])
        except (ValidationError, LookupError, TypeError):
            continue  # reported by the validation of the whole
        problems += prior_problems(key, spec, prior)
    return problems
