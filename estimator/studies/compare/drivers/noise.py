"""Monte-Carlo errors of the answers of many sets together, as they might have been.

Sets that were reweighted from the same draws err together: sets that lie near each other by almost
the same amount, so that an error can look like an effect. To first order the error of a weighted
median m is a sum over the draws of ``w (1/2 - 1[x <= m])``, up to a factor; of a probability p that
of ``w (1[x < 0] - p)`` (influence functions: Serfling 1980, Approximation Theorems, ch. 2.5). With
one standard normal number a draw in the place of its chance, these sums give errors of all sets
with the right correlations; the standard errors that are stored give their sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from estimator.quantities.answers import Answer
from estimator.store.sets import Sets

_DRAWS = 4000  # of shared draws at most: they only tell how errors go together


def error_draws(
    sets: Sets,
    answers: Sequence[Answer],
    rows: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw Monte-Carlo errors of answers.

    Parameters
    ----------
    sets, answers
        What errs.
    rows
        Positions of the sets.
    count
        How many draws.
    rng
        Where they come from.

    Returns
    -------
    (answer, draw, set), float32; NaN where a set has no numbers. Errors of sets whose draws are not
    shared, or not kept, are independent.
    """
    sizes = np.stack([np.asarray(sets.error(answer), dtype=np.float32)[rows] for answer in answers])
    middles = np.stack([np.asarray(sets.value(answer), dtype=float)[rows] for answer in answers])
    found = rng.standard_normal((len(answers), count, len(rows)), dtype=np.float32)
    labels = [sets.labels[row] for row in rows]
    place = {label: n for n, label in enumerate(labels)}
    shared = (sets.facts["obtained"].iloc[rows] == "reweighted").to_numpy()
    wanted = [label for label, share in zip(labels, shared, strict=True) if share]
    pool, chance = None, np.empty((0, count), np.float32)
    for chunk in sets.chunks(answers, wanted) if wanted else ():
        step = -(-chunk.values.shape[1] // _DRAWS)
        if chunk.values is not pool:
            pool = chunk.values
            chance = rng.standard_normal((len(pool[0, ::step]), count), dtype=np.float32)
        columns = [place[label] for label in chunk.labels]
        for row, answer in enumerate(answers):
            values, weights = chunk.values[row, ::step], chunk.weights[:, ::step]
            terms = influence(values, weights, middles[row, columns], answer.below_zero)
            length = np.sqrt(np.einsum("sd,sd->s", terms, terms))
            told = length > 0  # else no draw that was looked at moves it
            joint = (terms[told] @ chance) / length[told, None]
            found[row][:, np.array(columns)[told]] = joint.T
    return np.asarray(found * sizes[:, None, :])


def influence(
    values: np.ndarray, weights: np.ndarray, middles: np.ndarray, is_probability: bool
) -> np.ndarray:
    """How each draw moves the answer of each set, up to a factor.

    Parameters
    ----------
    values
        The draws; of a probability 1 where the quantity is below 0, else 0. (draw,).
    weights
        (set, draw).
    middles
        Medians, or probabilities. (set,).
    is_probability
        Which of them.

    Returns
    -------
    (set, draw), float32
    """
    if is_probability:
        pull = np.subtract(values[None, :], middles[:, None], dtype=np.float32)
    else:
        below = values[None, :] <= middles[:, None]
        pull = np.subtract(np.float32(0.5), below, dtype=np.float32)
    return np.asarray(weights * pull, dtype=np.float32)
