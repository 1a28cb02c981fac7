from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.evidence.floors import difference_floors

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
