from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.evidence.floors import ADDED_UP, add_up_to_months, difference_floors
from estimator.evidence.periods import Window

_EXACT = np.zeros(3)
_WHOLE = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _floors(n: int, origins: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "origin": origins or ["count"] * n,
            "quantity": "losses",
            "population": "force",
            "used": True,
        }
    )


def test_a_sum_becomes_what_its_confirmed_months_leave() -> None:
    weight, figure, used, _ = difference_floors(
        _floors(3), _WHOLE, np.array([90.0, 25.0, 35.0]), _EXACT
    )
    assert figure.tolist() == [30.0, 25.0, 35.0]
    assert weight[0].tolist() == [0.0, 1.0, 0.0]
    assert used.all()


def test_what_is_left_of_a_sum_carries_its_rounding_and_that_of_all_its_months() -> None:
    half_width = np.array([1.8, 0.5, 0.7])
    *_, rounding = difference_floors(_floors(3), _WHOLE, np.array([90.0, 25.0, 35.0]), half_width)
    np.testing.assert_allclose(rounding, [[1.8, -0.5, -0.7], [0.0, 0.5, 0.0], [0.0, 0.0, 0.7]])


def test_a_sum_of_which_rounding_might_leave_nothing_stays_whole() -> None:
    figure, half_width = np.array([62.0, 25.0, 35.0]), np.array([1.8, 0.5, 0.0])
    weight, left, _, rounding = difference_floors(_floors(3), _WHOLE, figure, half_width)
    assert left[0] == 37.0  # less the first month; the last would leave 2 with a rounding of 2.3
    assert weight[0].tolist() == [0.0, 1.0, 1.0]
    np.testing.assert_allclose(rounding[0], [1.8, -0.5, 0.0])


def test_another_origins_months_are_not_taken_from_a_sum() -> None:
    floors = _floors(3, ["count", "other", "other"])
    weight, figure, *_ = difference_floors(floors, _WHOLE, np.array([90.0, 25.0, 35.0]), _EXACT)
    assert figure[0] == 90.0
    assert weight[0].tolist() == [1.0, 1.0, 1.0]


def test_a_sum_that_leaves_nothing_for_a_month_keeps_it() -> None:
    weight, figure, *_ = difference_floors(_floors(3), _WHOLE, np.array([30.0, 35.0, 10.0]), _EXACT)
    assert figure[0] == 20.0
    assert weight[0].tolist() == [1.0, 1.0, 0.0]


def test_of_floors_with_the_same_weights_the_highest_is_used() -> None:
    weight = np.array([[1.0, 0.0], [1.0, 0.0]])
    used = difference_floors(_floors(2), weight, np.array([30.0, 29.0]), np.zeros(2))[2]
    assert used.tolist() == [True, False]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(1.0, 100.0), min_size=3, max_size=3),
    st.lists(st.floats(0.0, 50.0), min_size=3, max_size=3),
)
def test_months_above_the_differenced_floors_are_above_the_sum(
    figures: list[float], excess: list[float]
) -> None:
    figure = np.array([sum(figures), figures[0], figures[2]])
    weight, floor, used, _ = difference_floors(_floors(3), _WHOLE, figure, _EXACT)
    losses = np.array(figures) + np.array(excess)
    assert (weight[used] @ losses >= floor[used] - 1e-9).all()
    lowest = np.zeros(3)
    for row in np.flatnonzero(used & ((weight > 0).sum(axis=1) == 1)):
        month = int(np.argmax(weight[row]))
        lowest[month] = max(lowest[month], floor[row])
    assert (_WHOLE @ lowest >= figure - 1e-9).all()


def _claims(periods: list[tuple[str, str]], values: list[float], **columns: object) -> pd.DataFrame:
    n = len(periods)
    return pd.DataFrame(
        {
            "id": [f"w{i}" for i in range(n)],
            "quantity": "killed",
            "period_start": pd.to_datetime([first for first, _ in periods]),
            "period_end": pd.to_datetime([last for _, last in periods]),
            "low": np.nan,
            "value": values,
            "high": np.nan,
            "unit": "persons",
            "hedge": "exact",
            "status": "confirmed",
            "origin": "count",
            "population": "force",
            "published": pd.Timestamp("2025-01-01"),
            "citation": "a list",
            "evidence_group": "",
            "derived_from": "",
            "used": True,
            "reason": "",
        }
        | columns
    )


_WINDOW = Window(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-03-20"))


def _weeks(n: int, first: str = "2024-01-01") -> list[tuple[str, str]]:
    starts = pd.date_range(first, periods=n, freq="7D")
    return [(f"{day:%Y-%m-%d}", f"{day + pd.Timedelta(days=6):%Y-%m-%d}") for day in starts]


def test_confirmed_weeks_become_months_shared_out_by_days() -> None:
    table = add_up_to_months(_claims(_weeks(6), [70.0] * 4 + [7.0, 14.0]), _WINDOW)
    assert table["used"].tolist() == [False] * 6 + [True] * 2
    assert set(table["reason"][:6]) == {ADDED_UP}
    january, february = table.iloc[6], table.iloc[7]
    assert january["value"] == pytest.approx(280.0 + 7.0 * 3 / 7)
    assert february["value"] == pytest.approx(7.0 * 4 / 7 + 14.0)
    assert february["period_start"] == pd.Timestamp("2024-02-01")
    assert february["period_end"] == pd.Timestamp("2024-02-11")
    assert january["derived_from"] == "w0 w1 w2 w3 w4"
    assert february["derived_from"] == "w4 w5"


def test_days_beyond_the_window_stay_with_its_last_month() -> None:
    table = add_up_to_months(_claims(_weeks(2, "2024-03-11"), [70.0, 70.0]), _WINDOW)
    assert table["period_end"].iloc[-1] == pd.Timestamp("2024-03-24")
    assert table["value"].iloc[-1] == 140.0


@pytest.mark.parametrize(
    "columns",
    [
        {"used": False},
        {"status": "claimed"},
        {"origin": ["count", "other"]},
        {"unit": "persons/day"},
        {"hedge": ["exact", "about"]},
    ],
)
def test_what_is_not_one_count_is_not_added_up(columns: dict[str, object]) -> None:
    claims = _claims(_weeks(2), [70.0, 70.0], **columns)
    pd.testing.assert_frame_equal(add_up_to_months(claims, _WINDOW), claims)


def test_a_week_without_a_neighbour_stays() -> None:
    claims = _claims([*_weeks(1), *_weeks(1, "2024-01-15")], [70.0, 70.0])
    pd.testing.assert_frame_equal(add_up_to_months(claims, _WINDOW), claims)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 27), st.integers(-1, 3)), min_size=1, max_size=12))
def test_no_confirmed_person_is_lost_or_counted_twice(lengths: list[tuple[int, int]]) -> None:
    day, periods = pd.Timestamp("2024-01-02"), []
    for length, gap in lengths:
        last = day + pd.Timedelta(days=length - 1)
        periods.append((f"{day:%Y-%m-%d}", f"{last:%Y-%m-%d}"))
        day = max(day, last + pd.Timedelta(days=1 + gap))
    values = [float(10 + i) for i in range(len(periods))]
    table = add_up_to_months(_claims(periods, values), Window(_WINDOW.start, day))
    counted = table[table["used"]]
    assert counted["value"].sum() == pytest.approx(sum(values))
    assert counted["id"].is_unique
    made = counted[counted["derived_from"] != ""]
    assert (made["period_start"].dt.to_period("M") == made["period_end"].dt.to_period("M")).all()
