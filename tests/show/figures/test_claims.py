import numpy as np
import pandas as pd
import pytest

from estimator.show.figures import _claims as claims
from estimator.show.figures._months import Months
from estimator.show.figures.killed_share import implied_shares
from estimator.show.figures.predictive_claims import FARTHEST, _farthest_out, met


@pytest.fixture
def months(shared_result) -> Months:
    return Months.of(shared_result)


def claim(**cells) -> pd.Series:
    empty = {"low": np.nan, "central": np.nan, "high": np.nan, "unit": "persons", "hedge": "about"}
    return pd.Series(empty | cells)


def test_a_month_reaches_from_half_before_to_half_after_its_position(months):
    assert months.position("2026-01-01") == pytest.approx(46.5)
    assert months.position("2026-01-31", end_of_day=True) == pytest.approx(47.5)


def test_the_first_month_is_only_its_days_of_war(months):
    assert months.position("2022-02-24") == pytest.approx(-0.5)
    assert months.position("2022-02-28", end_of_day=True) == pytest.approx(0.5)
    assert months.notes == ["2022-02 has only 5 days in the window."]


def test_days_beyond_the_window_count_at_the_last_month(months):
    weights = months.weights("2026-01-01", "2026-02-15")
    assert weights[-1] == pytest.approx(46 / 31)
    assert weights[:-1].sum() == 0


@pytest.mark.parametrize(
    ("unit", "figure", "expected"),
    [
        ("persons", 90_000, 30_000),
        ("persons/month", 30_000, 30_000),
        ("persons/day", 1000, 30437.5),
    ],
)
def test_monthly_mean_follows_the_unit(months, unit, figure, expected):
    row = claim(period_start="2025-10-01", period_end="2025-12-31", central=figure, unit=unit)
    assert claims.monthly_means(row.to_frame().T, months)[0, 1] == pytest.approx(expected)


def test_unused_claims_are_left_out_and_ranges_get_their_middle(shared_result):
    table = claims.used_claims(shared_result, "losses")
    assert "X99" not in table.index
    assert table.loc["P44", "central"] == 650_000
    assert table.loc["P36", "central"] == 320_000


def test_every_origin_has_a_mark_of_its_own(shared_result):
    marks = claims.marks_of(shared_result)
    assert len(marks) > 10
    assert len(set(marks.values())) == len(marks)


def test_implied_share_is_killed_over_median_losses_of_the_period(shared_result, months):
    losses = shared_result["posterior"]["losses"]
    row = claims.used_claims(shared_result, "killed").loc["P32"]
    lost = float(
        losses.sel(month=[m for m in months.labels if m[:4] == "2023"]).sum("month").median()
    )
    assert implied_shares(row.to_frame().T, months, losses)[0, 1] == pytest.approx(40_542 / lost)


def test_a_bound_agrees_with_a_range_on_its_side():
    table = pd.DataFrame(
        [claim(central=100.0, pp_low=150.0, pp_high=200.0, hedge=h)
         for h in ("at_least", "up_to", "about")]
    )  # fmt: skip
    assert met(table).tolist() == [True, False, False]


def test_of_thousands_of_claims_those_that_lie_farthest_out_are_drawn():
    n = 1000
    table = pd.DataFrame(
        {"pp_low": 90.0, "pp_mid": 100.0, "pp_high": 110.0, "central": 100.0 + np.arange(n),
         "quantity": "losses"},
        index=[f"c{i}" for i in range(n)],
    )  # fmt: skip
    assert list(_farthest_out(table).index) == [f"c{i}" for i in range(n - FARTHEST, n)]


def test_a_figure_far_below_what_was_expected_lies_as_far_out_as_one_far_above():
    n = 100
    table = pd.DataFrame(
        {"pp_low": 50.0, "pp_mid": 100.0, "pp_high": 200.0, "central": 100.0, "quantity": "losses"},
        index=[f"c{i}" for i in range(n)],
    )
    table.loc["c7", "central"], table.loc[table.index[:40], "pp_low"] = 2.0, 49.0
    assert "c7" in _farthest_out(table).index
