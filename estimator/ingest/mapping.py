"""Any CSV table, by a mapping file that says what its columns mean.

The file is YAML (see `estimator.ingest.mapping_options.TEMPLATE`, which ``estimator new mapping``
writes): which column or constant gives each column of the claims, how words are
translated, how dates and numbers are written, whether a figure counts a period or is a running
total, and which rows are left out for what reason.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from estimator.errors import IngestError
from estimator.ingest.cells import (
    RowSkipped,
    date,
    figure,
    is_empty,
    is_given,
    not_a_date,
    plain,
    shown,
    snake,
)
from estimator.ingest.dates import check_order, last_day
from estimator.ingest.draft import Draft, distinct_ids
from estimator.ingest.ledger import Ledger
from estimator.ingest.mapping_options import DATES, FIGURES, Mapping, read_mapping
from estimator.ingest.reading import Columns, Table, each_row, read_csv
from estimator.ingest.series import totals_to_drafts, whole_months
from estimator.ingest.settings import Origins, Settings, hedge_of
from estimator.ingest.sums import report_left_out, summed
from estimator.ingest.totals import EVERY, period_of
from estimator.ingest.zeros import zeros_joined
from estimator.quantity import COUNTS, SIGNED, STOCKS

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})  # that do not break, as in print
_FREE = (
    *("unit", "status", "locator", "speaker", "role", "note", "citation", "source", "population"),
    *("evidence_group", "derived_from"),
)


def read(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read a table as the mapping file says.

    Raises
    ------
    IngestError
        If mapping or table cannot be used.
    """
    if settings.mapping is None:
        raise IngestError(
            "say what the columns mean with --mapping FILE.yaml; `estimator new mapping NAME` "
            "begins one"
        )
    mapping = read_mapping(settings.mapping)
    _check_settings(mapping, settings)
    known = tuple(name.strip().lower() for name in mapping.known)
    columns = Columns(tuple(mapping.source_columns()), known)
    table = read_csv(path, columns, settings.max_megabytes, mapping.separator)
    ledger = table.ledger
    origins = Origins(settings)
    dates = {
        source.column.strip().lower(): None
        for name, source in mapping.columns.items()
        if name in DATES and source.column is not None
    }
    for column in dates:
        check_order(table, column, mapping.date_format)
    reasons = [not_a_date(column, mapping.date_format) for column in dates]
    _report_filters(table, mapping)
    reader = _RowReader(mapping, settings, origins, path)
    rows = each_row(table, reader.read, reasons)
    origins.report(ledger)
    if mapping.figures != "cumulative":
        return ledger, _periods(rows, table, mapping, settings)
    start = settings.need_war_start("figures: cumulative")
    totals = []
    for total in whole_months(rows, start, ledger):
        if total.end < start:
            ledger.skip_all(total.rows, "before --war-start", str(total.end), bad=True)
        else:
            totals.append(total)
    return ledger, totals_to_drafts(totals, start, settings, ledger)


def _periods(rows: list[Draft], table: Table, mapping: Mapping, settings: Settings) -> list[Draft]:
    """Claims of figures that each count a period of their own."""
    ledger = table.ledger
    every = settings.every or "day"
    has_ids = "id" in mapping.columns
    if every == "day":
        report_left_out(rows, mapping.figures, ledger)
        return rows if has_ids else zeros_joined(_distinct(rows, table, ledger), ledger)
    rows = distinct_ids(rows, ledger) if has_ids else _distinct(rows, table)
    kept = []
    for draft in rows:
        if settings.war_start is not None and draft.start < settings.war_start:
            ledger.skip_all(draft.rows, "before --war-start", str(draft.start))
        else:
            kept.append(draft)
    return summed(
        kept,
        every,
        ledger,
        war_start=settings.war_start,
        is_whole=settings.published is None and "published" not in mapping.columns,
    )


