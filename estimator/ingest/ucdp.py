"""Dead by events: the Georeferenced Event Dataset of the UCDP (GED).

The deaths of a side are summed over events by week or month. Civilians and persons of unknown side
are not mixed in, one-sided violence is left out. An event's own ``low`` and ``high`` are bounds on
all its dead; a side's bounds are in proportion to them. An event that crosses the end of a period
is spread over its days in equal parts. Counts of events are known to miss dead: give their origin a
bias downwards.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from estimator.errors import IngestError, nearest
from estimator.ingest.cells import (
    RowSkipped,
    date,
    figure,
    is_given,
    not_a_date,
    plain,
    shown,
    snake,
)
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.reading import Table, each_row, read_csv
from estimator.ingest.settings import Settings, hedge_of, of_country
from estimator.ingest.sums import shares, with_quiet
from estimator.ingest.totals import period_of
from estimator.ingest.ucdp_columns import COLUMNS

ORIGIN = "ucdp_ged"
SOURCE = "ucdp_ged"
CITATION = (
    "Uppsala Conflict Data Program, Georeferenced Event Dataset (Sundberg and Melander 2013), "
    "deaths of {side}"
)
_ONE_SIDED = "3"
_SIDES_SHOWN = 12
_MOST_DAYS = 3653


@dataclass(frozen=True, slots=True)
class _Event:
    row: int
    id: str
    start: dt.date
    end: dt.date
    names: tuple[str, str]
    sides: tuple[str, str]  # the names in snake_case
    deaths: tuple[float, float]
    best: float
    low: float
    high: float
    country: str


@dataclass
class _Sum:
    """Dead of a side in a period."""

    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    rows: list[int] = field(default_factory=list)


def read(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read the events; the dead of `settings.sides` become claims.

    Raises
    ------
    IngestError
        If it is not that table, or a side or country is not in it.
    """
    table = read_csv(path, COLUMNS, settings.max_megabytes)
    reasons = [not_a_date(name, "%Y-%m-%d") for name in ("date_start", "date_end")]
    events = each_row(table, _event, reasons)
    ledger = table.ledger
    if not events:
        return ledger, []
    sides = _sides(table, events, settings)
    wanted = of_country(table, settings.country, [event.country for event in events])
    if len(sides) > 1 and settings.population is not None:
        raise IngestError("one --population for several sides: give one --side at a time")
    kept: list[_Event] = []
    for event in _distinct(events, ledger):
        if wanted is not None and snake(event.country) != wanted:
            ledger.skip(event.row, "of another country", shown(event.country))
        elif settings.war_start is not None and event.start < settings.war_start:
            ledger.skip(event.row, "before --war-start", str(event.start))
        elif not set(event.sides) & set(sides):
            ledger.skip(event.row, "of other sides", shown(" - ".join(event.names)))
        else:
            kept.append(event)
    return ledger, _drafts(kept, sides, settings, ledger)


def _event(number: int, cells: dict[str, str]) -> _Event:
    if cells.get("type_of_violence", "").strip() == _ONE_SIDED:
        raise RowSkipped("one-sided violence: against civilians", bad=False)
    start, end = date(cells["date_start"], "date_start"), date(cells["date_end"], "date_end")
    if end < start:
        raise RowSkipped("date_end before date_start", f"{start} to {end}")
    if (end - start).days > _MOST_DAYS:
        raise RowSkipped("an event of more than ten years", f"{start} to {end}")
    best, low, high, deaths_a, deaths_b = (
        _count(cells, name) for name in ("best", "low", "high", "deaths_a", "deaths_b")
    )
    names = (plain(cells["side_a"]), plain(cells["side_b"]))
    return _Event(
        row=number,
        id=plain(cells.get("id", "")),
        start=start,
        end=end,
        names=names,
        sides=(snake(names[0]), snake(names[1])),
        deaths=(deaths_a, deaths_b),
        best=best,
        low=low,
        high=high,
        country=plain(cells.get("country", "")),
    )


