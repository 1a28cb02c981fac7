"""The generative model, one file a part of the story; `build_model` joins them.

====================  ==========================================================================
`inputs`              numbers and structure that the model takes from assumptions and evidence
`functionals`         claims as linear functionals of the months, other constants of the graph
`figures`             published figures on the scales of the model
`linear_maps`         all linear maps of the model, as one sparse operation
`geometry`            coordinates in which the sampler moves
`random_walk`         monthly latent series
`confirmation`        the confirmed floor: change of variables, and the density of the figures
`force`               returns to duty
`forward`             from states to what claims would read: locations, confirmed figures
`claims`              what origins report around their locations
`claim_density`       log density of the claims and its slope, as one operation
`build`               the PyMC model
====================  ==========================================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estimator.model.build import build_model
    from estimator.model.inputs import ModelInputs, model_inputs

__all__ = ["ModelInputs", "build_model", "model_inputs"]

_HOME = {"build_model": "build", "ModelInputs": "inputs", "model_inputs": "inputs"}


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: who reads results does not need PyMC."""
    if name not in _HOME:
        raise AttributeError(f"module 'estimator.model' has no attribute {name!r}")
    return getattr(importlib.import_module(f"estimator.model.{_HOME[name]}"), name)
