"""The generative model, one file a part of the story; `build_model` joins them.

====================  ==========================================================================
`inputs`              numbers and structure that the model takes from assumptions and evidence
`figures`             published figures on the scales of the model
`linear_maps`         all linear maps of the model, as one sparse operation
`geometry`            coordinates in which the sampler moves
`random_walk`         monthly latent series
`confirmation`        the confirmed floor: change of variables, and the density of the figures
`force`               returns to duty
`claims`              what origins report, with hedges, bias and noise
`claim_density`       log density of the claims and its slope, as one operation
`build`               the PyMC model
====================  ==========================================================================
"""

from estimator.model.build import build_model
from estimator.model.inputs import ModelInputs, model_inputs

__all__ = ["ModelInputs", "build_model", "model_inputs"]
