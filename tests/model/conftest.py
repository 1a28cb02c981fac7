"""One model of the default set for all tests of the model: building it takes seconds."""

from __future__ import annotations

import numpy as np
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.fitting.compiled import CompiledStructure
from estimator.model.build import build_from_inputs
from estimator.model.inputs import ModelInputs, model_inputs


@pytest.fixture(scope="session")
def central_inputs() -> ModelInputs:
    assumptions = assumption_set()
    return model_inputs(load_evidence(assumptions), assumptions)


@pytest.fixture(scope="session")
def central(central_inputs: ModelInputs) -> CompiledStructure:
    return CompiledStructure(build_from_inputs(central_inputs))


@pytest.fixture(scope="session")
def prior_draws(central: CompiledStructure) -> dict[str, np.ndarray]:
    """4,000 forward draws of the free variables. (1, draw, ...)."""
    return central.draw_prior(4000, 20260215)
