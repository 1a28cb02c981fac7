"""Dates of a whole table: in which order day and month stand, and what a month stands for."""

from __future__ import annotations

import datetime as dt
import re

from estimator.errors import IngestError
from estimator.ingest.cells import DATE_FORMS, shown
from estimator.ingest.reading import Table
from estimator.ingest.totals import period_of

_DAY_AND_MONTH = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-][0-9]{4}")
_ORDERED = re.compile(r"%([dm])[./-]%([dm])[./-]%Y")
_MONTHS = 12
_SAYS_DAY = re.compile(r"%-?[djuwcxDF]")
_SAYS_MONTH = re.compile(r"%-?[mbBh]")


def check_order(table: Table, column: str, form: str) -> None:
    """See to it that day and month do not stand the other way round.

    A day up to the 12th can be read either way, so a table in the other order would become claims
    with other dates.

    Parameters
    ----------
    table
        Gets a remark if a few dates have the other order.
    column
        With the dates.
    form
        That they should have, e.g. ``%d/%m/%Y``; another form than day, month, year is not checked.

    Raises
    ------
    IngestError
        If no more dates can only have this order than can only have the other.
    """
    if not _ORDERED.fullmatch(form):
        return
    this: list[int] = []
    other: list[tuple[int, str]] = []
    for row, cells in table.rows:
        if match := _DAY_AND_MONTH.fullmatch(cells[column].strip()):
            day, month = (int(part) for part in match.groups())
            if form.startswith("%m"):
                day, month = month, day
            if day > _MONTHS >= month:
                this.append(row)
            elif month > _MONTHS >= day:
                other.append((row, cells[column]))
    if not other:
        return
    first, found = other[0]
    said = DATE_FORMS.get(form, form)
    if len(other) >= len(this):
        raise IngestError(
            f"{table.path}: column {column!r}: day and month seem to stand the other way round: "
            f"{len(other)} dates cannot be {said} (row {first}: found {shown(found)}), and "
            f"{len(this)} can be nothing else"
        )
    table.ledger.remark(
        "some dates have day and month the other way round; those up to the 12th cannot be told",
        f"{column}: {len(other)} dates, first {shown(found)}",
        first,
    )


def says_day(form: str) -> bool:
    """Tell whether dates of a form name a day, and not only a month or a year."""
    return bool(_SAYS_DAY.search(form))


def says_month(form: str) -> bool:
    """Tell whether dates of a form name a month."""
    return says_day(form) or bool(_SAYS_MONTH.search(form))


def last_day(day: dt.date, form: str) -> dt.date:
    """Last day of what a date of a form stands for: a day, a month or a year."""
    if says_day(form):
        return day
    return period_of(day if says_month(form) else day.replace(month=_MONTHS), "month")[1]
