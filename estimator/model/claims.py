"""What origins report: a weighted sum of a series, on the quantity's scale, with bias and noise.

A figure that is a point (exact, about) is a normal observation. A figure in a band (range, nearly,
more than) or with one open side (at least, under, up to) says that what the origin would have
reported to the person lies in an interval: the log probability of that interval.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.model.claim_density import claim_density
from estimator.model.figures import FIGURES


def reported_figures(
    name: str, location: TensorVariable, figures: TensorVariable, observed: TensorVariable
) -> TensorVariable:
    """Observe the claims (dims ``claim``), each on the scale of its quantity.

    Parameters
    ----------
    location
        Mean of what the origin reports. (claim,).
    figures
        `estimator.model.figures.FIGURES`: ends of the interval of the wording, noise, whether the
        claim is a point, whether it counts. (claim_figure, claim).
    observed
        The figure; for an interval a point inside it. (claim,).
    """

    def forward(
        location: TensorVariable, figures: TensorVariable, size: TensorVariable
    ) -> TensorVariable:
        draw = pm.Normal.dist(0.0, 1.0, shape=location.shape)
        return location + figures[FIGURES.index("noise")] * draw

    def logp(
        value: TensorVariable, location: TensorVariable, figures: TensorVariable
    ) -> TensorVariable:
        return claim_density(value, figures, location)

    return pm.CustomDist(
        name,
        location,
        figures,
        dist=forward,
        logp=logp,
        signature="(c),(f,c)->(c)",
        observed=observed,
        dims="claim",
    )


def claim_locations(
    scale: tuple[str, ...],
    total: TensorVariable,
    rest: TensorVariable,
    shift: TensorVariable,
    size: np.ndarray,
) -> TensorVariable:
    """Where each claim's report would lie without noise, on the scale of its quantity. (claim,).

    Parameters
    ----------
    scale
        Scale of each claim: log, logit, difference or stock (static).
    total
        The claim's functional, thousands.
    rest
        The same of those outside the share, 0 for claims on other quantities.
    shift
        Bias and drift of the source at the claim's time.
    size
        Months that a difference adds up, else 1 (static).
    """
    names = np.array(scale)
    is_share, is_stock = names == "logit", names == "stock"
    positive = is_share | (names == "log")
    ratio = total / pt.switch(is_share, rest, 1.0) if is_share.any() else total
    location = pt.log(pt.switch(positive, ratio, 1.0)) + shift
    if positive.all():
        return location
    linear = total + shift * size
    if is_stock.any():
        linear = pt.switch(is_stock, total * pt.exp(pt.switch(is_stock, shift, 0.0)), linear)
    return pt.switch(positive, location, linear)
