"""Names of sets as they are shown: those of a sweep by what was varied, all others by their labels.

A label of a sweep may be a mere number, or be cut because it is long: it does not tell sets apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from estimator.show.grid import Cell, Column, column, printable, set_cell
from estimator.store.sets import Sets
from estimator.store.sweep_files import ASSUMED
from estimator.studies.compare.drivers.levels import Levels, NoSweep, varied_keys

_MOST_KEYS = 3  # varied keys that have columns of their own
_CUT = "…"  # stands in labels that were too long, before a hash
_LONG = 100  # characters of a name: one that is longer tells less than the set's number
_JOINT = " · "


@dataclass(frozen=True)
class Naming:
    """How some sets are named.

    Attributes
    ----------
    keys
        Varied keys that have columns of their own; empty where each set has one name.
    parts
        By label, the values of these keys, or the one name.
    numbered
        Labels of sets that keep a mere number, because they vary too much to be named by it.
    """

    keys: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]]
    numbered: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sets: Sets) -> Naming:
        """Name all sets of a collection, each differently.

        Of one sweep with few varied keys these are columns, unless somebody gave its sets names
        (``assumptions=central,western``). Else a name has every key whose value is not that of
        more than half of the sweep's sets.
        """
        named = len(sets.whole) == len(sets) and not any(map(_made_of_keys, sets.labels))
        levels = None if named else levels_of(sets)
        if levels is not None and len(levels.names) <= _MOST_KEYS and is_told(levels):
            parts = {
                label: tuple(map(_one_line, levels.row(n))) for n, label in enumerate(levels.labels)
            }
            if len(set(parts.values())) == len(sets):
                return cls(tuple(short_keys(levels.names)), parts)
        names = {label: _one_line(label) for label in sets.labels}
        whole, numbered = set(sets.whole), set()
        for group in sets.groups():
            try:
                swept = Levels.of(varied_keys(sets.facts.loc[group]))
            except NoSweep:
                continue
            for label, text in _differences(swept).items():
                if label not in whole and len(text) > _LONG:
                    numbered.add(label)
                elif label not in whole or (_CUT in label and is_told(swept)):
                    names[label] = _one_line(text)
        parts = {label: (name,) for label, name in _apart(names, sets).items()}
        return cls((), parts, frozenset(numbered))

    @property
    def heading(self) -> str:
        """What the names in a picture are made of; empty where each speaks for itself."""
        return _JOINT.join(self.keys)

    def name(self, label: str) -> str:
        """Name of a set in a picture, below or beside `heading`."""
        return _JOINT.join(self.parts[label])

    def text(self, label: str) -> str:
        """Name of a set where nothing else says which keys were varied."""
        if not self.keys:
            return self.parts[label][0]
        return _listed(self.keys, self.parts[label])

    def columns(self) -> list[Column]:
        """Columns of a table at the heads of its rows."""
        return [column(key, "text") for key in self.keys] or [column("set", "name")]

    def notes(self, labels: Sequence[str], file: str) -> list[str]:
        """Say where it stands what sets with mere numbers assume."""
        return [f"What each set assumes: {file}."] if self.numbered.intersection(labels) else []

    def cells(self, label: str, *, failed: bool) -> list[Cell]:
        """Cells of a set in these columns."""
        first, *others = self.parts[label]
        return [set_cell(first, failed=failed), *map(Cell, others)]


@lru_cache(maxsize=4)  # of a thousand sets 0.15 s, and each table and picture asks for it
def swept_levels(sets: Sets) -> Levels | None:
    """Read what the one sweep among some sets varied; None if there is none, or several."""
    try:
        return Levels.of(varied_keys(sets.facts))
    except NoSweep:
        return None


def levels_of(sets: Sets) -> Levels | None:
    """Read what a sweep varied, if all sets are of one sweep; None otherwise."""
    levels = swept_levels(sets)
    return levels if levels is not None and set(levels.labels) == set(sets.labels) else None


def varied_columns(sets: Sets) -> pd.DataFrame:
    """Values of the varied keys, as columns for a table. Index: labels; no columns of no sweep."""
    listed = sets.facts.filter(regex=f"^{ASSUMED}")
    levels = levels_of(sets)
    if listed.shape[1] or levels is None or not is_told(levels):
        return listed
    rows = [levels.row(n) for n in range(len(levels))]
    columns = [f"{ASSUMED}{name}" for name in levels.names]
    return pd.DataFrame(rows, columns=columns, index=list(levels.labels)).reindex(sets.labels)


def short_keys(keys: Sequence[str]) -> list[str]:
    """Write keys by their last two parts, and whole where these are not enough.

    Examples
    --------
    >>> short_keys(["reporting.origins.csis.killed.noise", "returns.rate", "killed_share"])
    ['killed.noise', 'returns.rate', 'killed_share']
    """
    ends = [".".join(key.split(".")[-2:]) for key in keys]
    return [end if ends.count(end) == 1 else key for end, key in zip(ends, keys, strict=True)]


def is_told(levels: Levels) -> bool:
    """Whether every level says what it is, and not only that it is another one."""
    return not any(text.startswith("variant ") for texts in levels.texts for text in texts)


def _made_of_keys(label: str) -> bool:
    """Whether a label lists what was varied, or numbers it, and is no name of its own."""
    return any(mark in label for mark in ("=", "#", _CUT))


def _differences(levels: Levels) -> dict[str, str]:
    """Name sets by what is not usual in them; the one in which all is usual keeps its label."""
    keys = short_keys(levels.names)
    usual = [counts.argmax() if counts.max() > len(levels) / 2 else -1
             for counts in map(np.bincount, levels.codes.T)]  # fmt: skip
    found = {}
    for n, label in enumerate(levels.labels):
        told = levels.codes[n] != usual
        values = [text for text, which in zip(levels.row(n), told, strict=True) if which]
        base = label.partition(" #")[0].partition(",")[0]
        found[label] = _listed([k for k, which in zip(keys, told, strict=True) if which],
                               values) or base  # fmt: skip
    return found


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def _listed(keys: Sequence[str], texts: Sequence[str]) -> str:
    return ", ".join(f"{key} {text}" for key, text in zip(keys, texts, strict=True))


def _apart(names: Mapping[str, str], sets: Sets) -> dict[str, str]:
    """Put folders, or else numbers, before names that two sets have."""
    runs = {label: Path(str(run)).name for label, run in sets.facts["run"].items()}
    numbers = {label: f"#{n}" for n, label in enumerate(sets.labels, start=1)}
    found = dict(names)
    for prefixes in (runs, numbers):
        counts = Counter(found.values())
        found = {
            label: f"{_one_line(prefixes[label])}: {name}" if counts[name] > 1 else name
            for label, name in found.items()
        }
    return found