def _distinct(events: Sequence[_Event], ledger: Ledger) -> list[_Event]:
    """Leave one row of each event: of releases that were joined, the last row with its id."""
    last = {event.id: event for event in events}
    kept = []
    for event in events:
        if event.id and last[event.id] is not event:
            later = last[event.id]
            alike = replace(event, row=later.row) == later
            ledger.skip(
                event.row,
                "repeats another row" if alike else "a later row has other figures on the event",
                f"row {later.row}",
                bad=not alike,
            )
        else:
            kept.append(event)
    return kept


def _count(cells: dict[str, str], column: str) -> float:
    count = figure(cells[column], column)
    if not is_given(count):
        raise RowSkipped(f"{column}: empty")
    return count


def _sides(table: Table, events: Sequence[_Event], settings: Settings) -> dict[str, str]:
    """Names of the sides that are asked for, by their snake_case."""
    found = Counter(name for event in events for name in event.names)
    common = ", ".join(f"{shown(name)} ({n} events)" for name, n in found.most_common(_SIDES_SHOWN))
    if not settings.sides:
        raise IngestError(f"{table.path}: say whose dead with --side NAME; most events: {common}")
    names = {snake(name): name for name in found}
    for side in settings.sides:
        if snake(side) not in names:
            hint = _meant(side, names)
            raise IngestError(f"{table.path}: no event of side {side!r}; {hint}")
    return {snake(side): names[snake(side)] for side in settings.sides}


def _meant(side: str, names: Mapping[str, str]) -> str:
    """Say which sides may be meant: those that hold the words, as names often have a part more."""
    longer = [name for key, name in names.items() if snake(side) in key]
    if longer:
        return f"did you mean {' or '.join(shown(name) for name in longer[:_SIDES_SHOWN])}?"
    return nearest(side, names.values())


def _drafts(
    events: Sequence[_Event], sides: dict[str, str], settings: Settings, ledger: Ledger
) -> list[Draft]:
    every = settings.every or "month"
    periods: dict[tuple[str, dt.date], _Sum] = {}
    used: set[int] = set()
    for event in events:
        for side, dead in zip(event.sides, event.deaths, strict=True):
            if side in sides and dead > 0:
                used.add(event.row)
                for first, share in shares(event.start, event.end, every):
                    _add(periods.setdefault((side, first), _Sum()), event, dead * share)
        if event.row not in used:
            ledger.skip(event.row, "no dead of the side")
        elif (event.end - event.start).days and len(
            list(shares(event.start, event.end, every))
        ) > 1:
            ledger.remark(
                "an event that crosses periods, spread over its days in equal parts",
                f"{event.start} to {event.end}",
                event.row,
            )
    if not events:
        return []
    last = max(event.end for event in events)
    drafts = []
    for side, name in sides.items():
        firsts = sorted(first for of, first in periods if of == side)
        starts, quiet = with_quiet(firsts, every)
        if quiet:
            ledger.remark(
                f"{every}s without dead of a side, part of the claim that follows",
                f"{quiet} of {name}",
            )
        for first, start in starts.items():
            end = min(period_of(first, every)[1], last)
            drafts.append(_draft(side, name, start, end, periods[side, first], settings))
    return drafts


def _add(total: _Sum, event: _Event, dead: float) -> None:
    total.value += dead
    bounded = event.best > 0 and event.low <= event.best <= event.high
    total.low += dead * event.low / event.best if bounded else dead
    total.high += dead * event.high / event.best if bounded else dead
    total.rows.append(event.row)


def _draft(
    side: str, name: str, first: dt.date, last: dt.date, total: _Sum, settings: Settings
) -> Draft:
    start = first if settings.war_start is None else max(first, settings.war_start)
    hedge, low, value, high = hedge_of(total.low, total.value, total.high)
    if math.isclose(total.low, total.high):
        hedge, low, high = "about", math.nan, math.nan
    said = "" if settings.published else "; published: the last day, in fact later"
    return Draft(
        rows=tuple(total.rows),
        quantity="killed",
        start=start,
        end=last,
        value=value,
        low=low,
        high=high,
        hedge=hedge,
        status="estimated",
        origin=settings.origins.get("", ORIGIN),
        source=settings.source or SOURCE,
        published=settings.published or last,
        citation=settings.citation or CITATION.format(side=name),
        population=settings.population_of(side),
        speaker=settings.speaker or "third_party",
        note=f"dead of {len(total.rows)} events{said}",
    )
