"""One range across sets: the mixture of their posteriors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from estimator.errors import ConfigError, problems_text
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTILES
from estimator.store.sets import Sets, nearest_label
from estimator.studies.compare.comparable import problems, some
from estimator.studies.compare.mixture import Mixture

COLUMNS = ("answer", "unit", *QUANTILES, "weights", "sets", "refused")
EQUAL = "equal"
"""Weights of a pool in which each set counts alike."""


def pooled(
    sets: Sets, answers: Sequence[Answer], weights: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Pool the posteriors of sets into one mixture.

    Parameters
    ----------
    sets
        Of runs and sweeps. Sets without numbers (failed, unfinished) are left out where weights are
        equal.
    answers
        What is pooled.
    weights
        Weight of each set by its label, not negative; sets that are not named have none. None gives
        every set the same; a set that is there twice counts once.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, a row for each answer. The mixture is over assumptions that somebody
        chose, not over what is probable: it is as wide as the sets that were put in. `q50` of an
        answer that is a probability is the mixture's probability. `refused` says why there are no
        numbers; else it is empty.

    Raises
    ------
    ConfigError
        If weights name unknown sets, are negative or not finite, or are all zero.
    """
    given = None if weights is None else checked_weights(sets, weights)
    rows = [_row(sets, answer, given) for answer in answers]
    taken = [row for row in rows if not row.refused]
    for row in taken:
        if row.answer.below_zero:
            inside = row.weights > 0
            row.cells["q50"] = float(row.weights[inside] @ sets.value(row.answer)[inside])
    ranged = [row for row in taken if not row.answer.below_zero]
    if ranged:
        _add_quantiles(sets, ranged)
    return pd.DataFrame([row.cells for row in rows], columns=list(COLUMNS))


def checked_weights(sets: Sets, weights: Mapping[str, float]) -> np.ndarray:
    """Put weights into the order of the sets. (set,).

    Raises
    ------
    ConfigError
        As `pooled`.
    """
    found = [
        f"{label!r}: no such set; {nearest_label(label, sets.labels)}"
        for label in weights
        if label not in sets.facts.index
    ]
    found += [
        f"{label!r}: must be a finite number, not negative. Got {weight}"
        for label, weight in weights.items()
        if not (np.isfinite(weight) and weight >= 0)
    ]
    if not found and sum(weights.values()) <= 0:
        found.append("all are zero; at least one must be above")
    if found:
        raise ConfigError(problems_text("These weights cannot be used:", found))
    return np.array([float(weights.get(label, 0.0)) for label in sets.labels])


class _Row:
    """One answer: the weight of each set, and what comes of it."""

    def __init__(self, answer: Answer, shares: np.ndarray, **cells: object) -> None:
        self.answer = answer
        self.weights = shares
        self.cells = {"answer": str(answer), **dict.fromkeys(QUANTILES, np.nan), **cells}
        self.refuse("")

    def refuse(self, reason: str) -> None:
        """Keep why there are no numbers."""
        self.refused = reason
        self.cells["refused"] = reason


def _row(sets: Sets, answer: Answer, given: np.ndarray | None) -> _Row:
    there = np.isfinite(sets.value(answer))
    own, text = _equal(sets, there) if given is None else (given, _text(sets, given))
    inside = own > 0
    failed = int((sets.facts["failures"].to_numpy(dtype=str)[inside] != "").sum())
    row = _Row(
        answer,
        own / max(own.sum(), np.finfo(float).tiny),
        unit=sets.unit(answer),
        weights=text + (f"; {failed} failed their diagnostics" if failed else ""),
        sets=sets.facts["set_id"][inside].nunique(),
    )
    if not there.any():
        row.refuse("no set has it")
    elif (inside & ~there).any():
        missing = [label for label, lost in zip(sets.labels, inside & ~there, strict=True) if lost]
        row.refuse(f"these sets have no numbers for it: {some(missing)}")
    else:
        row.refuse("; ".join(problems(sets, [answer], inside)))
    return row


def _equal(sets: Sets, there: np.ndarray) -> tuple[np.ndarray, str]:
    """Give every distinct set the same, and say what was left out."""
    ids = sets.facts["set_id"].astype(str)
    times = ids.map(ids[there].value_counts()).to_numpy(dtype=float)
    weights = np.where(there, 1.0 / times, 0.0)
    text = EQUAL
    repeated = int(there.sum()) - ids[there].nunique()
    if repeated:
        text += f"; {repeated} that are there twice count once"
    if not there.all():
        text += f"; {int((~there).sum())} without numbers left out"
    return weights, text


def _text(sets: Sets, weights: np.ndarray) -> str:
    shares = weights / weights.sum()
    order = [int(n) for n in np.argsort(-shares, kind="stable") if shares[n] > 0]
    parts = [f"{sets.labels[n]} {shares[n]:.3g}" for n in order[:8]]
    rest = f" and {len(order) - 8} more" if len(order) > 8 else ""
    return ", ".join(parts) + rest


def _add_quantiles(sets: Sets, answers: Sequence[_Row]) -> None:
    """Work through the draws once; put the quantiles into the rows that are not refused."""
    weights = np.stack([row.weights for row in answers])
    wanted = [label for label, one in zip(sets.labels, weights.max(axis=0), strict=True) if one > 0]
    at = {label: n for n, label in enumerate(sets.labels)}
    mixtures = [Mixture() for _ in answers]
    seen: set[str] = set()
    chunks = sets.chunks([row.answer for row in answers], wanted)
    for _, pool in itertools.groupby(chunks, key=lambda chunk: id(chunk.values)):
        first = next(pool)
        share = np.zeros(first.values.shape)
        for chunk in itertools.chain([first], pool):
            seen.update(chunk.labels)
            columns = [at[label] for label in chunk.labels]
            share += weights[:, columns].astype(chunk.weights.dtype) @ chunk.weights
        for mixture, values, own in zip(mixtures, first.values, share, strict=True):
            mixture.add(values, own)
    for row, mixture in zip(answers, mixtures, strict=True):
        lost = [label for label in wanted if label not in seen and row.weights[at[label]] > 0]
        found = mixture.quantiles(np.array(list(QUANTILES.values())))
        if lost:
            row.refuse(f"no draws are kept (sweep.keep_draws) of {some(lost)}")
        elif np.isnan(found).any():
            row.refuse("it is not among the draws that a sweep keeps")
        else:
            row.cells |= dict(zip(QUANTILES, (float(q) for q in found), strict=True))
