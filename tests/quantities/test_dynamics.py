from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from estimator.assumptions.groups import Projection
from estimator.quantities.dynamics import Walk, carry_on

N_DRAWS = 40_000


def walk(known: np.ndarray, **more: Any) -> Walk:
    draws = np.tile(known, (N_DRAWS, 1))
    given = {
        "level": np.full(N_DRAWS, 3.0),
        "step": np.full(N_DRAWS, 0.2),
        "persistence": 1.0,
    }
    return Walk(draws, **(given | more))


def carried(known: np.ndarray, months: int, options: Projection, **more: Any) -> np.ndarray:
    return carry_on(walk(known, **more), months, options, np.random.default_rng(1))


def test_the_variance_of_the_walk_grows_by_the_squared_step_each_month() -> None:
    path = carried(np.array([2.0, 2.5]), 6, Projection(dynamics="walk"))
    np.testing.assert_allclose(path.var(axis=0), 0.2**2 * np.arange(1, 7), rtol=0.04)
    np.testing.assert_allclose(path.mean(axis=0), 2.5, atol=0.01)


def test_the_walk_of_a_reverting_model_falls_back_to_its_level() -> None:
    path = carried(np.array([2.0]), 6, Projection(dynamics="walk"), persistence=0.8)
    ahead = np.arange(1, 7)
    np.testing.assert_allclose(path.mean(axis=0), 3.0 - 0.8**ahead, atol=0.01)
    np.testing.assert_allclose(
        path.var(axis=0), 0.2**2 * (1 - 0.8 ** (2 * ahead)) / (1 - 0.8**2), rtol=0.04
    )


def test_reversion_falls_back_to_the_mean_of_the_last_months() -> None:
    known = np.array([50.0, 1.0, 2.0, 3.0])
    options = Projection(dynamics="walk", persistence=0.5, mean_months=3)
    path = carried(known, 5, options)
    np.testing.assert_allclose(np.median(path, axis=0), 2.0 + 0.5 ** np.arange(1, 6), atol=0.05)


def test_no_change_stays_where_it_is() -> None:
    path = carried(np.array([1.0, 2.0]), 3, Projection(dynamics="no_change"))
    assert path.shape == (N_DRAWS, 3)
    assert (path == 2.0).all()


def test_nothing_ahead_is_an_empty_path() -> None:
    assert carried(np.array([1.0]), 0, Projection(dynamics="walk")).shape == (N_DRAWS, 0)


@pytest.mark.parametrize(
    "options",
    [
        {"dynamics": "walk", "persistence": 0.9},
        {"dynamics": "walk", "mean_months": 12},
        {"dynamics": "sideways"},
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Projection(**options)
