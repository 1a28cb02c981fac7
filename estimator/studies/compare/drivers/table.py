"""The table of drivers: its columns, and the numbers of one answer that it is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer

COLUMNS = (
    "answer",
    "unit",
    "assumption",
    "method",
    "level_low",
    "level_high",
    "value_low",
    "value_high",
    "reference",
    "effect",
    "effect_mcse",
    "first_order",
    "first_order_low",
    "first_order_high",
    "total",
    "total_low",
    "total_high",
    "rank",
    "note",
)
NEGLIGIBLE = "negligible beside what each set leaves open"
"""Note of a driver that hardly moves its answer (see `conf/compare/default.yaml`)."""
_TEXTS = frozenset({"answer", "unit", "assumption", "method", "level_low", "level_high", "note"})


@dataclass(frozen=True)
class Outcome:
    """One answer in the sets of a sweep.

    Attributes
    ----------
    answer, unit
        What it is.
    values
        NaN where a set has none. (set,).
    errors
        Draws of their Monte-Carlo errors. (draw, set).
    """

    answer: Answer
    unit: str
    values: np.ndarray
    errors: np.ndarray

    @property
    def there(self) -> np.ndarray:
        """Rows of the sets that have the answer."""
        return np.flatnonzero(np.isfinite(self.values))

    @property
    def noise(self) -> float:
        """Share of the variance between the sets that their Monte-Carlo errors make up."""
        rows = self.there
        spread = float(self.values[rows].var())
        return float(self.errors[:, rows].var(axis=1).mean()) / spread if spread > 0 else np.inf


@dataclass
class Row:
    """One assumption and one answer; numbers that a method does not give stay NaN."""

    assumption: str
    levels: tuple[str, str] = ("", "")
    values: tuple[float, float] = (np.nan, np.nan)
    reference: float = np.nan
    effect: float = np.nan
    effect_mcse: float = np.nan
    first_order: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    total: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    notes: list[str] = field(default_factory=list)


def rows_table(
    answer: str, unit: str, method: str, rows: list[Row], notes: list[str]
) -> pd.DataFrame:
    """Make the part of the table that belongs to one answer.

    Parameters
    ----------
    answer, unit, method
        As in the table.
    rows
        One an assumption. The largest total, or else the largest effect, has rank 1.
    notes
        That hold for every row.
    """
    size = [row.effect if np.isnan(row.total[0]) else row.total[0] for row in rows]
    order = sorted(range(len(rows)), key=lambda n: (np.isnan(size[n]), -size[n]))
    records: list[dict[str, Any]] = []
    for rank, row in enumerate((rows[n] for n in order), start=1):
        first, total = row.first_order, row.total
        values = (
            *(answer, unit, row.assumption, method),
            *(*row.levels, *row.values, row.reference, row.effect, row.effect_mcse),
            *(*first, *total, rank, "; ".join([*row.notes, *notes])),
        )
        records.append(dict(zip(COLUMNS, values, strict=True)))
    return pd.DataFrame(records, columns=list(COLUMNS))


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join the parts of several answers; without any, a table without rows."""
    if parts:
        return pd.concat(parts, ignore_index=True)
    types = {name: "object" if name in _TEXTS else "float" for name in COLUMNS}
    return pd.DataFrame(columns=list(COLUMNS)).astype(types | {"rank": "int"})
