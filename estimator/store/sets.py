"""Assumption sets from runs and sweeps, as one collection: their statistics and their draws."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from estimator.errors import OutputError, nearest, problems_text
from estimator.evidence.periods import last_whole
from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer
from estimator.quantity import TOTAL
from estimator.store.planned_sweep import PlannedSweep
from estimator.store.sources import Chunk, Source
from estimator.store.sweep_files import DATASET
from estimator.store.whole_set import WholeSet, read_whole

__all__ = ["Chunk", "Sets", "nearest_label"]

_LISTED = 10


class Sets:
    """Assumption sets of one or more runs and sweeps.

    Attributes
    ----------
    labels
        Names of the sets, unique; where two folders use one name, the folder's stands in front.
    facts
        Index `label`; columns set_id, folder, obtained (fitted, reweighted, failed, unfinished),
        k_hat, ess, max_rhat, divergences, failures, data_hash, window, counts (what a confirmed
        figure counts), and ``assumed.<key>`` for each key that a sweep varied.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        tables = [source.facts for source in self._sources]
        for table in tables:
            table["own_label"] = table.index
        for prefix in (lambda folder: Path(folder).name, str):  # two runs may share a name
            every = pd.concat(tables).index
            double = set(every[every.duplicated(keep=False)])
            for table in tables:
                names = [
                    f"{prefix(folder)}/{own}" if label in double else label
                    for label, own, folder in zip(
                        table.index, table["own_label"], table["folder"], strict=True
                    )
                ]
                table.index = pd.Index(names, name="label")
        self.facts = pd.concat(tables)
        if not self.facts.index.is_unique:
            twice = sorted(set(self.facts.index[self.facts.index.duplicated()]))
            raise OutputError(f"these sets are given twice: {', '.join(twice)}")
        self.labels = [str(label) for label in self.facts.index]

    def only(self, labels: Sequence[str]) -> Sets:
        """Take some of the sets, in the order of the labels.

        Raises
        ------
        OutputError
            With every label that no set has, or that is named twice, or if none is named.
        """
        self.select(labels)
        if not labels or len(set(labels)) < len(labels):
            raise OutputError(f"sets must be named once each. Got {', '.join(labels) or 'none'}")
        few = copy.copy(self)
        few.facts = self.facts.loc[list(labels)]
        few.labels = list(labels)
        wanted = set(labels)
        few._sources = [s for s in self._sources if not wanted.isdisjoint(s.facts.index)]
        return few

    @classmethod
    def open(cls, folders: Sequence[Path]) -> Sets:
        """Open runs (``<set>/result.nc``), single sets and sweeps (``sweep.nc``).

        Raises
        ------
        OutputError
            With every folder that holds neither.
        """
        sources: list[Source] = []
        problems = []
        for folder in folders:
            whole = sorted(folder.glob("*/result.nc")) or sorted(folder.glob("result.nc"))
            if whole:
                sources += [WholeSet(path.parent) for path in whole]
            elif (folder / DATASET).exists():
                sources.append(PlannedSweep(folder))
            else:
                problems.append(f"{folder}: {_what_to_do(folder)}")
        if problems:
            raise OutputError(problems_text("These outputs cannot be compared:", problems))
        return cls(sources)

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.labels)

    @property
    def months(self) -> list[str]:
        """Months that every set has."""
        common = set.intersection(*(set(source.months) for source in self._sources))
        return sorted(common)

    @property
    def last_month(self) -> str:
        """The last month that every set has whole; the last that all have if none is whole."""
        return last_whole(self.months, self.facts["window"].astype(str).unique())

    @property
    def every_month(self) -> list[str]:
        """Months that any set has."""
        return sorted(set().union(*(source.months for source in self._sources)))

    def check(self, answers: Sequence[Answer]) -> None:
        """Refuse answers that no set has.

        Raises
        ------
        OutputError
            With each of them, and the nearest period that there is.
        """
        problems = []
        for answer in answers:
            if np.isnan(self.value(answer)).all():
                known = [*self.months, TOTAL]
                problems.append(f"{answer}: no set has it; {nearest(answer.period, known)}")
        if problems:
            raise OutputError(problems_text("These answers cannot be given:", problems))

    def select(self, labels: Sequence[str]) -> list[int]:
        """Positions of sets by their labels.

        Raises
        ------
        OutputError
            With every label that no set has, and the nearest one.
        """
        found = self.facts.index.get_indexer(pd.Index(labels))
        unknown = [name for name, at in zip(labels, found, strict=True) if at < 0]
        if unknown:
            texts = [f"{name!r}: {nearest_label(name, self.labels)}" for name in unknown]
            raise OutputError(problems_text("These sets are not there:", texts))
        return [int(at) for at in found]

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        """Statistics (`fitting.entries.STATISTICS`) of answers. (set, answer, statistic)."""
        return self._ordered([source.table(answers) for source in self._sources])

    def _ordered(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Put what each source gives, one row a set, into the order of the labels."""
        own = np.concatenate([source.facts.index for source in self._sources])
        return np.asarray(np.concatenate(parts)[pd.Index(own).get_indexer(self.facts.index)])

    def value(self, answer: Answer, statistic: str = "q50") -> np.ndarray:
        """Median of an answer, or its probability; another statistic if named. (set,)."""
        if answer.below_zero:
            statistic = "below_zero"
        return np.asarray(self.table([answer])[:, 0, STATISTICS.index(statistic)], dtype=float)

    def error(self, answer: Answer) -> np.ndarray:
        """Monte-Carlo standard error of `value`. (set,)."""
        if not answer.below_zero:
            return self.value(answer, "mcse_q50")
        p, ess = self.value(answer), self.facts["ess"].to_numpy(dtype=float)
        # Half a draw on either side: a probability of 0 or 1 from draws has an error too.
        p = (p * ess + 0.5) / (ess + 1.0)
        return np.asarray(np.sqrt(p * (1.0 - p) / ess))

    def unit(self, answer: Answer) -> str:
        """Return the unit of an answer, of the first set."""
        return str(self.units(answer)[0])

    def units(self, answer: Answer) -> np.ndarray:
        """Return the unit of an answer in each set. (set,)."""
        return self._ordered([np.repeat(s.unit(answer), len(s.facts)) for s in self._sources])

    def chunks(
        self, answers: Sequence[Answer], labels: Sequence[str] | None = None
    ) -> Iterator[Chunk]:
        """Draws of answers, sets that share draws together; sets without draws are left out.

        Parameters
        ----------
        answers
            What to read.
        labels
            Of the sets; None for all.
        """
        wanted = set(self.labels if labels is None else labels)
        for source in self._sources:
            if not wanted.isdisjoint(source.facts.index):
                yield from source.chunks(answers, wanted)

    def tree(self, label: str, groups: Sequence[str] | None = None) -> xr.DataTree | None:
        """Whole result of a set; None for a set of a planned sweep.

        Parameters
        ----------
        label
            Of the set.
        groups
            Which groups to read, as far as they are there; None for all, which takes longer.
        """
        for source in self._sources:
            if (
                isinstance(source, WholeSet)
                and label in source.facts.index
                and label in self.labels
            ):
                return read_whole(source.folder, None if groups is None else tuple(groups))
        return None

    @property
    def whole(self) -> list[str]:
        """Labels of the sets that were written whole."""
        found = {str(s.facts.index[0]) for s in self._sources if isinstance(s, WholeSet)}
        return [label for label in self.labels if label in found]

    def groups(self) -> list[list[str]]:
        """Labels by folder: the sets of one sweep, or of one run."""
        return [
            [str(label) for label in part.index]
            for _, part in self.facts.groupby("run", sort=False)
        ]


def nearest_label(name: str, labels: Sequence[str]) -> str:
    """Return a hint with the label nearest to a name; of very many labels only some are listed."""
    hint = nearest(name, labels)
    if hint.startswith("allowed") and len(labels) > _LISTED:
        return f"allowed: {', '.join(labels[:_LISTED])} and {len(labels) - _LISTED} more"
    return hint


def _what_to_do(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    if (folder / "journal.sqlite").exists():
        return f"holds a sweep that is not collected; run: estimator collect {folder}"
    return "holds no result.nc, <set>/result.nc or sweep.nc"
