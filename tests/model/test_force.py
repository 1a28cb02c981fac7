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
    wounded_before,
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


def test_everybody_who_shall_return_has_returned_in_the_end() -> None:
    wounded = np.zeros((1, 2, 60))
    wounded[..., :30] = np.random.default_rng(1).uniform(5, 30, 30)
    rate = np.array([[0.3, 0.6]])
    back = returned_draws(wounded, rate, np.full((1, 2), 3.0), 0.0)
    np.testing.assert_allclose(back.sum(axis=-1), rate * wounded.sum(axis=-1))


def test_nobody_returns_before_somebody_was_wounded() -> None:
    wounded = np.zeros((1, 1, 40))
    wounded[..., 10] = 100.0
    back = returned_draws(wounded, np.array([[1.0]]), np.array([[3.0]]), 0.0)[0, 0]
    assert (back[:10] == 0).all()
    assert back[11] > 0
    assert (back[10 + RETURN_LAGS :] == 0).all()


def test_constant_wounded_after_a_long_war_return_at_their_rate_from_the_first_month() -> None:
    wounded = np.full((1, 1, 12), 20.0)
    rate, delay = np.array([[0.5]]), np.array([[3.0]])
    np.testing.assert_allclose(returned_draws(wounded, rate, delay, 40.0), 10.0)
    assert returned_draws(wounded, rate, delay, 0.0)[0, 0, 0] < 1.0


@pytest.mark.parametrize(
    ("months_before", "counted"), [(0.0, 0), (2.5, 2), (3.0, 3), (100.0, RETURN_LAGS - 1)]
)
def test_each_whole_month_of_war_before_the_window_had_the_first_month_s_wounded(
    months_before: float, counted: int
) -> None:
    history = wounded_before(2, months_before) @ np.array([20.0, 30.0])
    expected = [*[0.0] * (RETURN_LAGS - 1 - counted), *[20.0] * counted, 20.0, 30.0]
    np.testing.assert_array_equal(history, expected)


@pytest.mark.parametrize("months_before", [0.0, 3.0, 34.0])
def test_the_model_and_the_draws_return_the_same(months_before: float) -> None:
    wounded = np.random.default_rng(2).uniform(5, 30, 14)
    variable = pt.vector("wounded", shape=(14,))
    rate, delay = pt.scalars("rate", "delay")
    in_model = pytensor.function(
        [variable, rate, delay],
        returned(pt.dot(wounded_before(14, months_before), variable), rate, delay, pt),
        mode=INTERPRETED,
    )
    of_draws = returned_draws(
        wounded[None, None], np.array([[0.4]]), np.array([[2.5]]), months_before
    )
    np.testing.assert_allclose(in_model(wounded, 0.4, 2.5), of_draws[0, 0])
