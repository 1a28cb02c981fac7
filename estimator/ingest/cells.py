"""Read single cells of a table that others wrote: texts, figures, dates, names."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import math
import re
import unicodedata
from dataclasses import dataclass

# With or without commas or spaces (that may not break) between thousands; neither 1_000 nor digits
# of other scripts.
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:[ \u00a0\u2009\u202f][0-9]{3})+"
_FIGURE = re.compile(rf"[+-]?([0-9]+|{_GROUPED})(\.[0-9]*)?([eE][+-]?[0-9]{{1,3}})?")
_MARKS = str.maketrans(dict.fromkeys(",\u0020\u00a0\u2009\u202f"))
_MOST_PERSONS = 1e10  # more than all people
# What R, pandas, SQL and people at spreadsheets write where nothing is.
_EMPTY = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "\u2013", "\u2014"))
_LONGEST_EMPTY = 4
_REMEMBERED = 10_000  # tables of events name each day and side thousands of times
_LONGEST_TEXT = 500
_LONGEST_NAME = 60
_YEARS = (1900, 2199)  # what pandas can hold, and what a typing error seldom gives
_SHOWN = 60

DATE_FORMS = {
    "%Y-%m-%d": "YYYY-MM-DD",
    "%d/%m/%Y": "dd/mm/yyyy",
    "%m/%d/%Y": "mm/dd/yyyy",
    "%d.%m.%Y": "dd.mm.yyyy",
    "%Y-%m": "YYYY-MM",
    "%Y%m%d": "YYYYMMDD",
}
_DATE_PATTERNS = {
    "%Y-%m-%d": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "%d/%m/%Y": r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
    "%m/%d/%Y": r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
    "%d.%m.%Y": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}",
    "%Y-%m": r"[0-9]{4}-[0-9]{2}",
    "%Y%m%d": r"[0-9]{8}",
}
# Event tables write a day as the first moment of it.
_MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?Z?$")


@dataclass
class RowSkipped(Exception):
    """A row does not become a claim: the reason, what was found, and whether the row is at fault.

    Attributes
    ----------
    reason
        The same words for all rows of one kind, so that they can be counted.
    detail
        What was found in this row.
    bad
        Whether the row has a mistake; else it is not what was asked for.
    """

    reason: str
    detail: str = ""
    bad: bool = True


def is_given(figure: float) -> bool:
    """Tell whether there is a figure at all (NaN stands for none)."""
    return not math.isnan(figure)


def plain(text: object) -> str:
    """Make text one line without control characters; what it says is kept as data."""
    shown = str(text)
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return " ".join(shown.split())[:_LONGEST_TEXT].strip()


def shown(cell: object) -> str:
    """Quote what was found, cut to a readable length."""
    text = repr(cell if isinstance(cell, str) else str(cell))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@functools.lru_cache(maxsize=_REMEMBERED)
def snake(text: str) -> str:
    """Turn a name into snake_case; a name without Latin letters or digits gets its hash."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", ascii_text.lower()).strip("_")
    if name:
        return name[:_LONGEST_NAME].strip("_")
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"source_{digest[:8]}"


def is_empty(cell: str) -> bool:
    """Tell whether a cell holds nothing: blank, or a word or dash for it (``NA``, ``n/a``)."""
    text = cell.strip()
    return not text or (len(text) <= _LONGEST_EMPTY and text.lower() in _EMPTY)


def figure(cell: str, column: str, *, signed: bool = False, multiply: float = 1.0) -> float:
    """Read a number of persons, times `multiply`; NaN for an empty cell.

    Raises
    ------
    RowSkipped
        If it is no number, negative, or more than all people.
    """
    text = cell.strip()
    if is_empty(text):
        return math.nan
    if not _FIGURE.fullmatch(text):
        raise RowSkipped(f"{column}: not a number in plain notation", shown(cell))
    number = float(text.translate(_MARKS)) * multiply
    if number < 0 and not signed:
        raise RowSkipped(f"{column}: negative", shown(cell))
    if abs(number) > _MOST_PERSONS:
        raise RowSkipped(f"{column}: more than all people", shown(cell))
    return number


def whole(cell: str, column: str) -> int:
    """Read a whole number.

    Raises
    ------
    RowSkipped
        If it is none.
    """
    number = figure(cell, column)
    if math.isnan(number) or number != int(number):
        raise RowSkipped(f"{column}: not a whole number", shown(cell))
    return int(number)


def not_a_date(column: str, form: str) -> str:
    """Reason for a cell that is no date of the form, e.g. ``%d/%m/%Y``."""
    return f"{column}: not a date as {DATE_FORMS.get(form, form)}"


def date(cell: str, column: str, form: str = "%Y-%m-%d") -> dt.date:
    """Read a date of one form; a clock time of midnight is allowed.

    Raises
    ------
    RowSkipped
        If it is none, or of a year that cannot be meant.
    """
    text = _MIDNIGHT.sub("", cell.strip())
    if not text:
        raise RowSkipped(f"{column}: empty")
    pattern = _DATE_PATTERNS.get(form)
    if not text.isascii() or (pattern is not None and not re.fullmatch(pattern, text)):
        raise RowSkipped(not_a_date(column, form), shown(cell))
    day = _day(text, form)
    if day is None:
        reason = not_a_date(column, form) if pattern is None else f"{column}: no such day"
        raise RowSkipped(reason, shown(cell))
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise RowSkipped(f"{column}: year not from {_YEARS[0]} to {_YEARS[1]}", shown(cell))
    return day


@functools.lru_cache(maxsize=_REMEMBERED)
def _day(text: str, form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, form).date()
    except ValueError:
        return None
