from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import kstest, norm
from scipy.stats import t as student

from estimator.assumptions.groups import Projection
from estimator.quantities.dynamics import Walk, carry_on, local_steps

N_DRAWS = 40_000


def walk(known: np.ndarray, **more: Any) -> Walk:
    draws = np.tile(known, (N_DRAWS, 1))
    given = {
        "level": np.full(N_DRAWS, 3.0),
        "step": np.full(N_DRAWS, 0.2),
        "persistence": 1.0,
        "typical_step": 0.15,
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


def test_a_local_step_makes_the_next_month_student_s_t() -> None:
    known = np.array([9.0, 0.0, 0.1, -0.1, 0.05, 0.0])  # the first change is too old to count
    options = Projection(dynamics="local_step", step_months=4, prior_months=3)
    path = carried(known, 1, options)[:, 0]
    squares = 3 * 0.15**2 + 0.1**2 + 0.2**2 + 0.15**2 + 0.05**2
    expected = student(df=7, loc=0.0, scale=np.sqrt(squares / 7))
    assert kstest(path, expected.cdf).pvalue > 1e-3
    assert kstest(path, norm(0.0, np.sqrt(squares / 7)).cdf).pvalue < 1e-3


def test_a_local_step_keeps_its_size_over_the_months_ahead() -> None:
    known = np.cumsum(np.random.default_rng(2).normal(0.0, 0.1, 37))
    options = Projection(dynamics="local_step", step_months=36, prior_months=4)
    path = carried(known, 6, options)
    np.testing.assert_allclose(path.var(axis=0) / path[:, 0].var(), np.arange(1, 7), rtol=0.06)


def test_many_changes_outweigh_the_prior_and_few_do_not() -> None:
    known = np.cumsum(np.random.default_rng(3).normal(0.0, 0.05, 500))
    far = walk(known, typical_step=1.0)
    rng = np.random.default_rng(4)
    many = local_steps(far, Projection(dynamics="local_step", step_months=499, prior_months=1), rng)
    few = local_steps(far, Projection(dynamics="local_step", step_months=2, prior_months=200), rng)
    assert 0.04 < np.median(many) < 0.08
    assert 0.9 < np.median(few) < 1.1


def test_more_changes_than_there_are_count_as_all() -> None:
    known = np.array([0.0, 0.3, 0.1])
    all_ = Projection(dynamics="local_step", step_months=2, prior_months=4)
    more = Projection(dynamics="local_step", step_months=36, prior_months=4)
    found = [local_steps(walk(known), one, np.random.default_rng(5)) for one in (all_, more)]
    np.testing.assert_array_equal(*found)


def test_reversion_falls_back_to_the_mean_of_the_last_months() -> None:
    known = np.array([50.0, 1.0, 2.0, 3.0])
    options = Projection(
        dynamics="local_step", step_months=2, prior_months=6, persistence=0.5, mean_months=3
    )
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
        {"dynamics": "local_step"},
        {"dynamics": "local_step", "step_months": 12},
        {"dynamics": "walk", "step_months": 12, "prior_months": 6},
        {"dynamics": "walk", "persistence": 0.9},
        {"dynamics": "walk", "mean_months": 12},
        {"dynamics": "sideways"},
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Projection(**options)
