"""Each set against a reference set, from their draws: who is above, and how errors correlate.

Both are sums over a set's weighted draws, so that thousands of sets cost one pass over the weights.

*Above.* With F the reference's weighted distribution function (at a tie the middle of its step),
P(A > B) is the mean of F over A's draws: exact over all pairs of draws.

*Correlation.* The error of a weighted median m is, to first order, the sum over the draws of
``w (1/2 - 1[x <= m]) / f(m)``; of a probability p that of ``w (1[x < 0] - p)``. For two sets that
are reweighted from the same draws these terms go together draw by draw, and the density f cancels
in their correlation. (Influence functions: Serfling 1980, Approximation Theorems, ch. 2.5.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimator.quantities.answers import Answer
from estimator.store.sets import Chunk, Sets


@dataclass(frozen=True)
class Pairs:
    """Each set against the reference set.

    Attributes
    ----------
    above
        P(set's quantity > reference's). NaN for answers that are probabilities, and where either
        has no draws. (answer, set).
    correlation
        Of the Monte-Carlo errors of `middle`; 0 where no draws are shared or kept. (answer, set).
    """

    above: np.ndarray
    correlation: np.ndarray

    @classmethod
    def of(cls, sets: Sets, answers: Sequence[Answer], reference: str, middle: np.ndarray) -> Pairs:
        """Work through the draws once.

        Parameters
        ----------
        sets, answers
            What is compared.
        reference
            Label of the reference set.
        middle
            Medians, or probabilities. (answer, set).
        """
        above = np.full(middle.shape, np.nan)
        correlation = np.zeros(middle.shape)
        at = {label: n for n, label in enumerate(sets.labels)}
        is_probability = np.array([answer.below_zero for answer in answers])
        for base in sets.chunks(answers, [reference]):
            centre = middle[:, at[reference]]
            influence = base.weights[0] * _pull(base.values, centre, is_probability)
            pool = None
            for chunk in sets.chunks(answers):
                columns = [at[label] for label in chunk.labels]
                if chunk.values is not pool:  # else the draws are those of the chunk before
                    pool = chunk.values
                    level = _levels(base.values, base.weights[0], pool)
                    shared = _shared(base, influence, chunk)
                above[:, columns] = (chunk.weights @ level.T.astype(chunk.weights.dtype)).T
                if shared is not None:
                    correlation[:, columns] = _correlations(
                        chunk, middle[:, columns], is_probability, shared
                    )
        above[is_probability] = np.nan
        above[np.isnan(middle)] = np.nan
        return cls(above, correlation)


def _levels(values: np.ndarray, weights: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weighted distribution function of each row of values, in the middle of its steps.

    Parameters
    ----------
    values
        (answer, draw).
    weights
        Sum to 1. (draw,).
    at
        Where. (answer, place).

    Returns
    -------
    (answer, place); NaN where either holds NaN
    """
    found = np.full(at.shape, np.nan)
    for row, (own, places) in enumerate(zip(values, at, strict=True)):
        if np.isnan(own).any() or np.isnan(places).any():
            continue
        order = np.argsort(own)
        ordered = own[order]
        steps = np.concatenate([[0.0], np.cumsum(weights[order], dtype=float)])
        left = np.searchsorted(ordered, places, side="left")
        right = np.searchsorted(ordered, places, side="right")
        found[row] = 0.5 * (steps[left] + steps[right]) / steps[-1]
    return found


def _pull(values: np.ndarray, middle: np.ndarray, is_probability: np.ndarray) -> np.ndarray:
    """How each draw, of weight 1, moves a median or a probability, up to a factor. (answer, draw).

    The draws of a probability are 1 where the quantity is below 0, else 0.
    """
    centre = middle[:, None]
    return np.where(is_probability[:, None], values - centre, 0.5 - (values <= centre))


def _shared(base: Chunk, influence: np.ndarray, chunk: Chunk) -> np.ndarray | None:
    """Influence of the reference's draws on a chunk's draws; None if none is shared.

    Divided by its length, so that a product with another such row is a correlation. (answer, draw).
    """
    length = np.sqrt((influence**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        scaled = influence / length
    _, own, theirs = np.intersect1d(
        base.places, chunk.places, assume_unique=True, return_indices=True
    )
    if not len(own):
        return None
    found = np.zeros(chunk.values.shape)
    found[:, theirs] = scaled[:, own]
    return found


def _correlations(
    chunk: Chunk, middle: np.ndarray, is_probability: np.ndarray, shared: np.ndarray
) -> np.ndarray:
    """Correlation of each set's error with the reference's. middle, result (answer, set)."""
    weights = chunk.weights
    square = weights * weights
    total = square.sum(axis=1, dtype=float)
    found = np.zeros(middle.shape)
    for row in range(len(middle)):
        own = middle[row]
        # In the type of the weights: a product of two types copies the larger one.
        values, reference = (part[row].astype(weights.dtype) for part in (chunk.values, shared))
        if is_probability[row]:
            together = weights @ (values * reference) - own * (weights @ reference)
            length = (square @ values) * (1.0 - 2.0 * own) + own**2 * total
        else:
            together = _below_median(weights, values, reference, own)
            length = 0.25 * total
        with np.errstate(invalid="ignore", divide="ignore"):
            found[row] = together / np.sqrt(length)
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


def _below_median(
    weights: np.ndarray, values: np.ndarray, reference: np.ndarray, middle: np.ndarray
) -> np.ndarray:
    """Sum weight times the influence on the reference times (1/2 less x <= median). (set,).

    Draws below the lowest or above the highest median are the same for all sets, so that a product
    does for them; only those between are looked at set by set.
    """
    known = middle[np.isfinite(middle)]
    if not len(known):
        return np.zeros(len(middle))
    below = values <= known.min()
    between = ~below & (values <= known.max())
    found = weights @ ((0.5 - below).astype(weights.dtype) * reference)
    terms = weights[:, between] * reference[between]
    inside = values[between] <= middle[:, None]
    return np.asarray(found - np.einsum("sd,sd->s", terms, inside.astype(terms.dtype)))
