"""Figures of days, weeks or months added up by longer periods, quiet periods with the next.

A list of events has a row where somebody died and none where nobody did. As claims of their own its
days would stand for days of a usual war; their sums hold the quiet days too.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from estimator.ingest.cells import is_given
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.settings import hedge_of
from estimator.ingest.totals import DAY, period_of
from estimator.ingest.zeros import ZERO
from estimator.quantity import COUNTS

_LONGEST = {"week": 7, "month": 31}  # days
_ADDED = ("about", "exact", "range")  # together; sums of floors are floors of their own


def shares(start: dt.date, end: dt.date, every: str) -> Iterator[tuple[dt.date, float]]:
    """First days of the periods that some days lie in, and the share of the days in each."""
    days = (end - start).days + 1
    day = start
    while day <= end:
        first, last = period_of(day, every)
        yield first, ((min(last, end) - day).days + 1) / days
        day = last + DAY


def with_quiet(firsts: Sequence[dt.date], every: str) -> tuple[dict[dt.date, dt.date], int]:
    """First day of the claim on each period, with the quiet ones before it, and how many they are.

    They say that nobody died, which a log scale cannot; left out, they would count as usual ones.
    """
    starts: dict[dt.date, dt.date] = {}
    quiet = 0
    for place, first in enumerate(firsts):
        before = period_of(firsts[place - 1], every)[1] + DAY if place else first
        starts[first] = before
        while before < first:
            quiet += 1
            before = period_of(before, every)[1] + DAY
    return starts, quiet


@dataclass
class _Sum:
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    parts: list[Draft] = field(default_factory=list)

    def add(self, draft: Draft, share: float) -> None:
        self.value += share * draft.value
        self.low += share * (draft.low if is_given(draft.low) else draft.value)
        self.high += share * (draft.high if is_given(draft.high) else draft.value)
        self.parts.append(draft)


def summed(
    drafts: Sequence[Draft],
    every: str,
    ledger: Ledger,
    *,
    war_start: dt.date | None,
    is_whole: bool,
) -> list[Draft]:
    """Add figures up by period.

    Parameters
    ----------
    drafts
        In any order. Only counts of persons with a figure, over no more days than a period has, add
        up; others are told and stay.
    every
        Length of the periods: week, month.
    ledger
        Gets the rows of which nothing follows, and remarks.
    war_start
        The first period begins no earlier.
    is_whole
        Whether the last period is taken as whole, since no day of publication is known; else it
        ends with the last of them.
    """
    series: dict[tuple[str, ...], list[Draft]] = {}
    result: list[Draft] = []
    for draft in drafts:
        if (draft.end - draft.start).days >= _LONGEST[every]:
            ledger.remark(
                f"not added up by --every: a figure on more days than a {every} has",
                f"{draft.start} to {draft.end}",
                draft.rows[0],
            )
            result.append(draft)
        elif draft.quantity in COUNTS and draft.unit == "persons" and is_given(draft.value):
            worded = "" if draft.hedge in _ADDED else draft.hedge
            key = (*draft.series, draft.status, worded, draft.evidence_group)
            series.setdefault(key, []).append(draft)
        else:
            ledger.remark(
                "not added up by --every: only figures on counts of persons add up",
                f"{draft.quantity}, {draft.unit}",
                draft.rows[0],
            )
            result.append(draft)
    for same in series.values():
        known = None if is_whole else max(draft.published for draft in same)
        pieces = _of_series(same, every, known, ledger)
        if war_start is not None and pieces:
            pieces[0] = replace(pieces[0], start=max(pieces[0].start, war_start))
        result += pieces
    return result


def _of_series(
    drafts: Sequence[Draft], every: str, known: dt.date | None, ledger: Ledger
) -> list[Draft]:
    periods: dict[dt.date, _Sum] = {}
    for draft in sorted(drafts, key=lambda draft: (draft.end, draft.rows)):
        for first, share in shares(draft.start, draft.end, every):
            periods.setdefault(first, _Sum()).add(draft, share)
    firsts = [first for first in sorted(periods) if periods[first].value > 0]
    starts, quiet = with_quiet(firsts, every)
    name = ", ".join(drafts[0].series[:2])
    if quiet:
        ledger.remark(
            f"{every}s without a figure above 0, part of the claim that follows: nobody died then, "
            "if the table has all events",
            f"{quiet} of {name}",
        )
    if (
        known is None
        and firsts
        and (end := period_of(firsts[-1], every)[1]) > max(d.end for d in drafts)
    ):
        ledger.remark(
            f"the last {every} is taken as whole, since no day of publication is known",
            f"up to {end} of {name}",
        )
    pieces: list[Draft] = []
    waiting = sorted(first for first in periods if first not in starts)
    used: set[int] = set()
    for first in firsts:
        parts = [part for quiet in waiting if quiet < first for part in periods[quiet].parts]
        waiting = [quiet for quiet in waiting if quiet > first]
        total = periods[first]
        end = period_of(first, every)[1]
        if known is not None:
            end = min(end, max(known, *(part.end for part in total.parts)))
        piece = _piece(total, [*parts, *total.parts], starts[first], end)
        if known is None:
            piece = replace(piece, published=max(piece.published, end))
        used.update(piece.rows)
        pieces.append(piece)
    rest = {row for first in waiting for part in periods[first].parts for row in part.rows} - used
    ledger.skip_all(sorted(rest), ZERO)
    return pieces


def _piece(total: _Sum, parts: Sequence[Draft], start: dt.date, end: dt.date) -> Draft:
    """Draft of a sum, with the texts that all its parts share."""
    last = parts[-1]
    hedge, low, value, high = last.hedge, math.nan, total.value, math.nan
    if hedge in _ADDED:
        bounds = (total.low, total.high) if total.low < total.high else (math.nan, math.nan)
        hedge, low, value, high = hedge_of(bounds[0], value, bounds[1])
        if hedge == "about" and all(part.hedge == "exact" for part in parts):
            hedge = "exact"
    rows = tuple(dict.fromkeys(row for part in parts for row in part.rows))
    note = _shared([part.note for part in parts])
    return replace(
        last,
        id="",
        rows=rows,
        start=start,
        end=end,
        low=low,
        value=value,
        high=high,
        hedge=hedge,
        source=_shared([part.source for part in parts]) or "several",
        citation=_shared([part.citation for part in parts]) or f"several, as {last.citation}",
        published=max(part.published for part in parts),
        speaker=_shared([part.speaker for part in parts]),
        locator=_shared([part.locator for part in parts]),
        role=_shared([part.role for part in parts]),
        derived_from="",
        note="; ".join(filter(None, (f"sum of {len(rows)} row{'s' * (len(rows) > 1)}", note))),
    )


def _shared(texts: Sequence[str]) -> str:
    """Text that all have, else none."""
    return texts[0] if len(set(texts)) == 1 else ""


def report_left_out(drafts: Sequence[Draft], length: str, ledger: Ledger) -> None:
    """Tell of days (weeks, months) without a figure between the first and the last of a series.

    Periods of any length are looked at where all figures of a series are of single days.
    """
    series: dict[tuple[str, str, str], list[Draft]] = {}
    for draft in drafts:
        if draft.quantity in COUNTS:
            series.setdefault(draft.series, []).append(draft)
    for name, same in series.items():
        if length == "period" and any(draft.start < draft.end for draft in same):
            continue
        unit = "day" if length == "period" else length
        firsts = {period_of(draft.end, unit)[0] for draft in same}
        _, quiet = with_quiet(sorted(firsts), unit)
        if quiet:
            longer = "--every month" if unit != "day" else "--every month (or week)"
            ledger.remark(
                f"{unit}s without a figure: no evidence that nobody died, and a run takes them "
                f"as usual {unit}s; if the table lists all events, add them up with {longer}",
                f"{len(firsts)} of {len(firsts) + quiet} {unit}s of {', '.join(name[:2])} "
                "have figures",
            )
