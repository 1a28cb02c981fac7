"""Posterior ranges for monthly losses and the net change of a force, from published claims.

>>> import estimator
>>> assumptions = estimator.assumption_set(["assumptions=registry"])
>>> evidence = estimator.load_evidence(assumptions)
>>> model = estimator.build_model(evidence, assumptions)      # a plain PyMC model
>>> found = estimator.estimate(assumptions, evidence=evidence)  # found.tree: an xarray.DataTree
"""

from __future__ import annotations

import importlib
from typing import Any

from estimator.cache import provide_pytensor

_HOME = {
    "assumption_set": "estimator.assumptions.compose",
    "compose_config": "estimator.assumptions.compose",
    "read_claims": "estimator.evidence",
    "load_evidence": "estimator.evidence",
    "build_model": "estimator.model",
    "model_inputs": "estimator.model",
    "estimate": "estimator.run",
    "Estimate": "estimator.run",
    "read_result": "estimator.store.results",
    "save_plots": "estimator.show.figures",
    "plot_forest": "estimator.show.figures",
}

__all__ = sorted(_HOME)

provide_pytensor()


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: PyMC takes seconds."""
    if name not in _HOME:
        raise AttributeError(f"module 'estimator' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