def _report_filters(table: Table, mapping: Mapping) -> None:
    """Tell of words of a filter that no row has: the rows they should leave out stay."""
    for rule in mapping.filters:
        column = rule.column.strip().lower()
        found = {cells[column].strip().lower() for _, cells in table.rows}
        for word in (*(rule.keep or ()), *(rule.drop or ())):
            if word not in found:
                table.ledger.remark(
                    "a word of a filter that no row has", f"{column}: {shown(word)}"
                )


def _distinct(drafts: list[Draft], table: Table, told: Ledger | None = None) -> list[Draft]:
    """Leave one of rows that are alike in every cell; `told` of figures that a run drops."""
    cells = dict(table.rows)
    firsts: dict[tuple[str, ...], int] = {}
    kept: dict[tuple[object, ...], int] = {}
    result = []
    for draft in drafts:
        (row,) = draft.rows
        first = firsts.setdefault(tuple(cells[row].values()), row)
        if first != row:
            table.ledger.skip(row, "repeats another row", f"row {first}")
            continue
        earlier = kept.setdefault((draft.series, draft.start, draft.end), row)
        if earlier != row and told is not None:
            told.remark(
                "another figure on the same by the same origin: a run counts one of them",
                f"row {earlier}",
                row,
            )
        result.append(draft)
    return result


def _check_settings(mapping: Mapping, settings: Settings) -> None:
    """Refuse what cannot be: a figure without a citation, totals with no start, sums of periods."""
    figures, every = mapping.figures, settings.every or "day"
    if figures != "cumulative" and every != "day":
        if (figures, every) == ("month", "week"):
            raise IngestError("--every week: figures of months; allowed: day (as they are), month")
        if errors := [name for name in ("sd", "level") if name in mapping.columns]:
            raise IngestError(
                f"--every {every}: adds figures up, and their {' and '.join(errors)} do not add up"
            )
    if "citation" not in mapping.columns and settings.citation is None:
        raise IngestError("who is cited? Map citation, or give --citation TEXT")
    if "origin" not in mapping.columns and "" not in settings.origins:
        raise IngestError("who counted? Map origin, or give --origin NAME")
    if figures == "cumulative":
        settings.need_war_start("figures: cumulative")
    elif settings.week_start:
        raise IngestError("--week-start: only with figures: cumulative")


