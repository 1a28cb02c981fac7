"""Figures that may be one piece of evidence are told, and the columns that say so are kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.pieces import REASON, suggest
from estimator.ingest.settings import Settings
from tests.ingest.made import csv_file, read

JANUARY = (dt.date(2026, 1, 1), dt.date(2026, 1, 31))


def draft(
    name: str, value: float, quantity: str = "losses", days: tuple[dt.date, dt.date] = JANUARY
) -> Draft:
    """A claim of an origin of its own."""
    return Draft(
        rows=(2,),
        quantity=quantity,
        start=days[0],
        end=days[1],
        origin=f"origin_{name}",
        source="paper",
        published=days[1],
        citation="somebody",
        status="claimed",
        hedge="about",
        value=value,
        id=name,
    )


def told(*drafts: Draft, alike: float = 0.025) -> list[str]:
    ledger = Ledger((2,))
    suggest(drafts, ledger, alike)
    assert {entry.reason for entry in ledger.remarks} <= {REASON}
    return [entry.detail for entry in ledger.remarks]


def test_a_gap_that_is_recruits_less_losses_is_told() -> None:
    """The shipped table's own case: S11, P16 and P04."""
    figures = (
        draft("S11", -9000, "replacement_gap"),
        draft("P16", 22_000, "recruits"),
        draft("P04", 30_618),
    )
    assert told(*figures) == ["S11 is the difference, or nearly, of P16 P04"]
    assert told(*figures, alike=0.01) == []


def test_figures_of_two_origins_that_agree_are_told_and_those_of_one_are_repeats() -> None:
    first, second = draft("A", 30_618), draft("B", 31_000)
    assert told(first, second) == ["B is a copy, or nearly, of A"]
    assert told(first, dataclasses.replace(second, origin=first.origin)) == []
    assert told(first, draft("C", 40_000)) == []


def test_a_total_that_is_the_sum_of_another_origin_s_months_is_told() -> None:
    first = dt.date(2025, 1, 1)
    months = [
        dataclasses.replace(draft(f"M{n}", 10_000.0 * n, days=days), origin="counter")
        for n, days in enumerate(
            [
                (first, dt.date(2025, 1, 31)),
                (dt.date(2025, 2, 1), dt.date(2025, 2, 28)),
                (dt.date(2025, 3, 1), dt.date(2025, 3, 31)),
            ],
            start=1,
        )
    ]
    total = draft("T", 60_500, days=(first, dt.date(2025, 4, 1)))
    expected = "T is the sum, or nearly, of what counter gave: M1 M2 M3"
    assert told(*months, total) == [expected]
    later = dataclasses.replace(total, end=dt.date(2025, 4, 30))
    assert told(*months, later) == []
    assert told(months[0], months[2], total) == []


def test_figures_that_share_a_group_are_not_told_again() -> None:
    figures = [
        dataclasses.replace(one, evidence_group="same")
        for one in (draft("A", 30_618), draft("B", 31_000))
    ]
    assert told(*figures) == []
    assert told(figures[0], dataclasses.replace(figures[1], evidence_group="other")) != []


MAPPING = """\
columns:
  id: name
  period_start: first
  period_end: last
  value: number
  sd: {column: error, multiply: 1000}
  quantity: {constant: killed}
  origin: who
  evidence_group: group
  derived_from: "from"
  citation: {constant: somebody}
"""
HEADER = ("name", "first", "last", "number", "error", "who", "group", "from")


@pytest.mark.parametrize("prefix", [None, "mine"])
def test_groups_derivations_and_standard_errors_of_a_table_are_kept(
    tmp_path: Path, prefix: str | None
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    days = ("2025-01-01", "2025-01-31")
    path = csv_file(
        tmp_path / "table.csv",
        HEADER,
        [
            ("A", *days, "1500", "0.2", "one", "The count", ""),
            ("B", *days, "1600", "", "two", "The count", "A"),
            ("C", *days, "9000", "", "three", "", "A;Z"),
        ],
    )
    claims, ingested = read("mapping", path, Settings(mapping=mapping, prefix=prefix))
    by_id = claims.set_index("id")
    first = "" if prefix is None else "mine-"
    assert by_id.loc[f"{first}A", "sd"] == 200
    ids = [f"{first}{name}" for name in "ABC"]
    assert by_id.loc[ids, "evidence_group"].tolist() == ["the_count", "the_count", ""]
    assert by_id.loc[ids, "derived_from"].tolist() == ["", ids[0], ids[0]]
    (lost,) = [entry for entry in ingested.ledger.remarks if entry.reason.startswith("derived")]
    assert lost.reason == "derived from what is no claim of the table"
    assert (lost.row, lost.detail) == (4, f"{first}Z")
