from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.evidence.periods import DAYS_PER_MONTH, Window

START, END = dt.date(2022, 2, 24), dt.date(2024, 3, 31)
WAR = Window(pd.Timestamp(START), pd.Timestamp(END), overhang_days=31)
days = st.dates(START, END).map(pd.Timestamp)
periods = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))
windows = st.tuples(st.dates(dt.date(2020, 1, 1), dt.date(2024, 12, 31)), st.integers(1, 900)).map(
    lambda w: Window(pd.Timestamp(w[0]), pd.Timestamp(w[0] + dt.timedelta(days=w[1])))
)
quick = settings(max_examples=60, deadline=None)


@quick
@given(st.tuples(days, days, days).map(sorted).filter(lambda d: d[1] < d[2]))
def test_sums_over_adjacent_periods_add_up_to_the_whole(cuts: list[pd.Timestamp]) -> None:
    first, middle, last = cuts
    left = WAR.flow_weights(first, middle, "persons")
    right = WAR.flow_weights(middle + pd.Timedelta(days=1), last, "persons")
    whole = WAR.flow_weights(first, last, "persons")
    np.testing.assert_allclose(left + right, whole, atol=1e-12)


@quick
@given(windows)
def test_the_sum_over_the_whole_window_takes_each_month_once(window: Window) -> None:
    weights = window.flow_weights(window.start, window.end, "persons")
    np.testing.assert_allclose(weights, 1.0)
    assert weights.sum() == pytest.approx(len(window.months))


@quick
@given(windows)
def test_days_of_months_sum_to_the_days_of_the_window(window: Window) -> None:
    assert window.days.sum() == (window.end - window.start).days + 1
    assert (window.days > 0).all()
    assert len(window.days) == len(window.months) == len(window.edges) - 1


@quick
@given(periods)
def test_a_rate_by_month_is_the_rate_by_day_times_the_mean_month(
    period: tuple[pd.Timestamp, pd.Timestamp],
) -> None:
    by_month = WAR.flow_weights(*period, "persons/month")
    by_day = WAR.flow_weights(*period, "persons/day")
    np.testing.assert_allclose(by_month, by_day * DAYS_PER_MONTH)


@quick
@given(periods)
def test_a_rate_by_day_is_the_sum_over_the_days_of_the_period(
    period: tuple[pd.Timestamp, pd.Timestamp],
) -> None:
    length = (period[1] - period[0]).days + 1
    total = WAR.flow_weights(*period, "persons")
    np.testing.assert_allclose(WAR.flow_weights(*period, "persons/day") * length, total)


@quick
@given(periods)
def test_a_constant_daily_rate_gives_itself_back(
    period: tuple[pd.Timestamp, pd.Timestamp],
) -> None:
    monthly_totals = 1000.0 * WAR.days
    assert WAR.flow_weights(*period, "persons/day") @ monthly_totals == pytest.approx(1000.0)


@quick
@given(days)
def test_stock_weights_are_shares_that_fall_from_month_to_month(day: pd.Timestamp) -> None:
    weights = WAR.stock_weights(day)
    assert ((weights >= 0) & (weights <= 1)).all()
    assert (np.diff(weights) <= 0).all()


@quick
@given(periods)
def test_a_stock_never_loses_weight_as_time_goes_on(
    period: tuple[pd.Timestamp, pd.Timestamp],
) -> None:
    first, last = period
    assert (WAR.stock_weights(last) >= WAR.stock_weights(first)).all()
    flow = WAR.flow_weights(first, last, "persons")
    after = WAR.stock_weights(last + pd.Timedelta(days=1))
    np.testing.assert_allclose(after - WAR.stock_weights(first), flow, atol=1e-12)


def test_nothing_has_come_to_a_stock_on_the_first_day() -> None:
    assert WAR.stock_weights(WAR.start).sum() == 0.0


def test_the_first_month_has_only_its_days_in_the_window() -> None:
    assert WAR.months[0] == "2022-02"
    assert WAR.days[:2].tolist() == [5, 31]


@pytest.mark.parametrize(
    ("start", "end", "cut", "last"),
    [
        ("2022-02-24", "2026-02-15", {"2022-02": 5, "2026-02": 15}, "2026-01"),
        ("2025-01-01", "2025-12-31", {}, "2025-12"),
        ("2025-01-10", "2025-02-03", {"2025-01": 22, "2025-02": 3}, "2025-02"),
        ("2025-01-10", "2025-01-12", {"2025-01": 3}, "2025-01"),
    ],
)
def test_a_window_knows_its_cut_months_and_the_last_that_is_whole(
    start: str, end: str, cut: dict[str, int], last: str
) -> None:
    window = Window(pd.Timestamp(start), pd.Timestamp(end))
    assert window.cut_months == cut
    assert window.last_whole_month == last


def test_a_period_that_ends_mid_month_takes_its_share_of_that_month() -> None:
    weights = WAR.flow_weights(pd.Timestamp("2022-03-01"), pd.Timestamp("2022-04-15"), "persons")
    np.testing.assert_allclose(weights[:4], [0.0, 1.0, 0.5, 0.0])


def test_days_beyond_the_end_count_at_the_last_month_s_rate() -> None:
    weights = WAR.flow_weights(pd.Timestamp("2024-03-01"), pd.Timestamp("2024-04-15"), "persons")
    assert weights[-1] == pytest.approx(46 / 31)
    assert weights[:-1].sum() == 0.0


@pytest.mark.parametrize(
    ("first", "last", "covered"),
    [
        ("2022-02-24", "2024-03-31", True),
        ("2022-02-23", "2024-03-31", False),
        ("2022-02-24", "2024-05-01", True),
        ("2022-02-24", "2024-05-02", False),
        ("2024-04-01", "2024-04-15", False),
    ],
)
def test_a_period_counts_from_the_start_to_the_overhang(
    first: str, last: str, covered: bool
) -> None:
    assert WAR.covers(pd.Timestamp(first), pd.Timestamp(last)) is covered


def test_years_to_the_end_rise_to_zero_in_the_last_month() -> None:
    years = WAR.years_to_end()
    assert years[-1] == 0.0
    assert (np.diff(years) > 0).all()
    assert years[-13] == pytest.approx(-1.0, abs=0.01)
