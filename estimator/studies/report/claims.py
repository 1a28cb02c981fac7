"""Every claim as a row: the figure as published, who counted, and which sets count it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import xarray as xr
from markupsafe import Markup

from estimator.evidence.pieces import KINDS, pieces
from estimator.evidence.schema import LIKELIHOOD_STATUSES
from estimator.evidence.wording import figure_text
from estimator.show import number
from estimator.show.grid import Cell, Grid, column
from estimator.studies.report import words
from estimator.studies.report.data import ReportData

_SERIES = 12  # rows of one origin and quantity in one source that are folded
_STATUSES = {
    "confirmed": "verified one by one",
    "claimed": "claimed by a side of the war or by sources with an interest",
    "estimated": "estimated by others",
    "planned": "a plan",
    "goal": "a goal",
    "context": "context or a statement",
}
_HEAD = [
    column(heading, "long")
    for heading in ("claim, as published", "who counted, and the citation", "counted by", "note")
]


@dataclass(frozen=True)
class ClaimRow:
    """One published figure or statement.

    Attributes
    ----------
    id, figure, quantity, period, status, origin, source, published, citation, note
        Texts.
    counted_by
        Labels of the sets in which it counts.
    reasons
        Why it does not count, with the sets of which that is true.
    """

    id: str
    figure: str
    quantity: str
    period: str
    status: str
    origin: str
    source: str
    published: str
    citation: str
    note: str
    counted_by: tuple[str, ...]
    reasons: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class ClaimRows:
    """All claims of a report.

    Attributes
    ----------
    data
        Of the report.
    verdicts
        Number of the verdict on each claim that has one.
    """

    data: ReportData
    verdicts: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def rows(self) -> list[ClaimRow]:
        """Claims in the order of the table."""
        fates = {label: _fates(tree) for label, tree in self.data.trees.items()}
        records = self.data.claims_table.to_dict("records")
        return [_row({str(k): v for k, v in record.items()}, fates) for record in records]

    @property
    def statuses(self) -> list[str]:
        """How many claims there are of each status: those that may count, then all others."""
        statuses = [row.status for row in self.rows]
        texts = [
            f"{statuses.count(status)} {_STATUSES[status]}"
            for status in LIKELIHOOD_STATUSES
            if status in statuses
        ]
        other = sum(status not in LIKELIHOOD_STATUSES for status in statuses)
        return [*texts, *([f"{other} plans, goals and statements"] if other else [])]

    @property
    def origins(self) -> int:
        """How many origins there are."""
        return len({row.origin for row in self.rows})

    @property
    def largest_origin(self) -> tuple[str, int]:
        """The origin with most claims, in words, and how many."""
        counts = pd.Series([row.origin for row in self.rows]).value_counts()
        return self.data.options.origin(str(counts.index[0])), int(counts.iloc[0])

    @cached_property
    def counted(self) -> dict[str, int]:
        """How many claims each set counts."""
        return {
            label: sum(label in row.counted_by for row in self.rows) for label in self.data.trees
        }

    @cached_property
    def pieces(self) -> dict[str, int]:
        """How many pieces of evidence the claims are that each set counts."""
        trees = self.data.trees.items()
        return {label: pieces(tree["constant_data"].to_dataset())[1] for label, tree in trees}

    @property
    def floors(self) -> list[ClaimRow]:
        """Confirmed figures that count in some set, by the end of their period."""
        return [row for row in self.rows if row.status == "confirmed" and row.counted_by]

    @property
    def loose_floor(self) -> list[str]:
        """Sets in which confirmed figures may be false."""
        return [label for label, tree in self.data.trees.items() if _may_be_false(tree)]

    def link(self, claim: str, text: object) -> Markup:
        """Lead from anywhere to the row of a claim."""
        at = self._places.get(claim)
        return Markup.escape(text) if at is None else words.link(f"details.html#claim-{at}", text)

    @cached_property
    def _places(self) -> dict[str, int]:
        """Number of each claim that has a row on the page: ids of claims are anybody's text."""
        shown = [row.id for _, rows in self._shown for row in rows]
        return {claim: at for at, claim in enumerate(shown, start=1)}

    def tables(self) -> Iterator[tuple[bool, Grid]]:
        """Claims by quantity, long series apart; each with whether it may be folded away."""
        for (fold, title), rows in self._shown:
            yield fold, Grid.of(title, _HEAD, ([*self._cells(row)] for row in rows))

    @cached_property
    def _shown(self) -> list[tuple[tuple[bool, str], list[ClaimRow]]]:
        """Rows of each table, with whether it may be folded away and its title."""
        by_key: dict[tuple[str, str, str], list[ClaimRow]] = {}
        for row in self.rows:
            by_key.setdefault((row.quantity, row.origin, row.source), []).append(row)
        series = {key: rows for key, rows in by_key.items() if len(rows) > _SERIES}
        apart = {row.id for rows in series.values() for row in rows}
        most = self.data.options.most_claims
        tables = []
        for quantity in dict.fromkeys(row.quantity for row in self.rows):
            rows = [row for row in self.rows if row.quantity == quantity and row.id not in apart]
            if rows:
                shown, part = _some(rows, most)
                tables.append(((False, f"Claims: {words.quantity(quantity)}{part}"), shown))
        for key, rows in series.items():
            shown, part = _some(rows, _SERIES if len(self.rows) > most else len(rows))
            title = (
                f"{len(rows)} claims by {self.data.options.origin(key[1])} on "
                f"{words.quantity(key[0])}, "
                f"{rows[0].period} to {rows[-1].period}{part}"
            )
            tables.append(((True, title), shown))
        return tables

    def _cells(self, row: ClaimRow) -> Iterator[Cell | str]:
        what = words.quantity(row.quantity)
        figure = what if row.quantity == "statement" else f"{what}: {row.figure}"
        status = _STATUSES.get(row.status, words.plain(row.status))
        name = words.anchor(f"claim-{self._places[row.id]}", row.id)
        if row.id in self.verdicts:
            place = f"report.html#verdict-{self.verdicts[row.id]}"
            name = words.link(place, row.id, f"claim-{self._places[row.id]}")
        yield Cell(Markup("{} · {}").format(name, figure), f"{row.period}; {status}")
        citation = words.linked(row.citation)
        published = Markup("{}; published {}").format(citation, row.published)
        yield Cell(self.data.options.origin(row.origin), published)
        yield self._counting(row)
        yield row.note

    def _counting(self, row: ClaimRow) -> str:
        first = self.data.which(row.counted_by) if row.counted_by else "no set"
        alone = len(row.reasons) == 1
        why = [
            reason if alone else f"{self.data.which(labels)}: {reason}"
            for reason, labels in row.reasons.items()
        ]
        return f"{first} ({'; '.join(why)})" if why else first


