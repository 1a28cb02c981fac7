"""What a report is made of: whole results, the claims, and the tables of the other studies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

import pandas as pd
import xarray as xr

from estimator.evidence.periods import Window
from estimator.quantities.answers import Answer
from estimator.show import number
from estimator.show.break_even import BreakEven
from estimator.studies.audit.audit import Audit
from estimator.studies.audit.claims import KEPT_IN
from estimator.studies.compare.pool import EQUAL
from estimator.studies.compare.specification import Specification
from estimator.studies.report.options import ReportOptions


@dataclass(frozen=True)
class ReportData:
    """All that a report shows.

    Attributes
    ----------
    output
        Folder of the run, as a user writes it in a command.
    command
        What made the run.
    options
        Words and choices.
    trees
        Whole results by label, at least one, as `estimator.store.results.read_result` gives them,
        in the order shown.
    asked
        Answers to show.
    claims_table
        The claims with `used` and `reason` (see `estimator.evidence.select`).
    comparison, pooled, prior_or_data
        Tables of `estimator.studies.compare`, of the answers to show and perhaps others;
        `prior_or_data` has no rows where the results keep no likelihood.
    drivers
        `estimator.studies.compare.drivers`; no rows where nothing tells what drives the answers.
    audit
        The claims held against the posterior of each set.
    certain
        A probability above this is all but certain, as below 1 less this (`audit.certain`).
    breakeven
        Break-even values.
    specifications
        Of each sweep, its sets in the order of an answer.
    """

    output: str
    command: str
    options: ReportOptions
    trees: Mapping[str, xr.DataTree]
    asked: Sequence[Answer]
    claims_table: pd.DataFrame
    comparison: pd.DataFrame
    pooled: pd.DataFrame
    prior_or_data: pd.DataFrame
    drivers: pd.DataFrame
    audit: Audit
    certain: float
    breakeven: Sequence[BreakEven]
    specifications: Sequence[Specification] = ()

    @property
    def name(self) -> str:
        """Name of the run."""
        return PurePath(self.output).name

    @cached_property
    def months(self) -> list[str]:
        """Months of the window; of several windows, of the one that ends last."""
        return last_window(self.trees)

    @property
    def cut_months(self) -> dict[str, int]:
        """Days of the months of which only a part is estimated, by label."""
        windows = [Window.of_result(tree) for tree in self.trees.values()]
        return {month: days for window in windows for month, days in window.cut_months.items()}

    @cached_property
    def labels(self) -> list[str]:
        """All sets: those written whole, then those that only the comparison has."""
        compared = self.comparison["assumption_set"].astype(str)
        return list(dict.fromkeys([*self.trees, *compared]))

    @property
    def shown(self) -> list[str]:
        """Sets that are shown in full."""
        return self.labels[: self.options.most_sets]

    @property
    def sets_text(self) -> str:
        """Say how many sets there are: 1 set, 8 sets."""
        return number.count(len(self.labels), "set")

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why the draws of a set failed their diagnostics, by label; sound sets are not in it."""
        failures = {
            label: str(tree.attrs.get("diagnostics_failures") or "not recorded")
            for label, tree in self.trees.items()
            if str(tree.attrs.get("diagnostics_ok")) != "true"
        }
        table = self.comparison.fillna({"failures": ""})
        table = table[table["failures"].astype(str) != ""]
        for label, text in zip(table["assumption_set"], table["failures"], strict=True):
            failures.setdefault(str(label), str(text))
        return failures

    def which(self, labels: Iterable[str]) -> str:
        """Say which of the whole sets are meant: all, all but a few, or each by its name."""
        meant, name = list(labels), self.options.set_name
        missing = [label for label in self.trees if label not in meant]
        if not missing and len(self.trees) > 1:
            return "all sets"
        if len(self.trees) > 4 and len(missing) <= 2:
            return f"all but {number.listed(map(name, missing))}"
        return number.listed(map(name, meant), self.options.most_sets)

    @property
    def failed_names(self) -> str:
        """Names of the sets that failed."""
        return number.listed(map(self.options.set_name, self.failures), self.options.most_sets)

    def ranges(self, answer: Answer) -> pd.DataFrame:
        """Rows of one answer in the comparison by set, in the order of `labels`.

        Sets that do not have the answer are left out.
        """
        table = self.comparison
        rows = table[(table["answer"].astype(str) == str(answer)) & table["q50"].notna()]
        rows = rows.set_index(rows["assumption_set"].astype(str).rename("assumption_set"))
        rows = rows.drop(columns="assumption_set")
        return rows.reindex([label for label in self.labels if label in rows.index])

    def pool(self, answer: Answer) -> pd.Series | None:
        """Range of all sets together, each counted alike; None where pooling was refused."""
        table = self.pooled
        rows = table[
            (table["answer"].astype(str) == str(answer))
            & (table["weights"].astype(str) == EQUAL)
            & table["q50"].notna()
        ]
        return None if rows.empty else rows.iloc[0]

    def marked(self, label: str) -> str:
        """Name a set for readers; one that failed is marked."""
        name = self.options.set_name(label)
        return f"{name} – FAILED its checks" if label in self.failures else name

    @cached_property
    def judged(self) -> pd.DataFrame:
        """Verdicts of the audit that can be trusted: those of too few effective draws are out."""
        claims = self.audit.claims
        failures = claims["failures"].fillna("").astype(str)
        return claims[failures.isin(["", KEPT_IN]).to_numpy()]

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Answers without each evidence group, those of too few effective draws left empty."""
        groups = self.audit.groups.copy()
        failed = groups["failures"].fillna("").astype(str) != ""
        without = [name for name in groups if str(name).startswith("without_")]
        groups.loc[failed, [*without, "shift"]] = float("nan")
        return groups.assign(turned=groups["turned"].astype(bool) & ~failed)

    def sound(self, table: pd.DataFrame) -> pd.DataFrame:
        """Leave out the rows of sets that failed, unless all failed.

        Parameters
        ----------
        table
            Index or column `assumption_set`.
        """
        in_column = "assumption_set" in table.columns
        labels = table["assumption_set"] if in_column else table.index.to_series()
        kept = table[~labels.astype(str).isin(list(self.failures)).to_numpy()]
        return table if kept.empty else kept


def last_month(tree: xr.DataTree) -> str:
    """Last whole month of a result."""
    return Window.of_result(tree).last_whole_month


def last_window(trees: Mapping[str, xr.DataTree]) -> list[str]:
    """Months of the results; of several windows, of the one that ends last."""
    windows = [[str(m) for m in tree["posterior"].indexes["month"]] for tree in trees.values()]
    return max(windows, key=lambda months: (months[-1], len(months)))
