"""Tornado: how far each assumption alone moves an answer from what it is."""

from __future__ import annotations

import functools

import numpy as np
import scipy

from estimator.studies.compare.drivers.design import OneAtATime
from estimator.studies.compare.drivers.levels import number_text
from estimator.studies.compare.drivers.table import Outcome, Row

NO_NUMBERS = "no numbers"
WITHIN_ERROR = "within its Monte-Carlo error"
"""What a note says of an effect that may be error alone."""


def tornado_rows(design: OneAtATime, outcome: Outcome) -> list[Row]:
    """Make one row an assumption.

    Parameters
    ----------
    design
        Of the sets.
    outcome
        The answer.
    """
    return [_row(design, outcome, a) for a in range(len(design.levels.names))
            if (design.moved == a).any()]  # fmt: skip


def _row(design: OneAtATime, outcome: Outcome, assumption: int) -> Row:
    levels = design.levels
    codes, texts = levels.codes[:, assumption], levels.texts[assumption]
    rows = np.append(np.flatnonzero(design.moved == assumption), design.base)
    missing = [texts[codes[r]] for r in rows if np.isnan(outcome.values[r])]
    rows = rows[np.isfinite(outcome.values[rows])]
    row = Row(levels.names[assumption], reference=float(outcome.values[design.base]))
    if missing:
        row.notes.append(f"{NO_NUMBERS} at {', '.join(missing)}")
    if len(rows) < 2:
        return row
    values = outcome.values[rows]
    in_order = levels.ordered[assumption]
    rows = rows[np.argsort(codes[rows] if in_order else values, kind="stable")]
    low, high = rows[0], rows[-1]
    row.levels = texts[codes[low]], texts[codes[high]]
    row.values = float(outcome.values[low]), float(outcome.values[high])
    highest, lowest = rows[outcome.values[rows].argmax()], rows[outcome.values[rows].argmin()]
    row.effect = float(outcome.values[highest] - outcome.values[lowest])
    row.effect_mcse = float((outcome.errors[:, highest] - outcome.errors[:, lowest]).std())
    row.notes += [
        f"turns within: {name} at {texts[codes[place]]}"
        for name, place in (("lowest", lowest), ("highest", highest))
        if place not in (low, high, design.base)
    ]
    if note := within_error(row.effect, row.effect_mcse, len(rows)):
        row.notes.append(note)
    return row


def within_error(effect: float, error: float, count: int) -> str:
    """Say so if an effect may be Monte-Carlo error alone; empty if not.

    Parameters
    ----------
    effect
        Largest less smallest of `count` values.
    error
        Standard error of their difference.
    """
    limit = _studentized(count) * error
    return f"{WITHIN_ERROR} (up to {number_text(limit)})" if effect <= limit else ""


@functools.cache
def _studentized(count: int) -> float:
    """95 % quantile of the range of equal values, in standard errors of a difference."""
    return float(scipy.stats.studentized_range.ppf(0.95, count, np.inf) / np.sqrt(2.0))
