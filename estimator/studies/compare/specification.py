"""The sets of a sweep in the order of an answer, with what each assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer
from estimator.show.number import count
from estimator.store.sets import Sets
from estimator.studies.compare.drivers.design import one_at_a_time
from estimator.studies.compare.drivers.levels import Levels
from estimator.studies.compare.labels import Naming, is_told, short_keys, swept_levels
from estimator.studies.compare.table import ranges

MOST_KEYS = 12
"""Varied keys that are drawn; of more, those that drive the answer most."""


@dataclass(frozen=True)
class Specification:
    """An answer of each set of a sweep beside what the set assumed.

    Attributes
    ----------
    table
        A row a set: `assumption_set` (the name shown), `label`, `answer`, `unit`, quantiles and
        `failures`.
    levels
        Of the keys that are drawn, those that drive the answer most first. (set,).
    note
        In which order the keys are, and how many are left out; empty where there is nothing to say.
    base
        Name of the set as it is, where all others change one thing in it; else empty.
    """

    table: pd.DataFrame
    levels: Levels
    note: str
    base: str

    @classmethod
    def of(cls, sets: Sets, answer: Answer, drivers: pd.DataFrame) -> Specification | None:
        """Take it from the one sweep among some sets; None where it would say nothing.

        It says nothing where `curve_levels` are None, or no set has the answer.

        Parameters
        ----------
        sets, answer
            The collection, and what is asked of it.
        drivers
            As `estimator.studies.compare.drivers.drivers` gives it; it may be empty.
        """
        levels = curve_levels(sets)
        if levels is None:
            return None
        table = ranges(sets, answer).set_index("assumption_set").loc[list(levels.labels)]
        if not np.isfinite(table["q50"]).any():
            return None
        naming = Naming.of(sets)
        names = [naming.text(label) for label in levels.labels]
        table = table.rename_axis("label").reset_index()
        table.insert(0, "assumption_set", names)
        rows = drivers[drivers["answer"] == str(answer)]
        order = _order(levels, rows)
        drawn = levels.only(order[:MOST_KEYS])
        note = "" if rows.empty else "What moves the answer most is on top."
        if (left := len(order) - MOST_KEYS) > 0:
            note = f"{note} {count(left, 'assumption')} more: sets.csv.".strip()
        return cls(table, drawn.named(short_keys(drawn.names)), note, _base(levels, names))


def curve_levels(sets: Sets) -> Levels | None:
    """Levels of the one sweep among some sets, if it varies several keys in ways that have names.

    Of one key the forest shows the same; whole bundles (``assumptions=…``) differ in many keys, and
    keep no names of their options.
    """
    levels = swept_levels(sets)
    several = levels is not None and len(levels.names) > 1 and is_told(levels)
    return levels if several else None


def _order(levels: Levels, drivers: pd.DataFrame) -> list[int]:
    """Keys in the order in which they drive an answer; as they were varied if that is not known."""
    rank = dict(zip(drivers["assumption"], drivers["rank"], strict=True))
    last = len(levels.names)
    return sorted(range(last), key=lambda n: (rank.get(levels.names[n], last), n))


def _base(levels: Levels, names: Sequence[str]) -> str:
    found = one_at_a_time(levels)
    return "" if found is None else names[found.base]
