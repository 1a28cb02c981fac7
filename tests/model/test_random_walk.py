from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from estimator.model.random_walk import carried_steps, innovation_map


@given(persistence=st.floats(0.0, 1.0), n_months=st.integers(1, 30))
def test_the_steps_are_found_again_in_the_series_that_carries_them(
    persistence: float, n_months: int
) -> None:
    carried = carried_steps(persistence, n_months)
    np.testing.assert_allclose(innovation_map(carried) @ carried, np.eye(n_months), atol=1e-12)
