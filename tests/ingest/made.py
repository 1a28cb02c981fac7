"""Small tables of each format, made by the tests."""

from __future__ import annotations

import csv
import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from estimator.evidence import read_claims
from estimator.ingest.options import IngestOptions, shipped
from estimator.ingest.settings import Settings
from estimator.ingest.writing import Ingested, ingest, write

LIST_HEADER = (
    "date",
    "estimate_low",
    "estimate_high",
    "estimate",
    "type",
    "source",
    "source_url",
    "country",
    "ignore for chart, data from warring parties",
)
RAW_HEADER = (
    "date",
    "source",
    "country",
    "source_id",
    "estimate_type",
    "estimate",
    "days_since_invasion",
    "source_type",
)
RADFORD_HEADER = (
    "days",
    "loss_count",
    "loss_type",
    "result",
    "claim_source",
    "time_frame",
    "loss_country",
    "minimum",
    "maximum",
    "category",
    "source_target",
)
UCDP_HEADER = (
    "id",
    "type_of_violence",
    "side_a",
    "side_b",
    "country",
    "date_start",
    "date_end",
    "deaths_a",
    "deaths_b",
    "deaths_civilians",
    "deaths_unknown",
    "best",
    "high",
    "low",
)
WEEK_HEADER = ("year", "week", "estimate_low", "estimate", "estimate_high", "named")
_IDS = itertools.count(1)  # of events


@functools.cache
def rules() -> IngestOptions:
    """Return the shipped options; cached, for composing takes a while."""
    return shipped()


def csv_file(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def json_file(path: Path, found: object) -> Path:
    """Write JSON."""
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def records(totals: Mapping[str, object], first_day: str = "2022-02-24") -> list[dict[str, object]]:
    """General Staff records of running totals by date."""
    start = pd.Timestamp(first_day)
    return [
        {"date": day, "day": (pd.Timestamp(day) - start).days + 1, "personnel": total}
        for day, total in totals.items()
    ]


def listed(
    date: str = "01/05/2022",
    low: object = "",
    high: object = "",
    estimate: object = "",
    kind: str = "deaths",
    source: str = "Some Institute",
    country: str = "russia",
    flag: str = "",
) -> list[object]:
    """One row of The Economist's list."""
    return [date, low, high, estimate, kind, source, "https://example.org", country, flag]


def report(
    days: object = 10,
    count: object = 100,
    source: str = "UA Source",
    frame: str = "Cumulative",
    country: str = "Russia",
    minimum: object = 0,
    maximum: object = 0,
    category: str = "Military Deaths",
) -> list[object]:
    """One row of the replication table."""
    of = f"{category}-{country}"
    return [
        days, count, of, "loss", source, frame, country, minimum, maximum, category,
        f"{source}-{country}",
    ]  # fmt: skip


def event(
    start: str = "2022-03-05",
    end: str | None = None,
    deaths: tuple[object, object] = (10, 5),
    bounds: tuple[object, object, object] | None = None,
    sides: tuple[str, str] = ("Government of Russia", "Government of Ukraine"),
    kind: int = 1,
    country: str = "Ukraine",
) -> list[object]:
    """One event; bounds are (low, best, high) of all dead."""
    best = sum(d for d in deaths if isinstance(d, int))
    low, middle, high = bounds or (best, best, best)
    return [
        next(_IDS),
        kind,
        *sides,
        country,
        start,
        end or start,
        *deaths,
        0,
        0,
        middle,
        high,
        low,
    ]


def claims_of(ingested: Ingested, folder: Path) -> pd.DataFrame:
    """Write, read back as checked claims."""
    path = folder / "claims.csv"
    write(ingested, path)
    return read_claims([str(path)])


def read(name: str, path: Path, settings: Settings | None = None) -> tuple[pd.DataFrame, Ingested]:
    """Ingest, write beside the table, and read the claims back."""
    ingested = ingest(name, path, settings or Settings(), rules=rules())
    return claims_of(ingested, path.parent), ingested


def reasons(ingested: Ingested) -> dict[int, str]:
    """Reason by row, of the rows that were skipped."""
    return {e.row: e.reason for e in ingested.ledger.skipped if e.row is not None}


def remarks(ingested: Ingested) -> list[str]:
    """Remarks in words."""
    return [entry.reason for entry in ingested.ledger.remarks]
