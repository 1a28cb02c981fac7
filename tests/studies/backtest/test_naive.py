from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from estimator.studies.backtest.naive import naive_draws, naive_spread
from estimator.studies.backtest.options import Naive

ALL = Naive(months=None, by="horizon")
ROOT = Naive(months=None, by="root")
# Changes of one month 0.1, -0.1, 0.1, ...; of two months none.
ZIGZAG = {month: 0.1 * (month % 2) for month in range(20)}


def test_the_spread_is_that_of_past_changes_over_the_horizon() -> None:
    assert naive_spread(ZIGZAG, 19, 1, ALL) == (pytest.approx(0.1), 19)
    assert naive_spread(ZIGZAG, 19, 2, ALL) == (pytest.approx(0.0), 18)


def test_a_random_walk_grows_with_the_root_of_the_horizon() -> None:
    spread, changes = naive_spread(ZIGZAG, 19, 4, ROOT)
    assert (spread, changes) == (pytest.approx(0.2), 19)


def test_only_the_last_months_count_where_so_many_are_given() -> None:
    rates = ZIGZAG | {month: 5.0 * month for month in range(10)}
    spread, changes = naive_spread(rates, 19, 1, Naive(months=9, by="root"))
    assert (spread, changes) == (pytest.approx(0.1), 9)


def test_months_after_the_origin_are_not_read() -> None:
    later = ZIGZAG | {month: 99.0 for month in range(13, 20)}
    for one in (ALL, ROOT):
        before = naive_draws(ZIGZAG, 12, 2, one, 2)
        assert before is not None
        np.testing.assert_array_equal(before, naive_draws(later, 12, 2, one, 2))


def test_the_forecast_is_student_s_t_around_the_last_figure() -> None:
    draws = naive_draws(ZIGZAG, 19, 1, ALL, 6)
    assert draws is not None
    ends = student(df=19, loc=0.1, scale=0.1).ppf([0.05, 0.95])
    np.testing.assert_allclose(np.quantile(draws, [0.05, 0.95]), ends, atol=1e-3)
    assert np.median(draws) == pytest.approx(0.1)


def test_too_few_changes_make_no_forecast() -> None:
    assert naive_draws(ZIGZAG, 5, 1, ALL, 6) is None
    assert naive_draws({3: 1.0}, 3, 1, ALL, 1) is None
