"""Log weights in two bytes a draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from estimator.store.log_weights import packed, unpacked


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-60, 0), min_size=1, max_size=50))
def test_weights_are_kept_within_half_a_thousandth(raw: list[float]) -> None:
    log_weights = np.array(raw) - logsumexp(raw)
    steps = packed(log_weights)
    assert steps.dtype == np.int16
    below, kept = log_weights - log_weights.max(), steps != -32_768
    np.testing.assert_allclose(steps[kept] * 0.001, below[kept], atol=0.000501)
    assert (below[~kept] <= -30.0).all()
    weights = unpacked(steps)
    assert weights.sum() == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(weights[kept], np.exp(log_weights[kept]), rtol=0.0012)
    assert (weights[~kept] == 0.0).all()
