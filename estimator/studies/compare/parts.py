"""The parts of a comparison: each gives tables, what a reader sees of them, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from estimator.quantities.answers import Answer
from estimator.store.sets import Sets
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.pool import checked_weights, pooled
from estimator.studies.compare.sensitivity import GROUPS, weigh
from estimator.studies.compare.show import (
    Grid,
    comparison_grids,
    drivers_grid,
    pooled_grid,
    prior_grid,
    stacking_grid,
)
from estimator.studies.compare.stacking import stacking
from estimator.studies.compare.table import compare_sets, reference_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Question:
    """What is compared, and how.

    Attributes
    ----------
    reference
        Label of the reference set.
    weights
        Of sets, for the pooled range; None if the user gave none.
    """

    sets: Sets
    answers: list[Answer]
    reference: str
    weights: Mapping[str, float] | None
    options: CompareOptions

    @classmethod
    def of(
        cls,
        sets: Sets,
        answers: list[Answer],
        options: CompareOptions,
        reference: str | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Question:
        """Check reference and weights; a reference of None is that of the options."""
        chosen = reference_of(sets, options.reference if reference is None else reference)
        if weights is not None:
            checked_weights(sets, weights)
        return cls(sets, answers, chosen, weights, options)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """The table of sets: `estimator.studies.compare.table.compare_sets`."""
        return compare_sets(self.sets, self.answers, self.reference)


@dataclass(frozen=True)
class Part:
    """One part of a comparison.

    Attributes
    ----------
    tables
        By the name of their file.
    grids
        What is printed and written as Markdown.
    figures
        Draws the pictures, each with the name of its file, when it is called.
    """

    tables: Mapping[str, pd.DataFrame]
    grids: list[Grid] = field(default_factory=list)
    figures: Callable[[], Iterable[tuple[str, Figure]]] = tuple


def comparison_part(question: Question) -> Part:
    """Set the answers side by side."""

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.studies.compare.pictures import comparison_figures  # matplotlib is slow

        return comparison_figures(
            question.sets, question.answers, question.comparison, question.options
        )

    grids = comparison_grids(question.comparison, question.sets, question.options.shown)
    facts = question.sets.facts.drop(columns=["own_label", "run"])
    facts = facts.rename_axis("assumption_set").reset_index()
    return Part({"comparison": question.comparison, "sets": facts}, grids, figures)


def pooled_part(question: Question) -> Part:
    """Pool the sets: with equal weights, the user's, and those of stacking."""
    sets, answers = question.sets, question.answers
    stacked = stacking(sets)
    chosen = stacked[stacked["weight"].notna()]
    kinds: dict[str, Mapping[str, float] | None] = {"": None}
    if question.weights is not None:
        kinds["given: "] = question.weights
    if len(chosen):
        shares = chosen["weight"].round(6)
        doubtful = chosen["diagnostics"].str.contains("k̂").any()
        prefix = "stacking, a mere hint with such k-hats: " if doubtful else "stacking: "
        kinds[prefix] = dict(zip(chosen["assumption_set"], shares, strict=True))
    tables = []
    for prefix, weights in kinds.items():
        own = pooled(sets, answers, weights)
        tables.append(own.assign(weights=prefix + own["weights"]))
    table = pd.concat(tables, ignore_index=True)
    grids = [pooled_grid(found) for found in tables]
    if sets.whole:
        grids.append(stacking_grid(stacked))
    return Part({"pooled": table, "stacking": stacked}, grids)


def prior_part(question: Question) -> Part:
    """Say within each set that was written whole whether prior or claims decided."""
    labels = question.sets.whole
    if question.reference in labels:
        labels = [question.reference, *(one for one in labels if one != question.reference)]
    found, moved = [], []
    for label in labels[: question.options.sensitivity_sets]:
        tree = question.sets.tree(label, GROUPS)
        if tree is not None and "log_likelihood" in tree.children:
            # A set may have another name here than in its own file.
            decided, hangs = weigh(tree, question.answers, question.options)
            found.append(decided.assign(assumption_set=label))
            moved.append(hangs.assign(assumption_set=label))
    if not found:
        return Part({})
    tables = {
        "prior_or_data": pd.concat(found, ignore_index=True),
        "answer_sensitivity": pd.concat(moved, ignore_index=True),
    }
    return Part(tables, [prior_grid(found[0], moved[0], question.options.shown)])


def drivers_part(question: Question) -> Part:
    """Say what drives the answers: by the design of a sweep, else by the priors of one set."""
    from estimator.studies.compare.drivers import drivers, shifts, statement, why_not

    sets, answers = question.sets, question.answers
    table = drivers(sets, answers)
    notes = []
    if table.empty:
        notes.append(why_not(sets))
        if question.reference in sets.whole:
            table = shifts(sets, answers, question.reference)
            notes.append(f"These are the priors within {question.reference}, by reweighting it.")
    if table.empty:
        return Part({}, [drivers_grid([], notes)])
    told = [(str(answer), statement(table, answer)) for answer in answers]

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.studies.compare.pictures import drivers_figures  # matplotlib is slow

        return drivers_figures(table)

    return Part({"drivers": table}, [drivers_grid(told, notes)], figures)


PARTS: tuple[Callable[[Question], Part], ...] = (
    comparison_part,
    drivers_part,
    pooled_part,
    prior_part,
)
"""In the order in which they are printed."""


def parts_of(question: Question) -> Iterator[Part]:
    """Work out one part after the other."""
    for part in PARTS:
        yield part(question)
