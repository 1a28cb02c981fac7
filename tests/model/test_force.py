from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.mode import Mode

from estimator.model.force import (
    RETURN_LAGS,
    delay_weights,
    returned,
    returned_draws,
    wounded_per_month,
)

INTERPRETED = Mode(linker="py", optimizer="fast_compile")


@given(st.floats(0.2, 24.0), st.integers(1, 60))
def test_delay_weights_are_shares_of_one(mean_delay: float, n_lags: int) -> None:
    weights = delay_weights(np.array([mean_delay]), n_lags)[0]
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("mean_delay", [1.5, 3.0, 6.0])
def test_the_mean_delay_is_the_one_given(mean_delay: float) -> None:
    weights = delay_weights(np.array([mean_delay]), 200)[0]
    assert weights @ np.arange(200) == pytest.approx(mean_delay, abs=0.1)


def back_to_duty(
    wounded: np.ndarray,
    rate: float = 1.0,
    delay: float = 3.0,
    months_before: float = 0.0,
    exposure: np.ndarray | None = None,
    cut: float = 0.0,
) -> np.ndarray:
    """Returned by month of one draw; months are mean months unless an exposure says else."""
    exposure = np.ones(len(wounded)) if exposure is None else exposure
    per_month = wounded_per_month(exposure, cut, months_before)
    return returned_draws(wounded, per_month, exposure, np.array(rate), np.array(delay))


def test_everybody_who_shall_return_has_returned_in_the_end() -> None:
    wounded = np.zeros(60)
    wounded[:30] = np.random.default_rng(1).uniform(5, 30, 30)
    for rate in (0.3, 0.6):
        assert back_to_duty(wounded, rate).sum() == pytest.approx(rate * wounded.sum())


def test_nobody_returns_before_somebody_was_wounded() -> None:
    wounded = np.zeros(40)
    wounded[10] = 100.0
    back = back_to_duty(wounded)
    assert (back[:10] == 0).all()
    assert back[11] > 0
    assert (back[10 + RETURN_LAGS :] == 0).all()


def test_constant_wounded_after_a_long_war_return_at_their_rate_from_the_first_month() -> None:
    wounded = np.full(12, 20.0)
    np.testing.assert_allclose(back_to_duty(wounded, 0.5, months_before=40.0), 10.0)
    assert back_to_duty(wounded, 0.5)[0] < 1.0


@given(st.integers(1, 31), st.integers(1, 31), st.floats(0.5, 9.0))
def test_a_steady_war_gives_back_by_the_day_whatever_days_the_window_cuts(
    first: int, last: int, delay: float
) -> None:
    days = np.array([32 - first, 28, 31, 30, last], dtype=float)
    exposure = days / 30.4375
    back = back_to_duty(
        10.0 * days, 0.5, delay, months_before=60.0, exposure=exposure, cut=(first - 1) / 30.4375
    )
    np.testing.assert_allclose(back, 5.0 * days)


def test_a_war_that_begins_late_in_a_month_has_few_wounded_to_give_back() -> None:
    late = np.array([5.0, 30.0, 30.0, 30.0]) / 30.0
    wounded = np.array([500.0, 0.0, 0.0, 0.0])
    five_days, a_month = (
        back_to_duty(wounded, exposure=exposure, cut=cut)[1:]
        for exposure, cut in ((late, 25.0 / 30.0), (np.ones(4), 0.0))
    )
    np.testing.assert_allclose(five_days, a_month)


@pytest.mark.parametrize(
    ("months_before", "counted"),
    [
        (0.0, []),
        (2.5, [0.5, 1.0, 1.0]),
        (3.0, [1.0, 1.0, 1.0]),
        (100.0, [1.0] * (RETURN_LAGS - 1)),
    ],
)
def test_each_month_of_war_before_the_window_had_the_first_month_s_wounded(
    months_before: float, counted: list[float]
) -> None:
    history = wounded_per_month(np.ones(2), 0.0, months_before) @ np.array([20.0, 30.0])
    before = [0.0] * (RETURN_LAGS - 1 - len(counted)) + [20.0 * share for share in counted]
    np.testing.assert_allclose(history, [*before, 20.0, 30.0])


@pytest.mark.parametrize("months_before", [0.0, 3.0, 34.0])
def test_the_model_and_the_draws_return_the_same(months_before: float) -> None:
    wounded = np.random.default_rng(2).uniform(5, 30, 14)
    exposure = np.array([0.2, *[1.0] * 12, 0.5])
    per_month = wounded_per_month(exposure, 0.8, months_before)
    variable = pt.vector("wounded", shape=(14,))
    rate, delay = pt.scalars("rate", "delay")
    in_model = pytensor.function(
        [variable, rate, delay],
        returned(pt.dot(per_month, variable), exposure, rate, delay, pt),
        mode=INTERPRETED,
    )
    of_draws = back_to_duty(wounded, 0.4, 2.5, months_before, exposure, 0.8)
    np.testing.assert_allclose(in_model(wounded, 0.4, 2.5), of_draws)
