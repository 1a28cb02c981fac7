"""The answers of every set, from the table of the comparison or from the draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer, answer_draws, with_last_month
from estimator.show import number
from estimator.studies.report.data import ReportData

EQUAL = "equal"
"""Weights of a pool in which each set counts alike."""
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
_PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Answers:
    """Ranges of all answers and sets.

    Attributes
    ----------
    data
        What the report is made of.
    """

    data: ReportData

    @cached_property
    def months(self) -> list[str]:
        """Months of the window; of several windows, of the one that ends last."""
        windows = [
            [str(month) for month in tree["posterior"].indexes["month"]]
            for tree in self.data.trees.values()
        ]
        return max(windows, key=lambda months: (months[-1], len(months)))

    @cached_property
    def asked(self) -> list[Answer]:
        """Answers to show, with the last month in its place."""
        texts = (with_last_month(text, self.months[-1]) for text in self.data.options.answers)
        return [Answer.parse(text) for text in texts]

    @cached_property
    def labels(self) -> list[str]:
        """All sets: those written whole, then those that only the comparison has."""
        labels = list(self.data.trees)
        if self.data.comparison is not None:
            labels += [str(label) for label in self.data.comparison["assumption_set"]]
        return list(dict.fromkeys(labels))

    @property
    def shown(self) -> list[str]:
        """Sets that are shown in full."""
        return self.labels[: self.data.options.most_sets]

    @property
    def sets_text(self) -> str:
        """Say how many sets there are: 1 set, 8 sets."""
        return number.count(len(self.labels), "set")

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why the draws of a set failed their diagnostics, by label; sound sets are not in it."""
        found = {
            label: str(tree.attrs.get("diagnostics_failures") or "not recorded")
            for label, tree in self.data.trees.items()
            if str(tree.attrs.get("diagnostics_ok")) != "true"
        }
        if self.data.comparison is not None:
            table = self.data.comparison.fillna({"failures": ""})
            table = table[table["failures"].astype(str) != ""]
            for label, text in zip(table["assumption_set"], table["failures"], strict=True):
                found.setdefault(str(label), str(text))
        return found

    @cached_property
    def table(self) -> pd.DataFrame:
        """Index answer and set; columns unit, the quantiles and `below_zero`, NaN where unknown."""
        rows = {
            (str(answer), label): values
            for label in self.data.trees
            for answer, values in zip(self.asked, self._from_draws(label), strict=True)
        }
        if self.data.comparison is not None:
            rows |= self._from_comparison(self.data.comparison)
        index = pd.MultiIndex.from_tuples(rows, names=["answer", "assumption_set"])
        table = pd.DataFrame(
            list(rows.values()), index=index, columns=["unit", *QUANTILES, "below_zero"]
        )
        return table.dropna(subset="q50").sort_index()

    def of(self, answer: Answer) -> pd.DataFrame:
        """Ranges of one answer by set, in the order of `labels`; sets without it are left out."""
        text = str(answer)
        if text not in self.table.index.get_level_values("answer"):
            return self.table.iloc[:0].droplevel("answer")
        found = self.table.loc[[text]].droplevel("answer")
        return found.reindex([label for label in self.labels if label in found.index])

    def pooled(self, answer: Answer, weights: str | None = None) -> pd.Series | None:
        """Range of all sets together, or None where there is none or pooling was refused.

        Parameters
        ----------
        answer
            Which one.
        weights
            How the sets are weighted (column `weights`); None: the first of `pools`.
        """
        if self.data.pooled is None:
            return None
        weights = weights or (self.pools or [EQUAL])[0]
        table = self.data.pooled
        found = table[
            (table["answer"].astype(str) == str(answer))
            & (table["weights"].astype(str) == weights)
            & table["q50"].notna()
        ]
        return None if found.empty else found.iloc[0]

    @cached_property
    def pools(self) -> list[str]:
        """Ways in which sets are pooled; each set counted alike comes first."""
        if self.data.pooled is None:
            return []
        found = dict.fromkeys(self.data.pooled["weights"].astype(str))
        return sorted(found, key=lambda weights: weights != EQUAL)

    def marked(self, label: str) -> str:
        """Name a set; one that failed is marked."""
        return f"{label} – FAILED its checks" if label in self.failures else label

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

    def _from_draws(self, label: str) -> list[tuple[str | float, ...]]:
        draws = answer_draws(self.data.trees[label]["posterior"].to_dataset(), self.asked)
        flat = draws.reshape(len(self.asked), -1)
        quantiles = np.quantile(flat, _PROBABILITIES, axis=1).T
        return [
            (answer.unit, *(float(q) for q in row), float((values < 0).mean()))
            for answer, row, values in zip(self.asked, quantiles, flat, strict=True)
        ]

    def _from_comparison(
        self, table: pd.DataFrame
    ) -> dict[tuple[str, str], tuple[str | float, ...]]:
        asked = {str(answer) for answer in self.asked}
        return {
            (str(row["answer"]), str(row["assumption_set"])): (
                str(row["unit"]),
                *(float(row[name]) for name in QUANTILES),
                float(row["below_zero"]),
            )
            for _, row in table.iterrows()
            if str(row["answer"]) in asked
        }
