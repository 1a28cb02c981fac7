"""Read files of others: CSV tables and JSON lists, with their rows under account."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimator.errors import IngestError, nearest, problems_text
from estimator.ingest.cells import RowSkipped, is_empty, shown
from estimator.ingest.ledger import Ledger

_MEGABYTE = 1_000_000
_OTHER_SEPARATORS = (";", "\t", "|")
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
    """

    needed: tuple[str, ...]
    known: tuple[str, ...] = ()
    aliases: Mapping[str, str] | None = None

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


def read_bytes(path: Path, max_megabytes: float) -> bytes:
    """Read a file that is neither empty nor larger than allowed.

    Raises
    ------
    IngestError
        If it cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > max_megabytes * _MEGABYTE:
            raise IngestError(
                f"{path}: {size / _MEGABYTE:,.0f} MB; allowed: {max_megabytes:,.0f} MB "
                "(--max-megabytes)"
            )
        content = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise IngestError(f"{str(path)!r}: not a path ({error})") from error
    if not content.strip():
        raise IngestError(f"{path}: the file is empty")
    return content


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise IngestError(
            f"{path}: line {line}: not UTF-8 (byte {content[error.start]:#04x}); save it as UTF-8"
        ) from error


def read_csv(path: Path, columns: Columns, max_megabytes: float) -> Table:
    """Read a CSV table (UTF-8, commas); names of columns do not hang on case.

    Rows with more or fewer cells than the header, and empty lines, are skipped on the ledger.

    Raises
    ------
    IngestError
        If it is no CSV table, or has not the columns that are needed.
    """
    text = _text(path, read_bytes(path, max_megabytes))
    if text.lstrip().startswith(("<", "{", "[")):
        raise IngestError(
            f"{path}: begins with {text.lstrip()[0]!r}; expected a CSV table, not a page or JSON"
        )
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise IngestError(f"{path}: not a CSV table ({error})") from error
    header = _header(path, records[0], columns)
    body = list(enumerate(records[1:], start=2))
    if not body:
        raise IngestError(f"{path}: the table has a header and no rows")
    ledger = Ledger(tuple(number for number, _ in body))
    rows: list[Row] = []
    for number, cells in body:
        if all(map(is_empty, cells)):
            ledger.skip(number, "empty line")
        elif len(cells) != len(header):
            ledger.skip(
                number,
                "not as many cells as the header has",
                f"{len(cells)} cells, the header has {len(header)}",
                bad=True,
            )
        else:
            rows.append((number, dict(zip(header, cells, strict=True))))
    _report_unknown(ledger, header, columns)
    return Table(path, tuple(header), rows, ledger)


def _header(path: Path, cells: Sequence[str], columns: Columns) -> list[str]:
    if cells and cells[0].strip().lower().startswith("sep="):
        raise IngestError(
            f"{path}: row 1 is {shown(cells[0])}, a line for spreadsheets; expected the header: "
            "delete the line"
        )
    header = [columns.canonical(cell) for cell in cells]
    marks = max(sum(cell.count(mark) for cell in cells) for mark in _OTHER_SEPARATORS)
    if marks >= len(cells) and not set(header) & set(columns.needed):
        raise IngestError(
            f"{path}: the header begins with {shown(cells[0])}; expected commas between columns"
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
    text = _text(path, read_bytes(path, max_megabytes))
    try:
        found = json.loads(
            text,
            object_pairs_hook=_record,
            parse_int=str,  # digits without end
            parse_float=str,
            parse_constant=str,  # NaN and Infinity are no JSON; as texts they are bad cells
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
