"""What all tests share: the order of their files, and one estimate from the prior."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from estimator.assumptions import compose

if TYPE_CHECKING:
    from estimator.run import Estimate

gc.set_threshold(50_000, 20, 50)  # to look for cycles takes a tenth of the tests, as in `entry`

PRIOR_ONLY = ("sampler=prior_only", "sampler.prior_draws=60")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: they sample or start clusters, or are marked as slow."""
    ranks: dict[Path, int] = {}
    for item in items:
        names = {mark.name for mark in item.iter_markers()}
        rank = 0 if names & {"sampling", "cluster"} else 1 if "slow" in names else 2
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])


@pytest.fixture(scope="session")
def from_prior() -> Estimate:
    """A set's estimate from its prior: it needs no compilation."""
    from estimator.run import estimate  # imports PyMC, which takes seconds

    return estimate(compose.assumption_set([*PRIOR_ONLY, "label=from prior"]))
