"""What each assumption was in each set of a sweep, as numbered levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from estimator.errors import EstimatorError
from estimator.show.number import fixed, significant
from estimator.store.sweep_files import ASSUMED
from estimator.studies.compare.drivers.configurations import DEFAULT, keys_of_results

AS_IT_IS = "as it is"
BUNDLE = "assumptions"
"""The group whose options set priors of every other group."""


class NoSweep(EstimatorError):
    """The sets do not come from one sweep that varies assumptions; the message says why."""


@dataclass(frozen=True)
class Levels:
    """What each assumption was in each set.

    Attributes
    ----------
    labels
        Of the sets, in the order of the sweep.
    names
        Of the assumptions, as dotted keys.
    codes
        Number of the level. (set, assumption).
    texts
        For each assumption its levels in words, numbers in rising order.
    ordered
        Whether the levels are numbers, or ranges that move as one. (assumption,).
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    codes: np.ndarray
    texts: tuple[tuple[str, ...], ...]
    ordered: np.ndarray

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.labels)

    @property
    def counts(self) -> np.ndarray:
        """How many levels each assumption has. (assumption,)."""
        return np.array([len(texts) for texts in self.texts])

    def row(self, number: int) -> tuple[str, ...]:
        """Levels of a set in words."""
        codes = self.codes[number]
        return tuple(texts[code] for texts, code in zip(self.texts, codes, strict=True))

    def only(self, columns: Sequence[int]) -> Levels:
        """Keep some assumptions, in the order in which they are named."""
        return replace(
            self,
            names=tuple(self.names[n] for n in columns),
            codes=self.codes[:, list(columns)],
            texts=tuple(self.texts[n] for n in columns),
            ordered=self.ordered[list(columns)],
        )

    def named(self, names: Sequence[str]) -> Levels:
        """Give the assumptions other names."""
        return replace(self, names=tuple(names))

    def take(self, rows: np.ndarray) -> Levels:
        """Keep some sets; the levels keep their numbers."""
        return replace(self, labels=tuple(self.labels[r] for r in rows), codes=self.codes[rows])

    @classmethod
    def of(cls, keys: pd.DataFrame) -> Levels:
        """Give each assumption's levels numbers.

        Parameters
        ----------
        keys
            One column a varied key, one row a set. A prior that is moved as a whole varies its low
            and its high together: they are one assumption.
        """
        columns: dict[str, list[pd.Series]] = {}
        for key in keys.columns:
            prior, _, end = key.rpartition(".")
            pair = [f"{prior}.low", f"{prior}.high"]
            if end in ("low", "high") and set(pair) <= set(keys.columns) and _together(keys, pair):
                columns[prior] = [keys[name] for name in pair]
            else:
                columns[key] = [keys[key]]
        found = [_number(parts) for parts in columns.values()]
        return cls(
            tuple(str(label) for label in keys.index),
            tuple(columns),
            np.column_stack([codes for codes, _, _ in found]),
            tuple(texts for _, texts, _ in found),
            np.array([ordered for _, _, ordered in found]),
        )


def varied_keys(facts: pd.DataFrame) -> pd.DataFrame:
    """Return the keys that the one sweep among some sets varied.

    A planned sweep comes before runs of sets written whole, which may be given to compare with.

    Parameters
    ----------
    facts
        As `estimator.store.sets.Sets.facts`, of the sets that are looked at.

    Returns
    -------
    pandas.DataFrame
        Index: the labels of the sweep's sets; a column for each key that differs between them.

    Raises
    ------
    NoSweep
        If none of the sets, or sets of more than one folder, vary keys.
    """
    found = _by_run(facts, _listed) or _by_run(facts, _seen)
    if not found:
        raise NoSweep("no sweep made these sets by varying assumptions")
    if len(found) > 1:
        raise NoSweep(f"the sets come from {len(found)} sweeps ({', '.join(found)}): give one")
    (keys,) = found.values()
    return keys


def _by_run(
    facts: pd.DataFrame, read: Callable[[str, pd.DataFrame], pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Keys that differ within a folder, for each folder in which any do."""
    found = {}
    for run, part in facts.groupby("run", sort=False):
        keys = read(str(run), part)
        keys = keys.loc[:, [keys[key].nunique(dropna=False) > 1 for key in keys]]
        if keys.shape[1]:
            found[Path(str(run)).name] = keys
    return found


def _listed(_: str, part: pd.DataFrame) -> pd.DataFrame:
    """Keys that a planned sweep lists."""
    own = [str(c) for c in part if str(c).startswith(ASSUMED) and not part[c].isna().any()]
    return part[own].rename(columns=lambda column: column.removeprefix(ASSUMED))


def _seen(run: str, part: pd.DataFrame) -> pd.DataFrame:
    """Keys in which the configurations of sets differ that were written whole."""
    return keys_of_results(Path(run), part["set_id"])


def _together(keys: pd.DataFrame, pair: list[str]) -> bool:
    """Whether low and high move as one, where no option of their group sets them."""
    plain = np.ones(len(keys), bool)
    for group in keys.columns:
        if pair[0].startswith(f"{group}.") or (group == BUNDLE and not pair[0].startswith(group)):
            plain &= (keys[group] == keys[group].mode().iloc[0]).to_numpy()
    low, high = (keys.loc[plain, column].astype(str) for column in pair)
    both = (low + "\n" + high).nunique()
    return bool(both == low.nunique() == high.nunique())


def _number(parts: list[pd.Series]) -> tuple[np.ndarray, tuple[str, ...], bool]:
    """Codes, texts, and whether the levels are in order."""
    cells = list(zip(*(part.tolist() for part in parts), strict=True))
    levels = list(dict.fromkeys(cells))
    numbers = {level: numbers for level in levels if (numbers := _as_numbers(level)) is not None}
    others = [level for level in levels if level not in numbers]
    ordered = bool(numbers) and all(level[0] == DEFAULT for level in others)
    if ordered:
        levels = [*sorted(numbers, key=lambda level: numbers[level]), *others]
    place = {level: code for code, level in enumerate(levels)}
    texts = tuple(" to ".join(_text(value) for value in dict.fromkeys(level)) for level in levels)
    return np.array([place[cell] for cell in cells]), texts, ordered


def _as_numbers(level: tuple[object, ...]) -> tuple[float, ...] | None:
    if any(isinstance(value, (bool, np.bool_)) for value in level):
        return None
    try:
        return tuple(float(str(value)) for value in level)
    except ValueError:
        return None


def _text(value: object) -> str:
    if value == DEFAULT:
        return AS_IT_IS
    numbers = _as_numbers((value,))
    return str(value) if numbers is None else number_text(numbers[0])


def number_text(number: float) -> str:
    """Write a number with three digits, e.g. 0.0149, 2.5, 15,000."""
    return fixed(number) if abs(number) >= 1000 else significant(number, 3)
