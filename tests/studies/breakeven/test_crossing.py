from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from estimator.studies.breakeven.crossing import Place, find_places, line_place

GRID = np.linspace(-3.0, 3.0, 41)


def places(
    probability: np.ndarray,
    error: float = 0.01,
    level: float = 0.5,
    used: np.ndarray | None = None,
) -> list[Place]:
    known = np.ones(len(GRID), bool) if used is None else used
    return find_places(GRID, probability, np.full(len(GRID), error), known, level, 0.95)


def hill(x: np.ndarray) -> np.ndarray:
    """Rises over 0.5 at -1 and falls under it at 1."""
    return np.asarray(stats.norm.cdf(1.0 - x**2))


@pytest.mark.parametrize("level", [0.02, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("slope", [0.8, 2.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_crossing_is_found_where_it_is(level: float, slope: float, sign: float) -> None:
    (found,) = places(stats.norm.cdf(sign * slope * (GRID - 0.23)), error=0.003, level=level)
    truth = 0.23 + sign * stats.norm.ppf(level) / slope
    assert found.x == pytest.approx(truth, abs=0.02)
    assert found.low < found.x < found.high
    assert found.rising == (sign > 0)


def test_the_interval_is_where_the_level_lies_inside_the_band() -> None:
    """For a line of slope b on the probit scale: two errors of the probability over its slope."""
    error, slope = 0.012, 1.3
    (found,) = places(stats.norm.cdf(slope * GRID), error)
    half = 1.96 * error / (slope * stats.norm.pdf(0.0))
    assert (found.low, found.high) == (
        pytest.approx(-half, rel=0.05),
        pytest.approx(half, rel=0.05),
    )


def test_no_crossing_is_found_where_there_is_none() -> None:
    assert places(np.full(len(GRID), 0.3)) == []
    assert places(stats.norm.cdf(0.1 * GRID - 2.0)) == []


def test_two_crossings_are_found_with_their_directions() -> None:
    first, second = places(hill(GRID))
    assert (first.x, second.x) == (pytest.approx(-1.0, abs=0.02), pytest.approx(1.0, abs=0.02))
    assert first.rising
    assert not second.rising
    assert first.high < second.low


@pytest.mark.parametrize("seed", range(20))
def test_noise_makes_no_further_crossings(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0.0, 0.03, len(GRID))
    noisy = np.clip(stats.norm.cdf(0.5 * GRID) + noise, 0.0, 1.0)
    (found,) = places(noisy, error=0.03)
    assert found.low <= 0.0 + 0.1
    assert found.high >= 0.0 - 0.1


def test_a_curve_that_only_touches_the_level_does_not_cross_it() -> None:
    touching = 0.5 - 0.2 * np.abs(GRID) / 3.0 + 0.004
    assert places(touching, error=0.01) == []


def test_a_crossing_in_points_that_are_not_used_has_all_of_them_in_its_interval() -> None:
    used = np.abs(GRID) > 1.0
    (found,) = places(stats.norm.cdf(GRID), used=used)
    assert found.low == pytest.approx(-1.0, abs=0.3)
    assert found.high == pytest.approx(1.0, abs=0.3)
    assert places(stats.norm.cdf(GRID), used=np.zeros(len(GRID), bool)) == []


def test_a_crossing_near_the_end_has_an_interval_that_the_range_ends() -> None:
    (found,) = places(stats.norm.cdf(0.5 * (GRID - 2.95)), error=0.03)
    assert found.open_high
    assert found.high == GRID[-1]
    assert not found.open_low


def test_a_curve_that_is_undecided_everywhere_has_the_whole_range_as_interval() -> None:
    (found,) = places(0.5 + 0.01 * GRID, error=0.2)
    assert (found.low, found.high, found.open_low, found.open_high) == (-3.0, 3.0, True, True)


@given(
    slope=st.floats(0.5, 3.0),
    place=st.floats(-1.0, 1.0),
    sign=st.sampled_from([-1.0, 1.0]),
    level=st.floats(0.1, 0.9),
)
def test_a_line_through_exact_points_crosses_where_it_should(
    slope: float, place: float, sign: float, level: float
) -> None:
    x = place + np.array([-0.2, 0.0, 0.3])
    z = stats.norm.ppf(level) + sign * slope * (x - place)
    found = line_place(x, stats.norm.cdf(z), np.full(3, 1e-3), level, 0.95)
    assert found is not None
    assert found.x == pytest.approx(place, abs=1e-3)
    assert found.low < place < found.high
    assert found.rising == (sign > 0)


def test_the_interval_of_a_line_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    x, n, covered = np.array([-0.4, -0.3, 0.05, 0.4]), 800, 0
    truth = stats.norm.cdf(1.2 * x)
    for _ in range(400):
        share = rng.binomial(n, truth) / n
        found = line_place(x, share, np.sqrt(share * (1 - share) / n), 0.5, 0.95)
        assert found is not None
        covered += found.low <= 0.0 <= found.high
    assert 0.92 <= covered / 400 <= 0.99  # wider where the points happen to miss the line


def test_points_that_miss_the_line_widen_the_interval() -> None:
    x, error = np.array([-0.5, -0.1, 0.1, 0.5]), np.full(4, 0.01)
    straight = line_place(x, stats.norm.cdf(x), error, 0.5, 0.95)
    bent = line_place(x, stats.norm.cdf(x + np.array([0.2, -0.2, 0.2, -0.2])), error, 0.5, 0.95)
    assert straight is not None
    assert bent is not None
    assert bent.high - bent.low > 3.0 * (straight.high - straight.low)


def test_a_slope_that_cannot_be_told_from_none_gives_no_place() -> None:
    assert line_place([0.0, 0.1], [0.49, 0.51], [0.02, 0.02], 0.5, 0.95) is None
    assert line_place([0.1, 0.1], [0.4, 0.6], [0.01, 0.01], 0.5, 0.95) is None
