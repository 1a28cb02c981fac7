"""Priors of assumptions and biases as the numbers that the model takes.

Apart from the model, so that what works on draws does not import PyMC.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.model.figures import reporting_size
from estimator.priors import LINKS

NOTHING = -60.0  # link(NOTHING) is 0 to machine precision: stands for an assumption fixed at 0


def assumption_data(assumptions: AssumptionSet) -> tuple[np.ndarray, np.ndarray]:
    """Location and scale of the assumptions under their link, model units. (assumption,) each."""
    location, scale = np.zeros(len(ASSUMPTIONS)), np.zeros(len(ASSUMPTIONS))
    for position, (key, prior) in enumerate(assumptions.priors()):
        spec = ASSUMPTIONS[key]
        if prior.is_fixed:
            value = float(prior.value or 0.0) / spec.per_model_unit
            location[position] = _link(value, is_share=spec.support == "share")
        elif prior.family in LINKS:
            location[position], scale[position] = prior.location_scale()
            location[position] -= math.log(spec.per_model_unit)
    return location, scale


def _link(value: float, *, is_share: bool) -> float:
    if is_share:
        return float(np.clip(logit(value), NOTHING, -NOTHING))
    return math.log(value) if value > 0 else NOTHING


def reporting_data(sources: list[str], assumptions: AssumptionSet) -> np.ndarray:
    """Columns: location and scale of bias, of drift, and whether one-sided. (source, 5)."""
    rows = []
    for name in sources:
        origin, quantity = name.rsplit(":", 1)
        reporting = assumptions.reporting.of(origin, quantity)
        size = reporting_size(quantity)
        drift = [number / size for number in reporting.drift.location_scale()]
        if reporting.undercount is not None:
            rows.append([*reporting.undercount.location_scale(), *drift, 1.0])
        elif reporting.bias is not None:
            bias = [number / size for number in reporting.bias.location_scale()]
            rows.append([*bias, *drift, 0.0])
    return np.array(rows, dtype=float).reshape(len(rows), 5)
