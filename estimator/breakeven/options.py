"""Options of the search, typed and checked (group `breakeven` of ``conf/``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from estimator.assumptions import Section, explained
from estimator.errors import ConfigError, problems_text


class BreakEvenOptions(Section):
    """How a crossing is searched (see ``conf/breakeven/default.yaml`` for each)."""

    points: int = Field(ge=3, le=1000)
    contour_points: int = Field(ge=3, le=100)
    cover_mass: float = Field(gt=0.0, lt=1.0)
    cover_draws: int = Field(ge=50, le=100_000)
    contour_draws: int = Field(ge=50, le=100_000)
    kernel_width: float = Field(gt=0.0, le=0.5)
    contour_kernel_width: float = Field(gt=0.0, le=0.5)
    max_k_hat: float = Field(gt=0.0, le=1.0)
    min_ess: float = Field(ge=10.0)
    bridges: int = Field(ge=0, le=100)
    refits: int = Field(ge=0, le=1000)
    refit_draws: int = Field(ge=50, le=100_000)
    tolerance: float = Field(gt=0.0, lt=1.0)
    bracket: float = Field(gt=0.0, le=2.0)
    scan: int = Field(ge=2, le=1000)
    check: int = Field(ge=0, le=1000)
    interval: float = Field(gt=0.5, lt=1.0)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BreakEvenOptions:
        """Check the group `breakeven` of a resolved configuration.

        Raises
        ------
        ConfigError
            With every problem found: key, what was found, what is allowed.
        """
        try:
            return cls.model_validate(config)
        except ValidationError as error:
            problems = [f"breakeven.{problem}" for problem in explained(error, cls)]
            text = problems_text("The configuration has problems:", problems)
            raise ConfigError(text) from error
