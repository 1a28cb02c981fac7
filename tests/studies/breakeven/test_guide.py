from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from estimator.studies.breakeven.guide import Guide


def test_a_logistic_curve_is_found_again() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, 2.0, (2, 40_000))
    truth = expit(0.5 - 0.4 * (x[0] - 3.0) + 0.3 * (x[1] - 3.0) ** 2 / 4.0)
    found = Guide.of(x, (rng.random(x.shape[1]) < truth).astype(float))(x)
    assert np.abs(found - truth).mean() < 0.01


@pytest.mark.parametrize("always", [0.0, 1.0])
def test_an_event_that_always_or_never_happens_has_a_finite_guess(always: float) -> None:
    x = np.random.default_rng(0).normal(size=(1, 2000))
    found = Guide.of(x, np.full(2000, always))
    assert np.isfinite(found.coefficients).all()
    assert np.abs(found(x) - always).max() < 0.1


def test_keys_that_decide_the_event_altogether_have_a_finite_guess() -> None:
    x = np.random.default_rng(0).normal(size=(1, 2000))
    found = Guide.of(x, (x[0] > 0).astype(float))
    assert np.isfinite(found.coefficients).all()
    assert ((found(x) > 0.5) == (x[0] > 0)).mean() > 0.98
