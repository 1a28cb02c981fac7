"""The parts of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer
from estimator.show.part import Part
from estimator.store.sets import Sets
from estimator.studies.compare.drivers.table import NEGLIGIBLE
from estimator.studies.compare.grids import (
    comparison_grids,
    drivers_grid,
    pooled_grid,
    prior_grid,
    shown_labels,
    stacking_grid,
)
from estimator.studies.compare.labels import varied_columns
from estimator.studies.compare.matrix import matrix_grid, product_grids
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.pool import checked_weights, pooled
from estimator.studies.compare.sensitivity import GROUPS, prior_or_data
from estimator.studies.compare.stacking import stacking
from estimator.studies.compare.table import compare_sets, reference_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Comparison:
    """What is compared, and how.

    Attributes
    ----------
    reference
        Label of the reference set.
    weights
        Weights of sets for the pooled range; None if the user gave none.
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
    ) -> Comparison:
        """Check reference and weights; a reference of None is that of the options."""
        chosen = reference_of(sets, options.reference if reference is None else reference)
        if weights is not None:
            checked_weights(sets, weights)
        return cls(sets, answers, chosen, weights, options)

    @cached_property
    def drivers(self) -> pd.DataFrame:
        """What drives the answers, by the design of a sweep; no rows where that is not known."""
        from estimator.studies.compare.drivers import drivers

        return with_negligible(drivers(self.sets, self.answers), self.sets, self.options)

    @property
    def specified(self) -> list[Answer]:
        """Answers with a specification curve: of those that are compared, else the first."""
        chosen = self.options.specification_of(self.sets.last_month) if self.sets.months else ()
        return [answer for answer in self.answers if answer in chosen] or self.answers[:1]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table of sets: `estimator.studies.compare.table.compare_sets`."""
        return compare_sets(self.sets, self.answers, self.reference)


def matrix_part(comparison: Comparison) -> Part:
    """Set all sets by all answers, and two varied keys one down and one across."""
    sets, answers = comparison.sets, comparison.answers
    labels = shown_labels(comparison.table, comparison.options.shown)
    matrix = matrix_grid(sets, answers, labels)
    return Part(grids=[matrix, *product_grids(sets, answers)], brief=True)


def comparison_part(comparison: Comparison) -> Part:
    """Set the answers side by side."""

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.studies.compare.pictures import draw_comparison  # matplotlib takes a second

        return draw_comparison(
            comparison.sets, comparison.answers, comparison.table, comparison.options
        )

    grids = comparison_grids(comparison.table, comparison.sets, comparison.options.shown)
    varied = varied_columns(comparison.sets)
    facts = comparison.sets.facts.drop(columns=["own_label", "run"])
    facts = facts[[name for name in facts if name not in varied]].join(varied)
    tables = {
        "comparison": comparison.table.join(varied, on="assumption_set"),
        "sets": facts.rename_axis("assumption_set").reset_index(),
    }
    return Part(grids=grids, tables=tables, figures=figures)


def pooled_part(comparison: Comparison) -> Part:
    """Pool the sets: with equal weights, the user's, and those of stacking."""
    sets, answers = comparison.sets, comparison.answers
    stacked = stacking(sets)
    chosen = stacked[stacked["weight"].notna()]
    kinds: dict[str, Mapping[str, float] | None] = {"": None}
    if comparison.weights is not None:
        kinds["given: "] = comparison.weights
    if len(chosen):
        shares = chosen["weight"].round(6)
        doubtful = chosen["diagnostics"].str.contains("k̂").any()
        prefix = "stacking, a mere hint with such k-hats: " if doubtful else "stacking: "
        kinds[prefix] = dict(zip(chosen["assumption_set"], shares, strict=True))
    tables = []
    for prefix, weights in kinds.items():
        mixture = pooled(sets, answers, weights)
        tables.append(mixture.assign(weights=prefix + mixture["weights"]))
    table = pd.concat(tables, ignore_index=True)
    grids = [pooled_grid(mixture) for mixture in tables]
    if sets.whole:
        failed = sets.facts.index[sets.facts["failures"].astype(str) != ""]
        grids.append(stacking_grid(stacked, failed))
    return Part(grids=grids, tables={"pooled": table, "stacking": stacked})


