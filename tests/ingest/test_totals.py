from __future__ import annotations

import datetime as dt
import itertools
import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from estimator.ingest.cells import snake
from estimator.ingest.draft import Draft
from estimator.ingest.ledger import Ledger
from estimator.ingest.totals import (
    DAY,
    increments,
    is_dense,
    never_falling,
    period_of,
    settle,
    thin,
)

FIRST = dt.date(2022, 2, 24)
SERIES = st.lists(st.integers(0, 50), min_size=1, max_size=30)


def running_total(row: int, day: int, value: int) -> Draft:
    date = FIRST + day * DAY
    return Draft((row,), "losses", date, date, "somebody", "a_source", date, "a citation",
                 "claimed", "exact", float(value))  # fmt: skip


def series(values: list[int]) -> list[Draft]:
    return [running_total(n, n, value) for n, value in enumerate(values)]


@given(SERIES)
def test_what_is_left_never_falls_and_is_as_long_as_possible(values: list[int]) -> None:
    kept = [total.value for total in never_falling(series(values), Ledger(tuple(range(99))))]
    assert kept == sorted(kept)
    best = [1] * len(values)
    for n, value in enumerate(values):
        best[n] = 1 + max((best[m] for m in range(n) if values[m] <= value), default=0)
    assert len(kept) == max(best)


@given(SERIES, st.sampled_from(["day", "week", "month"]), st.booleans())
def test_increments_sum_to_the_last_total_less_the_first_and_cover_each_day_once(
    values: list[int], every: str, known: bool
) -> None:
    ledger = Ledger(tuple(range(len(values))))
    rising = never_falling(series(values), ledger)
    thinned = thin(rising, every)
    pieces = increments(thinned, FIRST if known else None, ledger)
    first = 0.0 if known else thinned[0].value
    assert math.isclose(sum(piece.value for piece in pieces), thinned[-1].value - first)
    assert all(piece.value > 0 for piece in pieces)
    for one, other in itertools.pairwise(pieces):
        assert other.start == one.end + DAY
    rows = [row for piece in pieces for row in piece.rows]
    rows += [entry.row for entry in ledger.skipped if entry.row is not None]
    assert sorted(rows) == list(range(len(values)))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=20))
def test_settling_leaves_one_total_a_day_and_accounts_for_the_others(
    found: list[tuple[int, int]],
) -> None:
    totals = [running_total(n, day, value) for n, (day, value) in enumerate(found)]
    ledger = Ledger(tuple(range(len(found))))
    settled = settle(totals, ledger)
    assert len({total.end for total in settled}) == len(settled)
    assert len(settled) + len(ledger.skipped) == len(found)
    for total in settled:
        assert {t.value for t in totals if t.end == total.end} == {total.value}


@pytest.mark.parametrize(
    ("day", "every", "first", "last"),
    [
        ("2024-02-10", "month", "2024-02-01", "2024-02-29"),
        ("2022-12-31", "month", "2022-12-01", "2022-12-31"),
        ("2021-01-02", "week", "2020-12-28", "2021-01-03"),
        ("2021-01-02", "day", "2021-01-02", "2021-01-02"),
    ],
)
def test_a_period_has_a_first_and_a_last_day(day: str, every: str, first: str, last: str) -> None:
    found = period_of(dt.date.fromisoformat(day), every)
    assert found == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def test_two_totals_are_no_dense_series() -> None:
    assert not is_dense(series([1, 2]), 45, 3)
    assert is_dense(series([1, 2, 3]), 45, 3)
    assert not is_dense(series([1, 2, 3]), 0.5, 3)


@given(st.text(min_size=1))
def test_any_text_becomes_a_name_in_snake_case(text: str) -> None:
    name = snake(text)
    assert name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert snake(name) == name


def test_figures_of_single_periods_read_as_totals_are_told() -> None:
    ledger = Ledger(tuple(range(5)))
    never_falling(series([50, 40, 30, 20, 25]), ledger)
    (entry,) = ledger.remarks
    assert entry.reason.endswith("are they sums of single periods?")
    assert entry.detail == "3 of 5"
    assert entry in ledger.bad
    fine = Ledger(tuple(range(4)))
    never_falling(series([10, 20, 15, 30]), fine)
    assert fine.remarks == []


def test_totals_that_often_fall_are_told_to_be_no_one_count() -> None:
    ledger = Ledger(tuple(range(12)))
    never_falling(series([50, 40, 60, 55, 80, 70, 90, 85, 99, 95, 120, 130]), ledger)
    (entry,) = ledger.remarks
    assert "no one count" in entry.reason
    assert entry.detail == "5 of 12"
