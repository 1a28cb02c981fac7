"""Drafts of claims: named, checked row by row, and made a claims table."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from estimator.ingest.cells import is_given, plain
from estimator.quantity import CLAIMED

if TYPE_CHECKING:
    import pandas as pd

    from estimator.ingest.ledger import Ledger

_NOTED_ROWS = 3
_SIGNS = ("=", "+", "-", "@")  # with which a spreadsheet runs a cell; a writer puts ' before them


@dataclass(frozen=True)
class Draft:
    """One claim to be, with the rows that it comes from; columns as in `data/README.md`.

    A running total is one whose `end` is its day; `start` is not looked at before it has become a
    sum over a period (`estimator.ingest.totals`).
    """

    rows: tuple[int, ...]
    quantity: str
    start: dt.date
    end: dt.date
    origin: str
    source: str
    published: dt.date
    citation: str
    status: str
    hedge: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    sd: float = math.nan
    level: float = math.nan
    unit: str = "persons"
    population: str = ""
    speaker: str = ""
    evidence_group: str = ""
    derived_from: str = ""
    locator: str = ""
    role: str = ""
    note: str = ""
    id: str = ""

    @property
    def series(self) -> tuple[str, str, str]:
        """Origin, quantity and population: what figures must share to be of one series."""
        return self.origin, self.quantity, self.population

    @property
    def has_point(self) -> bool:
        """Whether it has a figure that can be differenced, with bounds or without."""
        return is_given(self.value) and self.hedge in ("about", "exact", "range")

    def noted(self, note: str) -> str:
        """Put a note before its own."""
        return "; ".join(filter(None, (note, self.note)))


NUMBERS = ("low", "value", "high", "sd", "level")
_TEXTS = tuple(
    field.name for field in fields(Draft) if field.name not in ("rows", "start", "end", *NUMBERS)
)


def named(drafts: Sequence[Draft], prefix: str | None = None) -> list[Draft]:
    """Give each draft an id, ``origin-quantity-last day``, with what else is needed to be unique.

    The same table gives the same ids. Two tables may give one id too: then `prefix` stands before
    the ids of one of them.
    """
    first = f"{prefix}-" if prefix else ""
    several = len({draft.population for draft in drafts}) > 1
    taken: Counter[str] = Counter()
    given: set[str] = {f"{first}{draft.id}" for draft in drafts if draft.id}
    result = []
    for draft in drafts:
        if draft.id:
            result.append(replace(draft, id=f"{first}{draft.id}"))
            continue
        words = [draft.origin, draft.quantity, *([draft.population] if several else [])]
        stem = first + "-".join([*(word for word in words if word), draft.end.isoformat()])
        taken[stem] += 1
        name = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        while name in given:
            taken[stem] += 1
            name = f"{stem}-{taken[stem]}"
        given.add(name)
        result.append(replace(draft, id=name))
    return result


def distinct_ids(drafts: Sequence[Draft], ledger: Ledger) -> list[Draft]:
    """Leave out drafts whose id (given by the table) another has, and tell of it."""
    seen: set[str] = set()
    kept = []
    for draft in drafts:
        if draft.id and draft.id in seen:
            ledger.skip_all(draft.rows, "an id that an earlier row has", draft.id, bad=True)
        else:
            seen.add(draft.id)
            kept.append(draft)
    return kept


def accepted(drafts: Sequence[Draft], ledger: Ledger) -> list[Draft]:
    """Leave the drafts that the schema of a claims table accepts; the others' rows are skipped."""
    good: list[Draft] = []
    used: set[int] = set()
    refused: list[tuple[Draft, str]] = []
    for draft in drafts:
        problems = _problems(draft)
        if problems:
            refused.append((draft, problems))
        else:
            good.append(draft)
            used.update(draft.rows)
    for draft, problems in refused:
        for row in draft.rows:
            if row in used:
                ledger.remark(f"a claim of the row is not possible: {problems}", row=row, bad=True)
            else:
                ledger.skip(row, f"not a possible claim: {problems}", bad=True)
    return good


def _problems(draft: Draft) -> str:
    """Say what is wrong with a draft; an empty text if nothing is."""
    from estimator.evidence.schema import (
        HEDGES,
        LIKELIHOOD_STATUSES,
        STATUSES,
        row_problems,
    )

    for column, found, allowed in (
        ("quantity", draft.quantity, CLAIMED),
        ("status", draft.status, STATUSES),
        ("hedge", draft.hedge, (*HEDGES, "")),
    ):
        if found not in allowed:
            return f"{column} {plain(found)!r}; allowed: {', '.join(a for a in allowed if a)}"
    for column, text in (
        ("origin", draft.origin),
        ("source", draft.source),
        ("citation", draft.citation),
    ):
        if not plain(text):
            return f"{column} is empty"
    for column, text in (("id", draft.id), ("population", draft.population)):
        if plain(text).startswith(_SIGNS):  # the file would have another name than was asked for
            return f"{column} {plain(text)!r}; allowed: a name that begins with none of = + - @"
    if draft.status in LIKELIHOOD_STATUSES and draft.published < draft.start:
        return f"published: allowed: not before the period, which begins {draft.start}"
    problems = row_problems(_cells(draft))
    return "; ".join(f"{column}: allowed: {allowed}" for column, _, allowed in problems)


def _cells(draft: Draft) -> dict[str, str]:
    """Text cells of a claims table."""
    return {name: str(getattr(draft, name)) for name in _TEXTS} | {
        "period_start": draft.start.isoformat(),
        "period_end": draft.end.isoformat(),
        **{
            name: f"{figure:.15g}" if is_given(figure) else ""
            for name, figure in _numbers(draft).items()
        },
    }


def _numbers(draft: Draft) -> dict[str, float]:
    return {name: float(getattr(draft, name)) for name in NUMBERS}


def to_frame(drafts: Sequence[Draft]) -> pd.DataFrame:
    """Claims table of the drafts: texts cleaned, figures as numbers (NaN where not given)."""
    import pandas as pd

    from estimator.evidence.schema import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

    rows = []
    for draft in drafts:
        cells: dict[str, object] = {key: plain(text) for key, text in _cells(draft).items()}
        cells |= {"locator": cells["locator"] or _locator(draft.rows), **_numbers(draft)}
        rows.append(cells)
    columns = [
        name for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS) if not rows or name in rows[0]
    ]
    return pd.DataFrame(rows, columns=columns)


def _locator(rows: tuple[int, ...]) -> str:
    if len(rows) <= _NOTED_ROWS:
        return f"row {', '.join(str(row) for row in rows)}" if rows else ""
    return f"{len(rows)} rows from {min(rows)} to {max(rows)}"
