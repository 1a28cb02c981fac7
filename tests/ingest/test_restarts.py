from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from estimator.ingest.ledger import Ledger
from estimator.ingest.restarts import continued
from tests.ingest.made import rules
from tests.ingest.test_totals import series


def carried_on(values: list[int]) -> tuple[list[float], int]:
    """Totals as they are carried on, and how many restarts were told."""
    ledger = Ledger(tuple(range(len(values))))
    totals = continued(series(values), rules().restart, ledger)
    return [total.value for total in totals], len(ledger.remarks)


UP = list(range(100, 1300, 100))


@pytest.mark.parametrize(
    "values",
    [
        [*UP, 13, *range(1300, 2000, 100)],
        [*UP, 12, 13, 14, 15, *range(1300, 2000, 100)],
        [*UP, 900, 1000, 1100, 1300],
        [*UP, 390, 400, 410, 420, 430, 440],
        [100, 200, 3000, 400, 500, 600, 700],
        [*range(20000, 30000, 1000), *range(30, 40)],
        [*UP, 0, 0, 0],
        [*UP, 20],
        [500, 30, 40, 60, 300, 20, 30, 50, 400, 100, 90],
        [],
    ],
    ids=[
        "a misprint", "misprints", "a correction", "a correction to a third", "a zero too many",
        "thousands after persons", "nothing", "one total at the end", "sums of single periods",
        "no totals",
    ],
)  # fmt: skip
def test_totals_that_fall_for_another_reason_are_left_as_they_are(values: list[int]) -> None:
    assert carried_on(values) == (values, 0)


def test_misprints_in_either_count_do_not_hide_that_it_begins_anew() -> None:
    old = [*UP[:5], 6, *UP[6:]]
    new = [20, 40, 60, 800, 100, 120]
    found, told = carried_on([*old, *new])
    assert told == 1
    assert found == [*old, *(1200 + value for value in new)]


RISES = st.lists(st.integers(20, 30), min_size=5, max_size=12)


@given(st.lists(RISES, min_size=1, max_size=4))
def test_what_was_counted_before_each_restart_is_added(counts: list[list[int]]) -> None:
    values: list[int] = []
    whole: list[float] = []
    before = 0
    for steps in counts:
        total = 0
        for step in steps:
            total += step
            values.append(total)
            whole.append(before + total)
        before += total
    assert carried_on(values) == (whole, len(counts) - 1)
