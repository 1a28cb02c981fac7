"""The table of sets: ranges, differences to a reference set, and who is above whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from estimator.errors import OutputError
from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer
from estimator.quantity import QUANTILES
from estimator.store.sets import Sets
from estimator.studies.compare.comparable import unlike
from estimator.studies.compare.pairs import Pairs

COLUMNS = (
    "assumption_set",
    "answer",
    "quantity",
    "month",
    "unit",
    *QUANTILES,
    "mcse_q50",
    "reference",
    "difference",
    "difference_mcse",
    "p_above",
    "below_zero",
    "failures",
    "note",
)
RANGE = ("q05", "q25", "q75", "q95")
_PREFERRED = "central"


def reference_of(sets: Sets, label: str | None = None) -> str:
    """Label of the reference set: the one asked for, else the first `central`, else the first.

    Raises
    ------
    OutputError
        If no set has that label.
    """
    if label is not None:
        sets.select([label])
        return label
    own = sets.facts["own_label"].to_numpy(dtype=str)
    preferred = np.flatnonzero(own == _PREFERRED)
    if len(sets) == 0:
        raise OutputError("there are no sets to compare")
    return sets.labels[int(preferred[0]) if len(preferred) else 0]


def compare_sets(
    sets: Sets, answers: Sequence[Answer], reference: str | None = None
) -> pd.DataFrame:
    """Set the answers of all sets side by side.

    Parameters
    ----------
    sets
        Of runs and sweeps.
    answers
        What is compared.
    reference
        Label of the set from which differences are taken; see `reference_of`.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, a row for each answer and set. `q50` of an answer that is a probability
        is that probability, and its other quantiles are NaN. `difference` is that of the medians
        (or probabilities), with its Monte-Carlo standard error. `p_above` is the probability that
        a draw of the set is above one of the reference set, ties counted half; NaN for a
        probability, and where no draws are kept. `below_zero` is P(quantity < 0), `failures` empty
        if the diagnostics passed. Where a figure does not mean the same as in the reference set,
        `note` says why and there is no difference.

    Raises
    ------
    OutputError
        If no set has the reference's label, or no set has one of the answers.

    Notes
    -----
    Errors of sets with draws of their own add in quadrature; where one seed makes two fits err
    together, that is too large. Sets that are reweighted from the same draws have correlated
    errors: see `estimator.studies.compare.pairs`. Where no draws are kept, the error is an upper
    bound.
    """
    name = reference_of(sets, reference)
    at = sets.select([name])[0]
    sets.table(answers)  # all at once: the files are read once
    sets.check(answers)
    middle = np.stack([sets.value(answer) for answer in answers])
    error = np.stack([sets.error(answer) for answer in answers])
    pairs = Pairs.of(sets, answers, name, middle)
    variance = error**2 + error[:, [at]] ** 2 - 2.0 * pairs.correlation * error * error[:, [at]]
    spread = np.sqrt(np.maximum(variance, 0.0))
    spread[:, at] = 0.0
    return pd.concat(
        [_rows(sets, answer, name, spread[n], pairs.above[n]) for n, answer in enumerate(answers)],
        ignore_index=True,
    )


def ranges(sets: Sets, answer: Answer) -> pd.DataFrame:
    """One answer of all sets: the columns of `compare_sets` that need no other set.

    Quantiles of a probability are NaN, but for `q50`, which is the probability.
    """
    table = sets.table([answer])[:, 0]
    column = {name: table[:, STATISTICS.index(name)].astype(float) for name in STATISTICS}
    if answer.below_zero:
        column |= dict.fromkeys(RANGE, np.full(len(sets), np.nan))
    return pd.DataFrame(
        {
            "assumption_set": sets.labels,
            "answer": str(answer),
            "quantity": answer.quantity,
            "month": answer.period,
            "unit": sets.units(answer),
            **{name: column[name] for name in QUANTILES},
            "q50": sets.value(answer),
            "mcse_q50": sets.error(answer),
            "below_zero": column["below_zero"],
            "failures": sets.facts["failures"].to_numpy(dtype=str),
        }
    )


def _rows(
    sets: Sets, answer: Answer, reference: str, spread: np.ndarray, above: np.ndarray
) -> pd.DataFrame:
    """Rows of one answer: errors of differences, and P(above the reference set). (set,) each."""
    at = sets.labels.index(reference)
    note = unlike(sets, answer, at)
    alike = note == ""
    frame = ranges(sets, answer)
    frame = frame.assign(
        reference=reference,
        difference=np.where(alike, frame["q50"] - frame["q50"].iloc[at], np.nan),
        difference_mcse=np.where(alike, spread, np.nan),
        p_above=np.where(alike, above, np.nan),
        note=note,
    )
    return frame[list(COLUMNS)]