def prior_part(comparison: Comparison) -> Part:
    """Say within each set that was written whole whether prior or claims decided."""
    labels = comparison.sets.whole
    if comparison.reference in labels:
        labels = [
            comparison.reference,
            *(label for label in labels if label != comparison.reference),
        ]
    decided, moved = [], []
    for label in labels[: comparison.options.sensitivity_sets]:
        tree = comparison.sets.tree(label, GROUPS)
        if tree is not None and "log_likelihood" in tree.children:
            # A set may have another name here than in its own file.
            verdicts, sensitivity = prior_or_data(tree, comparison.answers, comparison.options)
            decided.append(verdicts.assign(assumption_set=label))
            moved.append(sensitivity.assign(assumption_set=label))
    if not decided:
        return Part()
    tables = {
        "prior_or_data": pd.concat(decided, ignore_index=True),
        "answer_sensitivity": pd.concat(moved, ignore_index=True),
    }
    grid = prior_grid(decided[0], moved[0], comparison.options.shown)
    return Part(grids=[grid], tables=tables)


def width_of(sets: Sets, answer: Answer) -> float:
    """Width of the 90 % range of a set, of the middle one; 1 for a probability."""
    if answer.below_zero:
        return 1.0
    widths = sets.value(answer, "q95") - sets.value(answer, "q05")
    known = widths[np.isfinite(widths)]
    return float(np.median(known)) if len(known) else np.nan


def with_negligible(table: pd.DataFrame, sets: Sets, options: CompareOptions) -> pd.DataFrame:
    """Note at each driver of a table whether its effect is negligible.

    Parameters
    ----------
    table
        As `drivers` or `shifts` gives it, of these sets.
    sets
        How wide their ranges are says what is negligible beside them.
    options
        Which share of that is.
    """
    table = table.copy()
    for text, rows in table.groupby("answer", sort=False):
        answer = Answer.parse(str(text))
        least = options.negligible_effect(answer) * width_of(sets, answer)
        small = rows.index[(rows["effect"] < least).to_numpy()]
        notes = table.loc[small, "note"].astype(str)
        table.loc[small, "note"] = NEGLIGIBLE + notes.where(notes == "", "; " + notes)
    return table


def drivers_part(comparison: Comparison) -> Part:
    """Say what drives the answers: by the design of a sweep, else by the priors of one set."""
    from estimator.studies.compare.drivers import shifts, statement, why_not

    sets, answers = comparison.sets, comparison.answers
    table = comparison.drivers
    notes = []
    if table.empty:
        notes.append(why_not(sets))
        if comparison.reference in sets.whole:
            found = shifts(sets, answers, comparison.reference)
            table = with_negligible(found, sets, comparison.options)
            notes.append(f"These are the priors within {comparison.reference}, by reweighting it.")
    if table.empty:
        return Part(grids=[drivers_grid([], notes)])
    sentences = [
        (
            str(answer),
            statement(
                table, answer, width_of(sets, answer), comparison.options.negligible_effect(answer)
            ),
        )
        for answer in answers
    ]

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.studies.compare.pictures import draw_drivers  # matplotlib takes a second

        return draw_drivers(table)

    return Part(grids=[drivers_grid(sentences, notes)], tables={"drivers": table}, figures=figures)


def specification_part(comparison: Comparison) -> Part:
    """Draw the answers of a sweep's sets in their order, with what each assumed."""

    def figures() -> Iterator[tuple[str, Figure]]:
        from estimator.studies.compare.pictures import draw_specifications

        return draw_specifications(comparison.sets, comparison.specified, comparison.drivers)

    return Part(figures=figures)


PARTS: tuple[Callable[[Comparison], Part], ...] = (
    matrix_part,
    comparison_part,
    specification_part,
    drivers_part,
    pooled_part,
    prior_part,
)
"""In the order in which they are printed."""


def parts_of(comparison: Comparison) -> Iterator[Part]:
    """Work out one part after the other."""
    for part in PARTS:
        yield part(comparison)
