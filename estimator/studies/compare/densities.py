"""Draws of equal weight for pictures, from sets with weights and without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from estimator.quantities.answers import Answer
from estimator.store.sets import Sets
from estimator.studies.compare.mixture import quantiles


def even_draws(sets: Sets, answers: Sequence[Answer], count: int) -> np.ndarray:
    """Draw from each set's posterior at even steps in probability.

    Parameters
    ----------
    sets
        Of which all are drawn.
    answers
        No probabilities.
    count
        Draws a set.

    Returns
    -------
    (answer, set, draw), rising; NaN where no draws are kept
    """
    steps = (np.arange(count) + 0.5) / count
    found = np.full((len(answers), len(sets), count), np.nan)
    at = {label: n for n, label in enumerate(sets.labels)}
    for chunk in sets.chunks(answers):
        for label, weights in zip(chunk.labels, chunk.weights, strict=True):
            told = weights > 0
            for row, values in enumerate(chunk.values):
                found[row, at[label]] = quantiles(values[told], weights[told], steps)
    return found


def spread(values: np.ndarray, count: int, always: Sequence[int] = ()) -> list[int]:
    """Choose sets at even steps of an answer, the lowest and highest among them.

    Parameters
    ----------
    values
        The answer; NaN where a set has none. (set,).
    count
        How many at most.
    always
        Positions of sets that are among them.

    Returns
    -------
    list of int
        Positions in rising order of the sets; all of them if they are no more than `count`.
    """
    if len(values) <= count:
        return list(range(len(values)))
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    steps = (
        np.linspace(0, len(order) - 1, max(min(count - len(always), len(order)), 1))
        .round()
        .astype(int)
    )
    return sorted({int(n) for n in order[steps]} | set(always))
