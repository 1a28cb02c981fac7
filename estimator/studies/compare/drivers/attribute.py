"""How much each assumption moves each answer, by the method that the design of the sets allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer
from estimator.show.number import fixed
from estimator.store.sets import Sets
from estimator.studies.compare.drivers import variance
from estimator.studies.compare.drivers.design import (
    Design,
    Factorial,
    OneAtATime,
    Saltelli,
    recognise,
)
from estimator.studies.compare.drivers.ends import ends_of, level_means
from estimator.studies.compare.drivers.levels import NoSweep
from estimator.studies.compare.drivers.noise import error_draws
from estimator.studies.compare.drivers.one_at_a_time import tornado_rows
from estimator.studies.compare.drivers.regression import Regression, Shares
from estimator.studies.compare.drivers.table import Outcome, Row, joined, rows_table
from estimator.studies.compare.drivers.terms import Basis, is_determined

_RESAMPLES = 200
_SEED = 20260215  # of the bootstraps; SALib takes 0 for none
_DROWNED = 0.5  # of the variance: with more Monte-Carlo error than that, shares say nothing
_TOLD = 0.01  # of the variance: a smaller part, of error or unexplained, is not worth a note


def drivers(
    sets: Sets, answers: Sequence[Answer], labels: Sequence[str] | None = None
) -> pd.DataFrame:
    """Say how much of the spread of each answer each assumption explains.

    The design of the sets decides how: a tornado for sets that differ from one base in one
    assumption each, an analysis of variance for all combinations of some levels, Sobol indices for
    Saltelli's blocks, and a regression for sets that fill the space or have holes.

    Parameters
    ----------
    sets
        The collection. One sweep may be among them; sets of runs are left aside.
    answers
        Of which the spread is explained.
    labels
        Of the sets to look at; None for all.

    Returns
    -------
    pandas.DataFrame
        Columns `estimator.studies.compare.drivers.COLUMNS`; one row an answer and assumption, the
        largest first. Without rows if nothing can be told (see `why_not`).

        - ``one_at_a_time``: `value_low` and `value_high` are the answer at the lowest and highest
          level (of options, where the answer is lowest and highest), `reference` in the base set,
          `effect` the largest less the smallest of these, `effect_mcse` its Monte-Carlo error.
        - ``anova``, ``sobol``, ``regression``: the same of the answer averaged over all else, of
          which `reference` is the mean; shares of the variance between the sets, with 95 %
          intervals. What Monte-Carlo errors add to the variances is taken out.

    Notes
    -----
    Sets without numbers are left out and counted in `note`.
    """
    try:
        design = recognise(sets, None if labels is None else list(labels))
    except NoSweep:
        return joined([])
    rows = pd.Index(sets.labels).get_indexer(pd.Index(design.levels.labels))
    errors = error_draws(sets, answers, rows, _RESAMPLES, np.random.default_rng(_SEED))
    outcomes = [
        Outcome(answer, sets.unit(answer), np.asarray(sets.value(answer), dtype=float)[rows], own)
        for answer, own in zip(answers, errors, strict=True)
    ]
    outcomes = [outcome for outcome in outcomes if len(outcome.there)]
    notes = _failures(sets, rows)
    if isinstance(design, OneAtATime):
        return joined(
            [
                rows_table(
                    str(outcome.answer),
                    outcome.unit,
                    "one_at_a_time",
                    tornado_rows(design, outcome),
                    notes,
                )
                for outcome in outcomes
            ]
        )
    bases: dict[bytes, Basis] = {}
    return joined([part for one in outcomes for part in _shares(design, one, bases, notes)])


def _failures(sets: Sets, rows: np.ndarray) -> list[str]:
    """Say how many sets count although their diagnostics failed."""
    facts = sets.facts.iloc[rows]
    missed = (facts["obtained"] == "fitted") & (facts["failures"] != "")
    count = int(missed.sum())
    return [f"{count} of {len(facts)} sets failed their diagnostics"] if count else []


def _shares(
    design: Design, outcome: Outcome, bases: dict[bytes, Basis], notes: list[str]
) -> list[pd.DataFrame]:
    """Make the rows of one answer; none if its holes leave too few sets.

    Answers that the same sets have share one basis.
    """
    method = _method(design, outcome)
    if not method:
        return []
    there = outcome.there
    levels, values = design.levels.take(there), outcome.values[there]
    reference = float(values.mean())
    notes = list(notes)
    if missing := len(design.levels) - len(there):
        notes.append(f"{missing} of {len(design.levels)} sets have no numbers and are left out")
    if outcome.noise > _DROWNED:
        notes.append("most of the variance is Monte-Carlo error")
        rows = [Row(name, reference=reference) for name in levels.names]
        return [rows_table(str(outcome.answer), outcome.unit, method, rows, notes)]
    if outcome.noise > _TOLD:
        notes.append(f"Monte-Carlo error makes {_percent(outcome.noise)} of the variance")
    shares, effects, told = _estimate(method, design, outcome, bases)
    rows = []
    for a, (name, ends) in enumerate(zip(levels.names, ends_of(levels, effects), strict=True)):
        row = Row(name, ends.texts, ends.values, reference, abs(ends.values[1] - ends.values[0]))
        row.first_order = (shares.first[a], *shares.first_range[:, a])
        row.total = (shares.total[a], *shares.total_range[:, a])
        rows.append(row)
    return [rows_table(str(outcome.answer), outcome.unit, method, rows, [*notes, *told])]


def _estimate(
    method: str, design: Design, outcome: Outcome, bases: dict[bytes, Basis]
) -> tuple[Shares, list[np.ndarray], list[str]]:
    """Return shares, the answer at each level, and what is to be said of them."""
    values, there = outcome.values, outcome.there
    levels = design.levels.take(there)
    if method == "anova" and isinstance(design, Factorial):
        shares = variance.anova(design, values, outcome.errors)
        return shares, level_means(levels, values), _left("main effects", shares)
    key = there.tobytes()
    if key not in bases:
        bases[key] = Basis.of(levels)
    model = Regression(bases[key], values[there])
    if method == "sobol" and isinstance(design, Saltelli):
        shares = variance.sobol_indices(design, values, outcome.errors, _SEED)
        told = [f"{len(variance.complete_blocks(design, values))} blocks"]
    else:
        shares = model.shares(outcome.errors[:, there], _SEED)
        told = _left("the regression", shares)
    return shares, model.main_effects(), told


def _left(what: str, shares: Shares) -> list[str]:
    """Say what is not explained, if it is worth a note."""
    left = shares.unexplained
    return [f"not explained by {what}: {_percent(left)}"] if left > _TOLD else []


def _method(design: Design, outcome: Outcome) -> str:
    complete = len(outcome.there) == len(design.levels)
    if isinstance(design, Factorial) and complete:
        return "anova"
    if isinstance(design, Saltelli) and variance.enough_blocks(design, outcome.values):
        return "sobol"
    determined = complete or is_determined(design.levels.take(outcome.there))
    return "regression" if determined else ""


def _percent(share: float) -> str:
    percent = 100.0 * share
    return f"{fixed(percent, 1 if percent < 10.0 else 0)} %"
