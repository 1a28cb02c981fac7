"""How claims are judged, and which statements are turned into probabilities: group ``audit``."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.sections import Options, Section
from estimator.quantities.answers import Answer, with_last_month
from estimator.quantity import ESTIMATED


class Statement(Section):
    """Something said, as a question to the draws: the probability that a quantity lies there.

    Attributes
    ----------
    claims
        Ids of the claims that say it.
    says
        The statement, in words.
    quantity
        Of the posterior or, with `scenario`, of that projection.
    over
        How months become one number: each month by itself and all of them together (``each``), the
        sum over the months (``sum``; killed_share: killed over losses of the months), the highest
        month (``any``), or how many months back from the last one the sum needs to reach `above`
        (``window``).
    months
        First and last month; null: the last month (``each``), all months (``sum``, ``window``), or
        all projected months with a scenario.
    scenario, against
        Name of a scenario; `against` another one: the difference between them.
    above, below
        Where the quantity has to lie; both: between `above` and `below`.
    """

    claims: tuple[str, ...] = Field(min_length=1)
    says: str
    quantity: str
    over: Literal["each", "sum", "any", "window"] = "each"
    months: tuple[str, str] | None = None
    scenario: str | None = None
    against: str | None = None
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _possible(self) -> Statement:
        if self.quantity not in ESTIMATED:
            raise ValueError(f"quantity: unknown. Got {self.quantity!r}")
        if self.above is None and self.below is None:
            raise ValueError("give above, below or both. Got neither")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(
                f"above must be less than below. Got above={self.above}, below={self.below}"
            )
        if self.against is not None and self.scenario is None:
            raise ValueError("against needs a scenario. Got none")
        if self.over == "window" and (self.above is None or self.scenario is not None):
            raise ValueError("over: window needs above, and no scenario")
        if self.months is not None and self.months[0] > self.months[1]:
            raise ValueError(f"months must be in order. Got {list(self.months)}")
        return self


class AuditOptions(Options):
    """Bounds of the verdicts, how claims are left out, and the statements.

    `about` has the populations of the claims table that the statements are about; none: any.
    """

    group: ClassVar[str] = "audit"

    about: tuple[str, ...] = ()
    strained: float = Field(gt=0.0, lt=1.0)
    in_conflict: float = Field(gt=0.0, lt=1.0)
    refit: Literal["all", "no_series", "none"]
    max_k_hat: float = Field(gt=0.0, le=1.0)
    doubtful_k_hat: float = Field(gt=0.0, le=1.0)
    doubtful_factor: float = Field(ge=1.0)
    min_ess: float = Field(ge=10.0)
    fit: FitOptions
    influence_on: tuple[str, ...] = Field(min_length=1)
    groups_on: tuple[str, ...] = Field(min_length=1)
    certain: float = Field(gt=0.5, lt=1.0)
    face_value_deviations: float = Field(gt=0.0)
    max_conflicts: int = Field(ge=1)
    statements: dict[str, Statement]

    @model_validator(mode="after")
    def _ordered(self) -> AuditOptions:
        for text in self.groups_on:
            if text.startswith("P("):
                raise ValueError(
                    f"groups_on: give the quantity; P(quantity < 0) is told beside it. Got {text!r}"
                )
        if self.in_conflict >= self.strained:
            raise ValueError(
                "in_conflict must be below strained. Got "
                f"in_conflict={self.in_conflict}, strained={self.strained}"
            )
        return self

    def answers(self, last_month: str) -> list[Answer]:
        """Answers on which the influence of a claim is told."""
        return _parsed(self.influence_on, last_month)

    def group_answers(self, last_month: str) -> list[Answer]:
        """Answers that are told with and without each evidence group."""
        return _parsed(self.groups_on, last_month)


def _parsed(texts: tuple[str, ...], last_month: str) -> list[Answer]:
    return [Answer.parse(with_last_month(text, last_month)) for text in texts]
