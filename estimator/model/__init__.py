"""The generative model, one file a part of the story; `build_model` joins them.

====================  ==========================================================================
`inputs`              numbers and structure that the model takes from assumptions and evidence
`random_walk`         monthly latent series
`confirmation`        the confirmed floor: change of variables, and the density of the figures
`force`               returns to duty
`claims`              what origins report, with hedges, bias and noise
`build`               the PyMC model
====================  ==========================================================================
"""

from estimator.model.build import build_model
from estimator.model.inputs import ModelInputs, model_inputs

__all__ = ["ModelInputs", "build_model", "model_inputs"]
