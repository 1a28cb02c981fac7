from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from scipy.stats import norm

from estimator.model.random_walk import carried_steps, innovation_map, level_given, with_level

INTERPRETED = Mode(linker="py", optimizer=None)


@given(persistence=st.floats(0.0, 1.0), n_months=st.integers(1, 30))
def test_the_steps_are_found_again_in_the_series_that_carries_them(
    persistence: float, n_months: int
) -> None:
    carried = carried_steps(persistence, n_months)
    np.testing.assert_allclose(innovation_map(carried) @ carried, np.eye(n_months), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(
    location=st.floats(-3.0, 3.0),
    scale=st.floats(0.01, 2.0),
    step=st.floats(0.05, 1.0),
    drawn=st.floats(-3.0, 3.0),
    first=st.floats(-3.0, 3.0),
)
def test_a_level_that_follows_the_first_month_leaves_the_density_of_both(
    location: float, scale: float, step: float, drawn: float, first: float
) -> None:
    widened = with_level(pt.as_tensor(np.array([step, step])), pt.as_tensor(scale))
    given_first = level_given(first, location, scale, widened[0], drawn)
    level, wide = given_first.eval(mode=INTERPRETED), widened.eval(mode=INTERPRETED)
    assert wide[1] == step
    slope = np.sqrt(1.0 - (scale / wide[0]) ** 2)  # of the level in the draw
    assert norm.logpdf(level, location, scale) + norm.logpdf(first, level, step) == pytest.approx(
        norm.logpdf(first, location, wide[0]) + norm.logpdf(drawn, location, scale) - np.log(slope)
    )
