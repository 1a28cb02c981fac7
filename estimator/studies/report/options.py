"""What a report asks and shows, typed and checked (group `report` of ``conf/``)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from estimator.assumptions.sections import Options, Section
from estimator.errors import ConfigError
from estimator.quantities.answers import Answer
from estimator.studies.report import words


class BreakEvenQuestion(Section):
    """A break-even value that a report shows.

    Attributes
    ----------
    keys
        One assumption or two, or ``scenario.plan_share``.
    event
        As `estimator.studies.breakeven` takes it; the period may be ``last``. Empty for a share of
        the plan.
    level
        Probability that is crossed.
    assumption_set
        Label of the set; a run without it has no such value.
    overrides
        What makes that set, as on the command line.
    scenarios
        Of a share of the plan: which ones; those that the set does not have are left out.
    """

    keys: tuple[str, ...] = Field(min_length=1, max_length=2)
    event: str = ""
    level: float = Field(gt=0.0, lt=1.0)
    assumption_set: str
    overrides: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()


class SetWords(Section):
    """What a reader is told of a set.

    Attributes
    ----------
    name
        Its name.
    dispute
        In which it takes a side, as "how large the force is"; empty where it takes none.
    believes
        Its belief, in one sentence.
    """

    name: str = Field(min_length=1)
    dispute: str = ""
    believes: str = Field(min_length=1)


class ReportOptions(Options):
    """Words and choices of a report; none of them changes a number.

    Attributes
    ----------
    title
        Heading of the page.
    about
        Populations of the claims table that subject and question are about; none: any.
    subject
        Whose losses these are, as the sentences name them.
    question
        Paragraphs.
    asked
        Statements of the group ``audit`` that get a verdict, beside the signs of `answers`.
    answers
        Answers to show, as ``quantity[period]``; the period may be ``last``.
    sets
        What is said of each set, by label. A set that is missing is described by how it differs.
    origins, evidence_groups, scenarios
        Names for readers, by those in the claims table and the configuration. What is missing is
        shown by its own name.
    moved
        A set or a piece of evidence that moves the share of draws in which a headline is true by
        this much is named beside it.
    limits
        What no number of the report can show.
    breakeven
        Break-even values to show.
    most_sets
        Sets that are shown in full.
    most_claims
        Rows of a table of claims; of more claims than this in all, long series are shown in part.
    """

    group: ClassVar[str] = "report"

    title: str = Field(min_length=1)
    about: tuple[str, ...] = ()
    subject: str = Field(min_length=1)
    question: tuple[str, ...] = Field(min_length=1)
    asked: tuple[str, ...] = ()
    answers: tuple[str, ...] = Field(min_length=1)
    sets: dict[str, SetWords] = Field(default_factory=dict)
    origins: dict[str, str] = Field(default_factory=dict)
    evidence_groups: dict[str, str] = Field(default_factory=dict)
    scenarios: dict[str, str] = Field(default_factory=dict)
    moved: float = Field(gt=0.0, lt=1.0)
    limits: tuple[str, ...] = ()
    breakeven: tuple[BreakEvenQuestion, ...] = ()
    most_sets: int = Field(default=40, ge=1, le=1000)
    most_claims: int = Field(default=400, ge=20)

    @field_validator("answers")
    @classmethod
    def _can_be_read(cls, answers: tuple[str, ...]) -> tuple[str, ...]:
        problems = []
        for text in answers:
            try:
                if Answer.parse(text).below_zero:
                    problems.append(f"answer {text!r}: give the quantity, not its probability")
            except ConfigError as error:
                problems.append(str(error))
        if problems:
            raise ValueError("\n".join(problems))
        return answers

    def set_name(self, label: str) -> str:
        """Name a set for readers."""
        return self.sets[label].name if label in self.sets else label

    def belief(self, label: str) -> str:
        """Say what a set believes; empty where nobody described it."""
        return self.sets[label].believes if label in self.sets else ""

    def origin(self, name: str) -> str:
        """Name an origin in words."""
        return self.origins.get(name, words.plain(name))

    def evidence_group(self, name: str) -> str:
        """Name a piece of evidence in words."""
        return self.evidence_groups.get(name, words.plain(name))

    def scenario(self, name: str) -> str:
        """Name a scenario in words."""
        return self.scenarios.get(name, words.plain(name))
