"""Daily running totals of the General Staff of Ukraine: the 2022-Ukraine-Russia-War dataset.

A JSON list of records ``{"date": "2022-02-25", "day": 2, "personnel": 2800, ...}``. Each record
holds all losses up to its date; ``day`` counts from the first day of the war, which so is known.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from estimator.errors import IngestError
from estimator.ingest.cells import RowSkipped, date, figure, is_empty, is_given, not_a_date, whole
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.reading import Columns, each_row, read_json
from estimator.ingest.restarts import continued
from estimator.ingest.settings import Settings
from estimator.ingest.totals import (
    DAY,
    increments,
    never_falling,
    report_coarse,
    report_gaps,
    settle,
    sums,
    thin,
)

COLUMNS = Columns(("date", "personnel"), ("day", "personnel*", "pow", "pow*"))
ORIGIN = "general_staff_ukraine"
POPULATION = "russian_forces"
SOURCE = "2022_ukraine_russia_war_dataset"
CITATION = (
    "General Staff of the Armed Forces of Ukraine, running total of Russian losses, as collected "
    "in the 2022-Ukraine-Russia-War dataset (P. Ivaniuk)"
)


@dataclass(frozen=True)
class _Record:
    total: Draft
    first_day: dt.date | None


def read(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read the records; losses between them become claims.

    Raises
    ------
    IngestError
        If the file is no list of such records.
    """
    table = read_json(path, COLUMNS, settings.max_megabytes)
    ledger = table.ledger
    reasons = [not_a_date("date", "%Y-%m-%d")]
    records = each_row(table, lambda n, cells: _record(n, cells, settings), reasons)
    said = _first_day(records, ledger)
    if said is not None:
        settings.check_war_start(said, f"{path}: day numbers")
    start = settings.war_start or said
    totals = []
    for record in records:
        if start is not None and record.total.end < start:
            ledger.skip_all(
                record.total.rows,
                "before the first day of the war",
                f"{record.total.end} before {start}",
                bad=True,
            )
        else:
            totals.append(record.total)
    settled = never_falling(continued(settle(totals, ledger), settings.restart, ledger), ledger)
    report_gaps(settled, ledger)
    if settings.cumulative == "keep":
        if start is None:
            raise IngestError(f"{path}: no day numbers, so the sums need --war-start YYYY-MM-DD")
        return ledger, sums(settled, start, ledger)
    thinned = thin(settled, settings.every or "day")
    drafts = increments(thinned, start, ledger)
    report_coarse("the table", thinned, settings.coarse, ledger)
    return ledger, drafts


def _record(number: int, cells: dict[str, str], settings: Settings) -> _Record:
    day = date(cells["date"], "date")
    value = figure(cells["personnel"], "personnel")
    if not is_given(value):
        raise RowSkipped("personnel: empty")
    first = None
    if not is_empty(cells.get("day", "")):
        count = whole(cells["day"], "day")
        if not 1 <= count <= (day - dt.date.min).days:
            raise RowSkipped("day: not a number of days from 1 on", cells["day"])
        first = day - (count - 1) * DAY
    total = Draft(
        rows=(number,),
        quantity="losses",
        start=day,
        end=day,
        value=value,
        hedge="exact",
        status="claimed",
        origin=settings.origins.get("", ORIGIN),
        source=settings.source or SOURCE,
        published=day,
        citation=settings.citation or CITATION,
        population=settings.population or POPULATION,
        speaker=settings.speaker or "enemy",
        note="published: the day of the record",
    )
    return _Record(total, first)


def _first_day(records: list[_Record], ledger: Ledger) -> dt.date | None:
    """First day of the war, as most day numbers say."""
    said = Counter(record.first_day for record in records if record.first_day is not None)
    if not said:
        ledger.remark("no day numbers: the first record is only what the second is reckoned from")
        return None
    first = said.most_common(1)[0][0]
    for record in records:
        if record.first_day not in (None, first):
            ledger.remark(
                "day number and date disagree; the date is used",
                f"by this row day 1 is {record.first_day}, by most {first}",
                record.total.rows[0],
            )
    return first
