"""Estimates collected by The Economist: the list of estimates, and the table of raw estimates.

Both hold running totals since the start of the war by many sources. The list has one row an
estimate and dates as dd/mm/yyyy; the raw table has one row a bound (``estimate_type``) and ISO
dates, and most of its rows are the weekly cumulative series of one registry.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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
    whole,
)
from estimator.ingest.dates import check_order
from estimator.ingest.draft import Draft
from estimator.ingest.estimates import Estimate, estimates_to_drafts
from estimator.ingest.ledger import Ledger
from estimator.ingest.reading import Columns, Table, each_row, read_csv
from estimator.ingest.settings import Settings
from estimator.ingest.totals import DAY

QUANTITIES = {
    "deaths": "killed",
    "killed": "killed",
    "casualties": "losses",
    "wounded": "wounded",
    "injuries": "wounded",
}
PARTY = "ignore for chart, data from warring parties"
LIST_COLUMNS = Columns(
    ("date", "estimate_low", "estimate_high", "estimate", "type", "source", "country"),
    ("source_url", PARTY),
)
RAW_COLUMNS = Columns(
    ("date", "source", "country", "estimate_type", "estimate", "source_type"),
    (
        "source_id",
        "total_daily_log_war_fires_to_date",
        "total_daily_log_war_fires_to_date_in_russia_held_area",
        "total_daily_log_war_fires_to_date_in_ukraine_held_area",
        "total_cloud_cover_in_east_of_country_to_date",
        "total_change_in_area_assessed_as_russia_controlled",
        "days_since_invasion",
        "weight",
    ),
)
BOUNDS = ("estimate_low", "estimate", "estimate_high")


def read_list(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read the list of estimates; running totals since `settings.war_start` become claims.

    Raises
    ------
    IngestError
        If it is not that table, the start is not given, or no row is of the country.
    """
    start = settings.need_war_start("these estimates are totals since the start of the war")
    table = read_csv(path, LIST_COLUMNS, settings.max_megabytes)
    form = "%d/%m/%Y"
    check_order(table, "date", form)
    estimates = each_row(
        table, lambda number, cells: _listed(number, cells, form), (not_a_date("date", form),)
    )
    return table.ledger, estimates_to_drafts(table, estimates, start, settings, "economist_list")


def _listed(number: int, cells: dict[str, str], form: str) -> Estimate:
    if not any(cells.values()):
        raise RowSkipped("empty line", bad=False)
    flag = cells.get(PARTY, "").strip().lower()
    low, value, high = (
        figure(cells[name], name) for name in ("estimate_low", "estimate", "estimate_high")
    )
    return Estimate(
        rows=(number,),
        date=date(cells["date"], "date", form),
        source=_source(cells),
        country=plain(cells["country"]),
        quantity=_quantity(cells["type"], "type"),
        low=low,
        value=value,
        high=high,
        url=plain(cells.get("source_url", "")),
        of_a_party=flag not in ("", "no", "0", "false", "na"),
    )


def read_raw(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read the raw estimates; rows of one estimate's bounds become one claim.

    The start is `settings.war_start`, or what the column ``days_since_invasion`` says.

    Raises
    ------
    IngestError
        If it is not that table, the start is not known, or no row is of the country.
    """
    table = read_csv(path, RAW_COLUMNS, settings.max_megabytes)
    bounds = each_row(table, _bound, (not_a_date("date", "%Y-%m-%d"),))
    if not bounds:
        return table.ledger, []
    start = settings.war_start or _start(table, bounds)
    said = Counter(bound.start for bound in bounds if bound.start is not None)
    if said:
        settings.check_war_start(said.most_common(1)[0][0], f"{path}: days_since_invasion")
    return table.ledger, estimates_to_drafts(
        table, _joined(bounds, table.ledger), start, settings, "economist_raw"
    )


@dataclass(frozen=True)
class _Bound:
    estimate: Estimate
    source_id: str
    which: str
    number: float
    start: dt.date | None


def _bound(number: int, cells: dict[str, str]) -> _Bound:
    which = cells["estimate_type"].strip()
    if which not in BOUNDS:
        raise RowSkipped(f"estimate_type: not one of {', '.join(BOUNDS)}", shown(which))
    value = figure(cells["estimate"], "estimate")
    if not is_given(value):
        raise RowSkipped("estimate: empty")
    day = date(cells["date"], "date")
    start = None
    if not is_empty(cells.get("days_since_invasion", "")):
        count = whole(cells["days_since_invasion"], "days_since_invasion")
        start = day - count * DAY if count < (day - dt.date.min).days else None
    nothing = math.nan
    return _Bound(
        Estimate(
            (number,),
            day,
            _source(cells),
            plain(cells["country"]),
            _quantity(cells["source_type"], "source_type"),
            nothing,
            nothing,
            nothing,
        ),
        plain(cells.get("source_id", "")),
        which,
        value,
        start,
    )


def _start(table: Table, bounds: Sequence[_Bound]) -> dt.date:
    said = {bound.start for bound in bounds if bound.start is not None}
    if len(said) == 1:
        start = said.pop()
        table.ledger.remark("start of the war as days_since_invasion says", start.isoformat())
        return start
    raise IngestError(
        f"{table.path}: days_since_invasion gives {len(said)} starts of the war: "
        "say from which day on with --war-start YYYY-MM-DD"
    )


def _joined(bounds: Sequence[_Bound], ledger: Ledger) -> list[Estimate]:
    groups: dict[tuple[str, ...], dict[str, list[_Bound]]] = {}
    for bound in bounds:
        of = bound.estimate
        key = (bound.source_id, of.source, of.country.lower(), of.quantity, of.date.isoformat())
        groups.setdefault(key, {}).setdefault(bound.which, []).append(bound)
    joined = []
    for group in groups.values():
        if any(len({bound.number for bound in same}) > 1 for same in group.values()):
            for bound in (bound for same in group.values() for bound in same):
                ledger.skip_all(
                    bound.estimate.rows,
                    "contradicts another row of the same estimate",
                    bound.which,
                    bad=True,
                )
            continue
        for same in group.values():
            for bound in same[1:]:
                ledger.skip_all(
                    bound.estimate.rows, "repeats another row", f"row {same[0].estimate.rows[0]}"
                )
        firsts = {which: same[0] for which, same in group.items()}
        of = next(iter(firsts.values())).estimate
        low, value, high = (firsts[n].number if n in firsts else math.nan for n in BOUNDS)
        rows = tuple(bound.estimate.rows[0] for bound in firsts.values())
        joined.append(Estimate(rows, of.date, of.source, of.country, of.quantity, low, value, high))
    return joined


def _source(cells: dict[str, str]) -> str:
    source = plain(cells["source"])
    if not source:
        raise RowSkipped("source: empty")
    if not plain(cells["country"]):
        raise RowSkipped("country: empty")
    return source


def _quantity(cell: str, column: str) -> str:
    quantity = QUANTITIES.get(cell.strip().lower())
    if quantity is None:
        raise RowSkipped(f"{column}: not killed, wounded or losses", shown(cell))
    return quantity
