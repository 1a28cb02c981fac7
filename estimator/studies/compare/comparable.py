"""Whether a figure means the same in several sets: the days it covers, its unit, what it counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from estimator.evidence.periods import days_in
from estimator.quantities.answers import Answer
from estimator.quantity import STOCKS, TOTAL
from estimator.store.sets import Sets

_AT_START = ("level", "start")  # assumptions about the first day of the window
_NAMED = 3  # sets that are named for each meaning


def meaning(sets: Sets, answer: Answer) -> pd.DataFrame:
    """Say what an answer means in each set.

    Parameters
    ----------
    sets
        The sets.
    answer
        A month is compared if all sets cover the same days of it. Totals also need the same window,
        stocks and levels at the start the same first day. Where unconfirmed losses are meant, a
        confirmed figure must count the same.

    Returns
    -------
    pandas.DataFrame
        Index as `sets.facts`; a column for each thing that decides, with its text. Two sets can be
        compared in this answer if their rows are equal.
    """
    found = pd.DataFrame({"unit": sets.units(answer)}, index=sets.facts.index)
    window = sets.facts["window"].astype(str)
    if answer.period == TOTAL:
        found["window"] = window
    elif answer.quantity in STOCKS or _is_of_start(answer):
        found["first day of the window"] = window.str.partition(" to ")[0]
    elif answer.quantity not in ("assumption_value", "reporting_bias"):
        days = {text: days_in(text, answer.period) for text in window.unique()}
        texts = {text: "" if count is None else str(count) for text, count in days.items()}
        found[f"days of {answer.period}"] = window.map(texts)
    if _is_of_confirmed(answer):
        found["what a confirmed figure counts"] = sets.facts["counts"].astype(str)
    return found


def _is_of_start(answer: Answer) -> bool:
    name = answer.period.rpartition(".")[2]
    return answer.quantity == "assumption_value" and name in _AT_START


def _is_of_confirmed(answer: Answer) -> bool:
    if answer.quantity == "assumption_value":
        return answer.period.startswith("unconfirmed.")
    return answer.quantity.startswith("unconfirmed")


def unlike(sets: Sets, answer: Answer, reference: int) -> np.ndarray:
    """Say of each set why an answer cannot be set against that of a reference set.

    Parameters
    ----------
    sets, answer
        As for `meaning`.
    reference
        Position of the reference set.

    Returns
    -------
    (set,) texts, empty where it can
    """
    table = meaning(sets, answer)
    texts = np.full(len(table), "", dtype=object)
    for column in table:
        values = table[column].to_numpy(dtype=object)
        wanted = values[reference]
        for value in pd.unique(values):
            if value != wanted:
                texts[values == value] += f"; {column}: {value or '?'}, not {wanted or '?'}"
    return np.array([text.removeprefix("; ") for text in texts], dtype=object)


def problems(sets: Sets, answers: Sequence[Answer], among: np.ndarray | None = None) -> list[str]:
    """Say why answers of these sets cannot be pooled; empty if they can.

    Parameters
    ----------
    sets, answers
        As for `meaning`. Sets that have no such answer (failed, or without the month) do not count.
    among
        Which sets are meant; None for all. (set,).
    """
    found = []
    for answer in answers:
        there = np.isfinite(sets.value(answer))
        table = meaning(sets, answer)[there if among is None else there & among]
        for column in table:
            values = table[column].astype(str)
            distinct = list(dict.fromkeys(values))
            if len(distinct) > 1:
                parts = [f"{v or '?'} ({some(values.index[values == v])})" for v in distinct]
                found.append(f"{answer}: {column} differs: {', '.join(parts)}")
    return found


def some(labels: Iterable[str]) -> str:
    """Name the first few of some sets."""
    names = [str(label) for label in labels]
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
