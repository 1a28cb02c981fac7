"""What is left when one claim is left out: a mixture of the posteriors without each claim.

Leaving out claim i divides the posterior by p(figure_i | parameters). Importance weights from the
full posterior have heavy tails where the claim says much. Draws from the mixture over i,

    p(parameters | figures) * sum_i share_i / p(figure_i | parameters),

have weights bounded by 1 / share_i for every i, so that one fit serves all claims. (Silva and
Zanella 2023, "Robust leave-one-out cross-validation for high-dimensional Bayesian models", JASA.)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.model.inputs import ModelInputs

NO_SHARE = -1e30
"""Log share of a posterior that is no part of the mixture: finite, so that gradients are."""


def log_mixture(density: TensorVariable, log_share: TensorVariable) -> TensorVariable:
    """Log of what the density of the full posterior is multiplied by.

    Parameters
    ----------
    density
        Log density of each claim's figure. (claim,).
    log_share
        Of the full posterior, then of the posterior without each claim. (1 + claim,).
    """
    terms = log_share + pt.concatenate([pt.zeros(1), -density])
    largest = pt.max(terms)
    return largest + pt.log(pt.sum(pt.exp(terms - largest)))


def with_left_out(inputs: ModelInputs, log_share: np.ndarray) -> ModelInputs:
    """Inputs of the mixture; its structure is one for all shares.

    Parameters
    ----------
    log_share
        As for `log_mixture`; (0, `NO_SHARE`, …) is the full posterior.
    """
    return replace(
        inputs,
        structure=replace(inputs.structure, leaves_out=True),
        data={**inputs.data, "left_out_log_share": np.asarray(log_share, dtype=float)},
    )
