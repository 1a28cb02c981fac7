from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from estimator.fitting.smoothing import weighted_quantiles
from estimator.studies.audit.bases import tail_probability

RNG = np.random.default_rng(3)
EVEN = np.full(4000, 1 / 4000)


def test_the_tail_of_a_consistent_point_is_uniform() -> None:
    # The report and the draws of its location share one normal distribution.
    location = RNG.normal(2.0, 0.3, 4000)
    reports = RNG.normal(2.0, np.hypot(0.3, 0.1), 400)
    tails = [tail_probability(location, 0.1, r, r, EVEN) for r in reports]
    assert stats.kstest(tails, "uniform").pvalue > 0.01


def test_a_figure_far_from_the_prediction_has_no_tail() -> None:
    location = RNG.normal(0.0, 0.1, 4000)
    assert tail_probability(location, 0.1, 3.0, 3.0, EVEN) < 1e-6
    assert tail_probability(location, 0.1, 0.0, 0.0, EVEN) > 0.9


def test_only_its_own_side_speaks_against_a_claim_that_is_open_on_the_other() -> None:
    location = RNG.normal(0.0, 1.0, 4000)
    at_least = tail_probability(location, 0.1, 1.0, 1e6, EVEN)
    assert at_least == pytest.approx(1 - stats.norm.cdf(1.0 / np.hypot(1.0, 0.1)), abs=0.03)
    assert tail_probability(location, 0.1, -4.0, 1e6, EVEN) > 0.99
    under = tail_probability(location, 0.1, -1e6, 1.0, EVEN)
    assert under == pytest.approx(1.0 - at_least, abs=1e-9)


@given(st.floats(-2, 2), st.floats(0.01, 2))
def test_an_interval_is_never_further_out_than_its_nearer_end(middle: float, half: float) -> None:
    location = np.linspace(-1.0, 1.0, 201)
    weights = np.full(201, 1 / 201)
    wide = tail_probability(location, 0.2, middle - half, middle + half, weights)
    ends = [tail_probability(location, 0.2, e, e, weights) for e in (middle - half, middle + half)]
    assert wide >= max(ends) - 1e-9


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30))
def test_quantiles_of_even_weights_are_those_of_the_sorted_values(values: list[int]) -> None:
    array = np.array(values, dtype=float)
    even = np.full(len(array), 1 / len(array))
    wanted = np.quantile(array, [0.2, 0.5, 0.8], method="hazen")
    assert weighted_quantiles(array, even, [0.2, 0.5, 0.8]) == pytest.approx(wanted)


def test_draws_without_weight_do_not_count() -> None:
    values = np.array([1.0, 2.0, 3.0, 100.0])
    weights = np.array([1 / 3, 1 / 3, 1 / 3, 0.0])
    assert weighted_quantiles(values, weights, [0.5])[0] == pytest.approx(2.0)
