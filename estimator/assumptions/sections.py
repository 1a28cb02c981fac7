"""Bases of all parts of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from estimator.assumptions.problems import explained
from estimator.errors import ConfigError, problems_text


class Section(BaseModel):
    """Base of all parts of a configuration: unknown keys are errors, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
            problems = [f"{cls.group}.{problem}" for problem in explained(error, cls, cls.group)]
            text = problems_text("The configuration has problems:", problems)
            raise ConfigError(text) from error
