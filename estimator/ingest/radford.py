"""Reports of losses: the replication table of Radford and others (PNAS 2023).

Rows are reports by groups of sources (``UA Source``, ``RU Source``, ``United Nations``, …) of
losses of either side, ``Cumulative`` up to a day or of one ``Day``. ``days`` counts from 2022-02-24
as day 1. In the published table ``minimum`` and ``maximum`` are flags (0 or 1): the report says "at
least" or "at most". A table in which they mostly hold other numbers is read as bounds.

``claim_source`` is a group and not one speaker, so totals of one day often contradict each other;
and reports of a ``Day`` may be of one part of the front. Where running totals of the same group,
quantity and side cover the day, the day's report is left out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from estimator.ingest.cells import RowSkipped, figure, is_given, plain, shown, snake, whole
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.reading import Columns, each_row, read_csv
from estimator.ingest.series import totals_to_drafts
from estimator.ingest.settings import Origins, Settings, of_country
from estimator.ingest.totals import DAY, settle

COLUMNS = Columns(
    (
        "days",
        "loss_count",
        "claim_source",
        "time_frame",
        "loss_country",
        "minimum",
        "maximum",
        "category",
    ),
    ("loss_type", "result", "source_target"),
)
DAY_ONE = dt.date(2022, 2, 24)  # of the column days, by the authors' codebook
QUANTITIES = {
    "military deaths": "killed",
    "military injuries": "wounded",
    "military wounded": "wounded",
    "military casualties": "losses",
}
PARTIES = {"ua source": "ukraine", "ru source": "russia"}  # whose a group of sources is
SOURCE = "radford_2023"
CITATION = (
    "Radford, Dai, Stoehr, Schein, Fernandez and Sajid (2023), Estimating conflict losses and "
    "reporting biases, PNAS 120 (34), replication data"
)
_FLAGS = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "": 0.0, "na": 0.0}
_MOST_DAYS = 36_500


@dataclass(frozen=True)
class _Report:
    row: int
    day: dt.date
    count: float
    source: str
    country: str
    quantity: str
    cumulative: bool
    minimum: str
    maximum: str


def read(path: Path, settings: Settings) -> tuple[Ledger, list[Draft]]:
    """Read the reports; those on soldiers become claims.

    Raises
    ------
    IngestError
        If it is not that table, or no row is of the country.
    """
    table = read_csv(path, COLUMNS, settings.max_megabytes)
    ledger = table.ledger
    reports = each_row(table, _report)
    countries = [report.country for report in reports]
    wanted = of_country(table, settings.country, countries, settings.population)
    flags = _are_flags(reports)
    if not flags:
        ledger.remark("minimum and maximum hold numbers other than 0 and 1: read as bounds")
    origins = Origins(settings)
    totals: list[Draft] = []
    days: list[Draft] = []
    for report in reports:
        if wanted is not None and snake(report.country) != wanted:
            ledger.skip(report.row, "of another country", shown(report.country))
            continue
        try:
            draft = _draft(report, flags, origins, settings)
        except RowSkipped as skipped:
            ledger.skip(report.row, skipped.reason, skipped.detail, bad=skipped.bad)
            continue
        (totals if report.cumulative else days).append(draft)
    origins.report(ledger)
    drafts = totals_to_drafts(totals, DAY_ONE, settings, ledger)
    return ledger, drafts + _single_days(days, drafts, ledger)


def _report(number: int, cells: dict[str, str]) -> _Report:
    category = " ".join(cells["category"].lower().split())
    if category not in QUANTITIES:
        raise RowSkipped(f"not soldiers: {plain(cells['category']) or '(empty)'}", bad=False)
    frame = cells["time_frame"].strip().lower()
    if frame not in ("cumulative", "day"):
        raise RowSkipped("time_frame: not Cumulative or Day", shown(cells["time_frame"]))
    days = whole(cells["days"], "days")
    if not 1 <= days <= _MOST_DAYS:
        raise RowSkipped("days: not a day of the war", shown(cells["days"]))
    count = figure(cells["loss_count"], "loss_count")
    if not is_given(count):
        raise RowSkipped("loss_count: empty")
    source, country = plain(cells["claim_source"]), plain(cells["loss_country"])
    if not source or not country:
        raise RowSkipped("claim_source or loss_country: empty")
    return _Report(
        number,
        DAY_ONE + (days - 1) * DAY,
        count,
        source,
        country,
        QUANTITIES[category],
        frame == "cumulative",
        cells["minimum"],
        cells["maximum"],
    )


def _draft(report: _Report, flags: bool, origins: Origins, settings: Settings) -> Draft:
    if report.count <= 0:
        raise RowSkipped("a count of 0 says nothing on a log scale", bad=False)
    hedge, low, value, high = _worded(report, flags)
    owner = PARTIES.get(report.source.lower())
    speaker = "third_party"
    if owner is not None:
        speaker = "own" if owner == snake(report.country) else "enemy"
    return Draft(
        rows=(report.row,),
        quantity=report.quantity,
        start=report.day,
        end=report.day,
        low=low,
        value=value,
        high=high,
        hedge=hedge,
        status="estimated" if owner is None else "claimed",
        origin=origins.of(report.source, report.quantity),
        source=settings.source or SOURCE,
        published=settings.published or report.day,
        citation=settings.citation or f"{CITATION}: {report.source} on {report.country}",
        population=settings.population_of(report.country),
        speaker=origins.speaker_of(report.source, speaker),
        note="" if settings.published else "published: the row's date",
    )


def _are_flags(reports: Sequence[_Report]) -> bool:
    """Tell whether minimum and maximum are flags: most cells that say something are 1."""
    cells = [cell.strip().lower() for r in reports for cell in (r.minimum, r.maximum)]
    said = [cell for cell in cells if _FLAGS.get(cell) != 0.0]
    return 2 * sum(cell in _FLAGS for cell in said) >= len(said)


def _worded(report: _Report, flags: bool) -> tuple[str, float, float, float]:
    nothing = math.nan
    if flags:
        cells = [cell.strip().lower() for cell in (report.minimum, report.maximum)]
        if not set(cells) <= set(_FLAGS):
            found = f"{plain(report.minimum)}, {plain(report.maximum)}"
            raise RowSkipped("minimum or maximum: not a flag, 0 or 1, as in other rows", found)
        at_least, at_most = (_FLAGS[cell] == 1.0 for cell in cells)
        if at_least and at_most:
            raise RowSkipped("flagged as minimum and as maximum")
        hedge = "at_least" if at_least else "up_to" if at_most else "about"
        return hedge, nothing, report.count, nothing
    low = figure(report.minimum, "minimum")
    high = figure(report.maximum, "maximum")
    if not is_given(low) or not is_given(high) or high == 0:
        return "about", nothing, report.count, nothing
    if not low <= report.count <= high or low == high:
        raise RowSkipped(
            "minimum and maximum do not enclose loss_count",
            f"{report.minimum} to {report.maximum}, {report.count:,.10g}",
        )
    return "range", low, report.count, high


def _single_days(days: Sequence[Draft], totals: Sequence[Draft], ledger: Ledger) -> list[Draft]:
    """Claims of reports of one day that no running totals of the same origin cover."""
    covered: dict[tuple[str, str, str], list[tuple[dt.date, dt.date]]] = {}
    for total in totals:
        covered.setdefault(total.series, []).append((total.start, total.end))
    groups: dict[tuple[tuple[str, str, str], str], list[Draft]] = {}
    for day in days:
        if any(first <= day.end <= last for first, last in covered.get(day.series, [])):
            ledger.skip_all(day.rows, "a day that running totals of the same origin cover")
        else:
            groups.setdefault((day.series, day.hedge), []).append(day)
    return [
        replace(day, note=day.noted("one day"))
        for same in groups.values()
        for day in settle(same, ledger)
    ]
