"""Read files of others: CSV tables and JSON lists, with their rows under account."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from estimator.errors import IngestError, nearest, problems_text
from estimator.ingest.cells import RowSkipped, is_empty, shown
from estimator.ingest.files import not_text, read_bytes, text_of, text_stream
from estimator.ingest.ledger import Ledger

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BEGIN = 1000  # characters in which a page or JSON shows itself
_TWICE = ""  # key of a JSON record that says which key stands in it twice

Row = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Columns:
    """The columns of a format, in lower case.

    Attributes
    ----------
    needed
        Without them nothing can be said.
    known
        Others that the format has; any more are reported.
    aliases
        Other names of columns.
    read
        Those whose cells are kept; None: all. Tables of events have long texts nobody asks for.
    """

    needed: tuple[str, ...]
    known: tuple[str, ...] = ()
    aliases: Mapping[str, str] | None = None
    read: tuple[str, ...] | None = None

    def canonical(self, name: str) -> str:
        """Name of a column as the format has it."""
        plain = name.strip().lower()
        return (self.aliases or {}).get(plain, plain)


@dataclass(frozen=True)
class Table:
    """Rows of text cells by column, with the ledger that accounts for them."""

    path: Path
    columns: tuple[str, ...]
    rows: list[Row]
    ledger: Ledger


def read_csv(
    path: Path, columns: Columns, max_megabytes: float, separator: str | None = ","
) -> Table:
    """Read a CSV table; names of columns do not hang on case.

    Without a separator it is the mark that stands most often in the first line.

    Rows with more or fewer cells than the header, empty lines, and lines that are the header again
    (of files that were joined) are skipped on the ledger.

    Raises
    ------
    IngestError
        If it is no CSV table, or has not the columns that are needed.
    """
    content = read_bytes(path, max_megabytes)
    try:
        with text_stream(content) as stream:
            return _table(path, stream, columns, separator)
    except UnicodeError as error:
        raise not_text(path, content) from error


def _table(path: Path, stream: TextIO, columns: Columns, separator: str | None) -> Table:
    begin = stream.read(_BEGIN).lstrip()
    if begin.startswith(("<", "{", "[")):
        raise IngestError(
            f"{path}: begins with {begin[0]!r}; expected a CSV table, not a page or JSON"
        )
    stream.seek(0)
    if separator is None:
        separator = max(_SEPARATORS, key=begin.partition("\n")[0].count)
    records = csv.reader(stream, delimiter=separator, strict=True)
    try:
        return _read_records(path, records, columns, separator)
    except csv.Error as error:
        raise IngestError(f"{path}: line {records.line_num}: not a CSV table ({error})") from error


def _read_records(
    path: Path, records: Iterator[list[str]], columns: Columns, separator: str
) -> Table:
    first, found = next(
        ((n, cells) for n, cells in enumerate(records, start=1) if not all(map(is_empty, cells))),
        (0, []),
    )
    if not found:
        raise IngestError(f"{path}: every line is empty")
    header = _header(path, found, columns, separator)
    wanted = dict(enumerate(header))
    if columns.read is not None:
        wanted = {place: name for place, name in wanted.items() if name in columns.read}
    rows: list[Row] = []
    skipped: list[tuple[int, str, str, bool]] = []
    number = first
    for number, cells in enumerate(records, start=first + 1):
        if len(cells) == len(header) and not all(map(is_empty, cells)):
            if cells == found:
                skipped.append((number, "the header again", "", False))
            else:
                rows.append((number, {name: cells[place] for place, name in wanted.items()}))
        elif all(map(is_empty, cells)):
            skipped.append((number, "empty line", "", False))
        else:
            detail = f"{len(cells)} cells, the header has {len(header)}"
            skipped.append((number, "not as many cells as the header has", detail, True))
    if number == first:
        raise IngestError(f"{path}: the table has a header and no rows")
    ledger = Ledger(tuple(range(first + 1, number + 1)))
    for row, reason, detail, bad in skipped:
        ledger.skip(row, reason, detail, bad=bad)
    _report_unknown(ledger, header, columns)
    return Table(path, tuple(header), rows, ledger)


def _header(path: Path, cells: Sequence[str], columns: Columns, separator: str) -> list[str]:
    if cells and cells[0].strip().lower().startswith("sep="):
        raise IngestError(
            f"{path}: row 1 is {shown(cells[0])}, a line for spreadsheets; expected the header: "
            "delete the line"
        )
    header = [columns.canonical(cell) for cell in cells]
    others = [mark for mark in _SEPARATORS if mark != separator]
    marks = max(sum(cell.count(mark) for cell in cells) for mark in others)
    if marks >= len(cells) and not set(header) & set(columns.needed):
        raise IngestError(
            f"{path}: the header begins with {shown(cells[0])}; expected {_SEPARATORS[separator]} "
            "between columns (the format mapping reads others, with its key separator)"
        )
    problems = [
        f"column {shown(name)} stands {header.count(name)} times"
        for name in dict.fromkeys(header)
        if name and header.count(name) > 1  # spreadsheets leave columns without a name
    ]
    problems += _missing(header, columns)
    if problems:
        raise IngestError(problems_text(f"{path}: not the columns of this format:", problems))
    return header


def _missing(found: Collection[str], columns: Columns) -> list[str]:
    missing = [name for name in columns.needed if name not in found]
    if not missing:
        return []
    free = [name for name in found if name not in (*columns.needed, *columns.known)]
    hints = [(name, nearest(name, free)) for name in missing] if free else []
    return [
        *(
            f"column {name!r} is missing"
            + next((f"; {hint}" for n, hint in hints if n == name and hint.startswith("did")), "")
            for name in missing
        ),
        f"found: {', '.join(shown(name) for name in list(found)[:40])}",
        f"needed: {', '.join(columns.needed)}"
        + (f"; known besides: {', '.join(columns.known)}" if columns.known else ""),
    ]


def _report_unknown(ledger: Ledger, found: Collection[str], columns: Columns) -> None:
    known = (*columns.needed, *columns.known)
    for name in dict.fromkeys(found):
        if name not in known:
            ledger.remark("unknown column, not used", shown(name))


def read_json(path: Path, columns: Columns, max_megabytes: float) -> Table:
    """Read a JSON list of records as a table; nested values and booleans are bad cells.

    Raises
    ------
    IngestError
        If it is no list of records, or no record has what is needed.
    """
    text = text_of(path, read_bytes(path, max_megabytes))
    try:
        found = json.loads(
            text,
            object_pairs_hook=_record,
            parse_int=str,  # digits without end
            parse_float=str,
            parse_constant=str,  # NaN and Infinity are no JSON: empty or bad cells
        )
    except (ValueError, RecursionError) as error:
        begins = shown(text.lstrip().partition("\n")[0].strip())
        raise IngestError(
            f"{path}: not JSON ({error}); it begins with {begins}, expected a list of records "
            "(a CSV table goes with the format mapping)"
        ) from error
    if not isinstance(found, list):
        keys = f" with keys {', '.join(map(shown, list(found)[:10]))}" if _is_record(found) else ""
        raise IngestError(
            f"{path}: found {_kind(found)}{keys}; expected a list of records with "
            f"{', '.join(columns.needed)} (has the format changed?)"
        )
    if not found:
        raise IngestError(f"{path}: the list is empty")
    ledger = Ledger(tuple(range(1, len(found) + 1)))
    rows: list[Row] = []
    names: dict[str, None] = {}
    for number, record in enumerate(found, start=1):
        if not _is_record(record):
            ledger.skip(number, "not a record", _kind(record), bad=True)
        elif _TWICE in record:
            ledger.skip(number, "a key stands twice in the record", record[_TWICE], bad=True)
        else:
            names |= dict.fromkeys(record)
            rows.append((number, {key: _cell(value) for key, value in record.items()}))
    if rows and (missing := _missing(list(names), columns)):
        raise IngestError(problems_text(f"{path}: not the keys of this format:", missing))
    _report_unknown(ledger, names, columns)
    full = dict.fromkeys(columns.needed, "")
    return Table(path, tuple(names), [(n, full | cells) for n, cells in rows], ledger)


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for key, value in pairs:
        name = key.strip().lower() or "(no name)"
        if name in record:
            record[_TWICE] = shown(key)
        record[name] = value
    return record


def _is_record(found: object) -> bool:
    return isinstance(found, dict)


def _kind(found: object) -> str:
    return {dict: "a record", list: "a list", str: "a text or number", bool: "true or false"}.get(
        type(found), "nothing"
    )


def _cell(value: object) -> str:
    """Text of a value; what is no number or text keeps its brackets and is a bad cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"<{_kind(value)}>"


def each_row[T](
    table: Table, parse: Callable[[int, dict[str, str]], T], date_reasons: Collection[str] = ()
) -> list[T]:
    """Parse every row; those that cannot be parsed are skipped on the ledger.

    Parameters
    ----------
    table
        With the rows.
    parse
        Takes a row's number and cells; raises `RowSkipped` for a row that becomes no claim.
    date_reasons
        Reasons that say that a date has another form.

    Raises
    ------
    IngestError
        If the dates of most rows have another form.
    """
    parsed: list[T] = []
    other_dates: list[str] = []
    for number, cells in table.rows:
        try:
            parsed.append(parse(number, cells))
        except RowSkipped as skipped:
            table.ledger.skip(number, skipped.reason, skipped.detail, bad=skipped.bad)
            if skipped.reason in date_reasons:
                other_dates.append(f"{skipped.reason}: found {skipped.detail}")
    if len(other_dates) * 2 > len(table.rows):
        raise IngestError(
            f"{table.path}: {len(other_dates)} of {len(table.rows)} rows have dates of another "
            f"form (has the format changed?): {other_dates[0]}"
        )
    return parsed
