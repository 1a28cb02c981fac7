"""One estimate from the prior for all tests of what follows sampling: it needs no compilation."""

from __future__ import annotations

import pytest

from estimator.assumptions.compose import assumption_set
from estimator.run import Estimate, estimate

PRIOR_ONLY = ("sampler=prior_only", "sampler.prior_draws=60")


@pytest.fixture(scope="session")
def from_prior() -> Estimate:
    return estimate(assumption_set([*PRIOR_ONLY, "label=from prior"]))
