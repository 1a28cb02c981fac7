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
from estimator.assumptions.priors import Prior
from estimator.assumptions.problems import explained
from estimator.assumptions.registries import RegistriesOptions
from estimator.assumptions.reporting import ReportingOptions
from estimator.assumptions.scalars import prior_problems
from estimator.assumptions.scenarios import DerivedOptions, ScenarioOptions
from estimator.assumptions.sections import Section
from estimator.errors import ConfigError, problems_text


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

    def identity(self, data_hash: str) -> str:
        """Return the id of the set: a hash of what it assumes and of the data it saw."""
        assumed = self.model_dump(mode="json", exclude={"label"})
        assumed["evidence"].pop("files")  # the content counts (data_hash), not its path
        text = json.dumps([assumed, data_hash], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


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