def _some(rows: list[ClaimRow], most: int) -> tuple[list[ClaimRow], str]:
    """Take the first rows, and say how many where these are not all."""
    if len(rows) <= most:
        return rows, ""
    return rows[:most], f"; the first {most} (all of them: claims.csv of the set)"


def figure_of(record: dict[str, Any]) -> str:
    """Write a figure as it was published: more than 1,250,000 persons."""
    low, value, high = (
        float(pd.to_numeric(record[name], errors="coerce")) for name in ("low", "value", "high")
    )
    if all(pd.isna(number) for number in (low, value, high)):
        return "a statement, no figure"
    return figure_text(_text(record["hedge"]), low, value, high, _text(record["unit"]))


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and pd.isna(value)) else str(value)


def _day(value: Any) -> str:
    return "" if pd.isna(value) else str(value)[:10]


def _row(record: dict[str, Any], fates: dict[str, dict[str, tuple[bool, str]]]) -> ClaimRow:
    claim = str(record["id"])
    used = str(record["used"]) == "True"  # a table that was read back has texts
    fallback = (used, _text(record["reason"]))
    counted: list[str] = []
    reasons: dict[str, tuple[str, ...]] = {}
    for label, fate in fates.items():
        is_used, reason = fate.get(claim, fallback)
        if is_used:
            counted.append(label)
        else:
            why = reason or "not counted"
            reasons[why] = (*reasons.get(why, ()), label)
    return ClaimRow(
        id=claim,
        figure=figure_of(record),
        quantity=_text(record["quantity"]),
        period=number.dates(record["period_start"], record["period_end"]),
        status=_text(record["status"]),
        origin=_text(record["origin"]),
        source=_text(record["source"]),
        published=_day(record["published"]),
        citation=_citation(_text(record["citation"]), _text(record["locator"])),
        note=_text(record["note"]),
        counted_by=tuple(counted),
        reasons=reasons,
    )


def _citation(citation: str, locator: str) -> str:
    """Join citation and place, unless the citation says the place already."""
    words_said = citation.replace(",", "").casefold()
    if all(word in words_said for word in locator.replace(",", "").casefold().split()):
        return citation
    return ", ".join(part for part in (citation, locator) if part)


def _fates(tree: xr.DataTree) -> dict[str, tuple[bool, str]]:
    """Whether each claim that could count does, and why not, as a result keeps it."""
    constant = tree["constant_data"].to_dataset()
    fates = {}
    for prefix, dim in KINDS.items():
        if dim not in constant.dims:
            continue
        used = constant[f"{prefix}used"].values
        name = f"{prefix}reason"
        reasons = constant[name].values if name in constant else [""] * len(used)
        for claim, is_used, reason in zip(constant[dim].values, used, reasons, strict=True):
            fates[str(claim)] = (bool(is_used), str(reason))
    return fates


def _may_be_false(tree: xr.DataTree) -> bool:
    text = tree.attrs.get("configuration")
    if text is None:
        return False
    prior = json.loads(text)["confirmed"]["false_confirmation"]
    return not (prior["family"] == "Fixed" and not prior["value"])
