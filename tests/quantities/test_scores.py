from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from estimator.quantities.scores import block_means, central_intervals, score_draws, share_range

LEVELS = (0.5, 0.9)


def normal_draws(n_cases: int, n_draws: int = 4000) -> np.ndarray:
    """Quantiles of a standard normal, so that nothing is left to chance."""
    probabilities = (np.arange(n_draws) + 0.5) / n_draws
    return np.tile(norm.ppf(probabilities), (n_cases, 1))


def test_crps_of_a_normal_is_the_closed_form() -> None:
    observed = np.array([-2.0, 0.0, 0.3, 3.0])
    found = score_draws(normal_draws(4), observed, LEVELS)
    z = observed
    closed = z * (2.0 * norm.cdf(z) - 1.0) + 2.0 * norm.pdf(z) - 1.0 / np.sqrt(np.pi)
    np.testing.assert_allclose(found["crps"], closed, atol=1e-3)


def test_interval_score_is_width_plus_the_penalty_for_a_miss() -> None:
    found = score_draws(normal_draws(3), np.array([0.0, 2.0, -2.0]), [0.9])
    edge = norm.ppf(0.95)
    missed = 2.0 * edge + 2.0 / 0.1 * (2.0 - edge)
    np.testing.assert_allclose(
        found["interval_score"][:, 0], [2.0 * edge, missed, missed], rtol=2e-3
    )
    assert found["covered"][:, 0].values.tolist() == [True, False, False]
    np.testing.assert_allclose(found["width"], found["high"] - found["low"])


def test_pit_is_the_share_of_draws_below_and_half_of_those_equal() -> None:
    draws = np.array([[1.0, 2.0, 2.0, 3.0]])
    assert float(score_draws(draws, np.array([2.0]), LEVELS)["pit"][0]) == 0.5
    assert float(score_draws(draws, np.array([2.5]), LEVELS)["pit"][0]) == 0.75


def test_one_case_and_one_level_keep_their_dimensions() -> None:
    found = score_draws(normal_draws(1), np.array([0.0]), [0.8], units="log ratio")
    assert dict(found.sizes) == {"case": 1, "level": 1}
    assert found["crps"].attrs["units"] == "log ratio"
    assert found["level"].values.tolist() == [0.8]


@pytest.mark.parametrize("levels", [[], [0.0], [1.0], [0.5, 1.5]])
def test_levels_that_are_no_shares_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="levels must lie between 0 and 1"):
        central_intervals(normal_draws(2), levels)


def test_shapes_that_disagree_and_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(case, draw\)"):
        score_draws(normal_draws(2), np.zeros(3), LEVELS)
    with pytest.raises(ValueError, match="finite"):
        score_draws(normal_draws(2), np.array([0.0, np.nan]), LEVELS)


def test_the_range_of_a_share_covers_it_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = [
        low <= 0.9 <= high
        for low, high in (share_range(int(rng.binomial(30, 0.9)), 30) for _ in range(1000))
    ]
    assert 0.90 <= np.mean(hits) <= 0.99


def test_the_range_of_a_share_reaches_the_ends() -> None:
    assert share_range(0, 10)[0] == 0.0
    assert share_range(10, 10)[1] == 1.0
    with pytest.raises(ValueError, match="successes"):
        share_range(11, 10)


def test_blocks_widen_the_error_of_a_mean_of_overlapping_sums() -> None:
    rng = np.random.default_rng(2)
    shocks = rng.standard_normal(600)
    sums = np.convolve(shocks, np.ones(6), mode="valid")
    single = block_means(sums, 1, np.random.default_rng(3)).std()
    blocks = block_means(sums, 24, np.random.default_rng(3)).std()
    assert blocks > 1.8 * single  # the true ratio is the square root of 6
    exact = 6.0 / np.sqrt(len(sums))
    assert 0.75 < blocks / exact < 1.15


def test_block_means_keep_the_other_axes_and_take_all_cases_as_one_block_at_most() -> None:
    values = np.arange(12.0).reshape(4, 3)
    found = block_means(values, 99, np.random.default_rng(4), resamples=5)
    np.testing.assert_allclose(found, np.tile(values.mean(axis=0), (5, 1)))