class _RowReader:
    """Reads one row as the mapping says."""

    def __init__(self, mapping: Mapping, settings: Settings, origins: Origins, path: Path) -> None:
        self._mapping = mapping
        self._settings = settings
        self._origins = origins
        self._file = snake(path.stem)
        mark, point = re.escape(mapping.thousands), re.escape(mapping.decimal)
        groups = rf"|[0-9]{{1,3}}({mark}[0-9]{{3}})+" if mark else ""  # 12.5 is no 125
        self._notation = re.compile(rf"[+-]?([0-9]+{groups})({point}[0-9]*)?(e[+-]?[0-9]+)?", re.I)

    def read(self, number: int, cells: dict[str, str]) -> Draft:
        """Draft of the claim that a row makes."""
        if not any(cell.strip() for cell in cells.values()):
            raise RowSkipped("empty line", bad=False)
        self._filter(cells)
        quantity = self._text(cells, "quantity")
        end = self._date(cells, "period_end")
        start, end = self._period(cells, end)
        if self._origins.begins_week(self._text(cells, "origin")):
            end = period_of(end, "week")[1]
        low, value, high = (self._figure(cells, name, quantity) for name in FIGURES)
        if not any(map(is_given, (low, value, high))):
            raise RowSkipped("no figure")
        if low > high:
            raise RowSkipped("low above high", f"{low:,.10g} to {high:,.10g}")
        hedge = self._text(cells, "hedge")
        if not hedge:
            hedge, low, value, high = hedge_of(low, value, high)
        texts = {name: self._text(cells, name) for name in _FREE}
        origin = self._text(cells, "origin")
        if not origin and "" not in self._settings.origins:
            raise RowSkipped("origin: empty")
        published, note = self._settings.published, texts["note"]
        if published is None and "published" in self._mapping.columns:
            published = self._date(cells, "published")
        if published is None:
            day = (
                "row's date" if self._mapping.figures == "cumulative" else "last day of the period"
            )
            note = "; ".join(filter(None, (note, f"published: the {day}")))
        unit = texts["unit"] or "persons"
        if self._mapping.figures == "cumulative" and unit != "persons":
            raise RowSkipped("a running total in another unit than persons", shown(unit))
        if self._mapping.figures == "cumulative" and quantity not in COUNTS:
            raise RowSkipped("a running total of what may fall or does not add up", shown(quantity))
        return Draft(
            id=self._text(cells, "id"),
            rows=(number,),
            quantity=quantity,
            start=end if quantity in STOCKS else start,
            end=end,
            low=low,
            value=value,
            high=high,
            sd=self._figure(cells, "sd", quantity),
            level=self._figure(cells, "level", quantity),
            unit=unit,
            hedge=hedge,
            status=texts["status"] or "estimated",
            origin=self._origins.of(origin, quantity),
            source=self._settings.source or texts["source"] or self._file,
            published=published or end,
            citation=self._settings.citation or texts["citation"],
            population=self._settings.population or texts["population"],
            speaker=self._origins.speaker_of(origin, texts["speaker"]),
            evidence_group=snake(texts["evidence_group"]) if texts["evidence_group"] else "",
            derived_from=texts["derived_from"],
            locator=texts["locator"],
            role=texts["role"],
            note=note,
        )

    def _filter(self, cells: dict[str, str]) -> None:
        for rule in self._mapping.filters:
            word = cells[rule.column.strip().lower()].strip().lower()
            dropped = word in rule.drop if rule.drop is not None else word not in (rule.keep or ())
            if dropped:
                raise RowSkipped(f"filter: {rule.reason}", shown(word), bad=False)

    def _period(self, cells: dict[str, str], end: dt.date) -> tuple[dt.date, dt.date]:
        figures = self._mapping.figures
        if figures in EVERY:
            return period_of(end, figures)
        if "period_start" not in self._mapping.columns:
            return end, end
        start = self._date(cells, "period_start")
        if start > end:
            raise RowSkipped("period_end before period_start", f"{start} to {end}")
        return start, end

    def _raw(self, cells: dict[str, str], name: str) -> tuple[str, str]:
        """Text of a claims column, and the name of the table's column for messages."""
        source = self._mapping.columns.get(name)
        if source is None:
            return "", name
        if source.column is None:
            return source.constant or "", name
        column = source.column.strip().lower()
        cell = cells[column]
        if source.words is not None:
            word = source.words.get(cell.strip().lower())
            if word is None:
                raise RowSkipped(f"{column}: a word that the mapping does not know", shown(cell))
            return word, column
        return cell, column

    def _text(self, cells: dict[str, str], name: str) -> str:
        return plain(self._raw(cells, name)[0])

    def _date(self, cells: dict[str, str], name: str) -> dt.date:
        cell, column = self._raw(cells, name)
        source = self._mapping.columns.get(name)
        constant = source is not None and source.column is None
        form = "%Y-%m-%d" if constant else self._mapping.date_format
        day = date(cell, column, form)
        return day if name == "period_start" else last_day(day, form)

    def _figure(self, cells: dict[str, str], name: str, quantity: str) -> float:
        cell, column = self._raw(cells, name)
        mapping = self._mapping
        text = cell.translate(_SPACES).strip() if mapping.thousands == " " else cell.strip()
        if not is_empty(text) and (mapping.thousands, mapping.decimal) != (",", "."):
            if not self._notation.fullmatch(text):
                raise RowSkipped(f"{column}: not a number in the mapping's notation", shown(cell))
            text = text.replace(mapping.thousands, "").replace(mapping.decimal, ".")
        source = mapping.columns.get(name)
        multiply = 1.0 if source is None else source.multiply
        return figure(text, column, signed=quantity in SIGNED, multiply=multiply)
