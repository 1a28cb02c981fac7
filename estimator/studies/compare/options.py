"""Options of a comparison, typed and checked (group `compare` of ``conf/``)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from estimator.assumptions.fields import MonthlyQuantity
from estimator.assumptions.sections import Options
from estimator.errors import ConfigError, problems_text
from estimator.paths import conf_dir
from estimator.quantities.answers import Answer, with_last_month


class CompareOptions(Options):
    """What is set side by side (see ``conf/compare/default.yaml`` for each)."""

    group: ClassVar[str] = "compare"

    answers: tuple[str, ...] = Field(min_length=1)
    reference: str | None
    shown: int = Field(ge=2, le=10_000)
    drawn: int = Field(ge=1, le=1000)
    changes: int = Field(ge=0)
    fans: int = Field(ge=1, le=60)
    fan_quantities: tuple[MonthlyQuantity, ...]
    specification: tuple[str, ...]
    density_draws: int = Field(ge=50, le=100_000)
    negligible: float = Field(ge=0.0, le=1.0)
    negligible_chance: float = Field(ge=0.0, le=1.0)
    sensitivity_sets: int = Field(ge=0, le=1000)
    sensitivity: float = Field(gt=0.0)
    told_contraction: float = Field(ge=0.0, lt=1.0)
    told_shift: float = Field(ge=0.0)
    halved: float = Field(gt=0.0, lt=1.0)
    conflict: float = Field(gt=0.0)

    @classmethod
    @functools.cache
    def default(cls) -> CompareOptions:
        """Read the shipped options."""
        from omegaconf import OmegaConf

        path = conf_dir() / "compare" / "default.yaml"
        shipped: Any = OmegaConf.to_container(OmegaConf.load(path))
        return cls.from_config(shipped)

    def answers_of(self, last_month: str) -> list[Answer]:
        """Answers, with the last month put in (see `_parsed`)."""
        return _parsed(self.answers, last_month)

    def negligible_effect(self, answer: Answer) -> float:
        """Share of the width of a set's range below which an effect on an answer is negligible."""
        return self.negligible_chance if answer.below_zero else self.negligible

    def specification_of(self, last_month: str) -> list[Answer]:
        """Answers with a specification curve, with the last month put in (see `_parsed`)."""
        return _parsed(self.specification, last_month)


def _parsed(texts: Sequence[str], last_month: str) -> list[Answer]:
    """Read answers, with the last month put in.

    Raises
    ------
    ConfigError
        With all that are no answers.
    """
    found, problems = [], []
    for text in texts:
        try:
            found.append(Answer.parse(with_last_month(text, last_month)))
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError(problems_text("These answers cannot be given:", problems))
    return found
