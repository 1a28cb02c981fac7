from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from estimator.studies.breakeven.contour import (
    contour_grid,
    contour_table,
    directions,
    level_lines,
    spread_along,
)
from estimator.studies.breakeven.curve import Curve
from estimator.studies.breakeven.ranges import KeyRange

AXES = [
    KeyRange("returns.rate", 0.1, 0.9),
    KeyRange("force.other_exits", 1000.0, 16_000.0),
]


def plane(
    points: int = 15, slopes: tuple[float, float] = (-1.0, 2.0), error: float = 0.02
) -> Curve:
    """A probability whose probit is a plane, 0 in the middle of both ranges."""
    x = contour_grid(AXES, points)
    middle = np.array([sum(axis.ends) / 2 for axis in AXES])
    probability = stats.norm.cdf((x - middle) @ np.array(slopes))
    n = len(x)
    return Curve(
        x, probability, np.full(n, error), np.full(n, 500.0), np.zeros(n), np.ones(n, bool)
    )


def test_the_grid_spans_both_ranges_with_the_second_key_inside() -> None:
    grid = contour_grid(AXES, 4)
    assert grid.shape == (16, 2)
    assert grid[0] == pytest.approx([AXES[0].ends[0], AXES[1].ends[0]])
    assert grid[1, 0] == grid[0, 0]
    assert grid[-1] == pytest.approx([AXES[0].ends[1], AXES[1].ends[1]])


def test_the_line_of_the_level_is_where_the_probability_has_it() -> None:
    (line,) = level_lines(contour_table(plane(), AXES, 0.5, 0.95))
    x = np.stack([axis.spec.link(line[:, n]) for n, axis in enumerate(AXES)], axis=1)
    middle = np.array([sum(axis.ends) / 2 for axis in AXES])
    assert len(line) > 10
    assert (x - middle) @ np.array([-1.0, 2.0]) == pytest.approx(np.zeros(len(x)), abs=1e-9)


def test_the_edges_of_the_band_lie_on_either_side_of_the_line() -> None:
    table = contour_table(plane(), AXES, 0.5, 0.95)
    middle = np.array([sum(axis.ends) / 2 for axis in AXES])
    height = {}
    for edge, part in table.groupby("edge"):
        x = np.stack([AXES[0].spec.link(part["value"]), AXES[1].spec.link(part["value_2"])], axis=1)
        height[edge] = float(((x - middle) @ np.array([-1.0, 2.0])).mean())
    # The lower edge has the level where the curve lies above it.
    assert height["lower"] == pytest.approx(1.96 * 0.02 / stats.norm.pdf(0), rel=0.05)
    assert height["upper"] == pytest.approx(-height["lower"], rel=0.05)


def test_no_line_runs_where_the_draws_do_not_reach() -> None:
    curve = plane()
    curve.used[curve.x[:, 0] < 0.0] = False
    lines = level_lines(contour_table(curve, AXES, 0.5, 0.95))
    assert lines
    assert all((line[:, 0] >= 0.5).all() for line in lines)


def test_a_level_that_is_never_reached_has_no_line_and_no_places() -> None:
    lines = level_lines(contour_table(plane(slopes=(0.01, 0.01)), AXES, 0.9, 0.95))
    assert lines == []
    assert spread_along(lines, AXES, 3).shape == (0, 2)


def test_places_are_spread_evenly_along_a_line() -> None:
    lines = level_lines(contour_table(plane(), AXES, 0.5, 0.95))
    places = spread_along(lines, AXES, 4)
    assert places.shape == (4, 2)
    gaps = np.linalg.norm(np.diff(places / [axis.width for axis in AXES], axis=0), axis=1)
    assert gaps == pytest.approx(np.full(3, gaps[0]), rel=1e-3)
    middle = np.array([sum(axis.ends) / 2 for axis in AXES])
    assert (places - middle) @ np.array([-1.0, 2.0]) == pytest.approx(np.zeros(4), abs=1e-6)


def test_places_are_spread_over_several_lines() -> None:
    lines = [
        np.array([[0.2, 2000.0], [0.3, 2000.0]]),
        np.array([[0.7, 9000.0], [0.8, 9000.0]]),
    ]
    places = AXES[0].spec.value(spread_along(lines, AXES, 4)[:, 0])
    assert ((places > 0.2) & (places < 0.3)).sum() == 2
    assert ((places > 0.7) & (places < 0.8)).sum() == 2


@pytest.mark.parametrize(("slopes", "expected"), [((-1.0, 2.0), [-1, 1]), ((1.0, -0.3), [1, -1])])
def test_directions_say_with_which_key_the_probability_rises(
    slopes: tuple[float, float], expected: list[int]
) -> None:
    assert directions(plane(slopes=slopes), 0.5) == expected


def test_a_probability_that_rises_and_falls_has_no_direction() -> None:
    curve = plane()
    middle = sum(AXES[0].ends) / 2
    bent = stats.norm.cdf(0.3 - (curve.x[:, 0] - middle) ** 2)
    hill = Curve(curve.x, bent, curve.error, curve.ess, curve.k_hat, curve.used)
    assert directions(hill, 0.5)[0] == 0
