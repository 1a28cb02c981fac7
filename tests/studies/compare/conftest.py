"""Assumption sets and folders that several tests of comparisons share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set
from tests.studies.compare.on_disk import posterior, write_sweep, write_whole


@pytest.fixture(scope="session")
def central() -> AssumptionSet:
    return assumption_set()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, central: AssumptionSet) -> Path:
    """Three whole results; one of them failed its diagnostics."""
    folder = tmp_path_factory.mktemp("outputs") / "run"
    for n, (label, failures) in enumerate((("central", ""), ("low", ""), ("poor", "R-hat 1.08"))):
        rng = np.random.default_rng(n)
        draws = posterior(rng, low=30_000.0 - 3_000.0 * (label == "low"))
        write_whole(folder, label, central, draws, failures=failures)
    return folder


@pytest.fixture(scope="session")
def sweep_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of 30 sets: 2 fitted, 1 failed."""
    return write_sweep(tmp_path_factory.mktemp("outputs") / "sweep", 30, failed=1)
