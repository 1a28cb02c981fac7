"""The simulation of a cluster, where its answer is known."""

from __future__ import annotations

import pytest

from tests.benchmarks.cluster import Costs, round_of, sweep_of
from tests.benchmarks.scale import cost_model

COSTS = Costs(10.0, 0.01, 0.02, 0.03, 0.5, (4.0, 6.0), (1, 4, 3), (0.5, 0.001))


def test_one_worker_makes_one_fit_after_the_other() -> None:
    assert round_of([3.0, 1.0, 2.0], 1, 0.25) == pytest.approx(6.25)


def test_fits_side_by_side_take_as_long_as_the_longest() -> None:
    assert round_of([3.0, 1.0, 2.0], 3, 0.0) == pytest.approx(3.0)


def test_a_driver_takes_results_one_at_a_time() -> None:
    assert round_of([1.0] * 1000, 1000, 0.25) == pytest.approx(1.0 + 250.0)


def test_workers_beyond_those_that_a_driver_keeps_at_work_only_wait() -> None:
    assert COSTS.most_workers == pytest.approx(10.0)
    ten, hundred = (round_of([5.0] * 2000, workers, 0.5) for workers in (10, 100))
    assert ten == pytest.approx(hundred, rel=0.02)
    assert ten == pytest.approx(2000 * 0.5, rel=0.02)


def test_a_planned_sweep_takes_the_driver_s_time_whatever_the_nodes() -> None:
    few, many = (sweep_of(COSTS, 100_000, nodes, planned=True) for nodes in (1, 100))
    assert few.driver == many.driver == pytest.approx(10.0 + 6000.0 + 8 * 0.5)
    assert many.seconds < few.seconds < 1.01 * many.seconds


def test_no_fits_take_no_time() -> None:
    assert round_of([], 3, 1.0) == 0.0


def test_the_cost_model_finds_what_a_fit_and_a_set_take() -> None:
    rows = [
        {"sets": sets, "fits": fits, "processor": 40.0 + 6.0 * fits + 0.02 * sets}
        | {"stages": {"fit": 5.5 * fits, "keep": 0.5 * fits}}
        for sets, fits in ((100, 5), (1000, 9), (10_000, 12))
    ]
    found = cost_model(rows)
    assert found["constant"] == pytest.approx(40.0)
    assert found["fit"] == pytest.approx(6.0)
    assert found["set"] == pytest.approx(0.02)
    assert found["error"] == pytest.approx(0.0, abs=1e-9)
