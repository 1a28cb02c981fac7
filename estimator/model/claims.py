"""What origins report: a weighted sum of a series, on the quantity's scale, with bias and noise.

A figure that is a point (exact, about) is a normal observation. A figure in a band (range, nearly,
more than) or with one open side (at least, under, up to) says that what the origin would have
reported to the person lies in an interval: the log probability of that interval, by the weight of
the claim (`estimator.model.figures`).
"""

from __future__ import annotations

import pymc as pm
from pytensor.tensor import TensorVariable

from estimator.model.claim_density import claim_density
from estimator.model.figures import NOISE, USED


def reported_figures(
    name: str,
    location: TensorVariable,
    figures: TensorVariable,
    observed: TensorVariable,
    dim: str = "claim",
) -> TensorVariable:
    """Observe figures, each on the scale of its quantity.

    Parameters
    ----------
    location
        Mean of what the origin reports. (claim,).
    figures
        `estimator.model.figures.FIGURES`: ends of the interval of the wording, noise, whether the
        claim is a point, whether it counts. (claim_figure, claim).
    observed
        The figure; for an interval a point inside it. (claim,).
    dim
        Of the figures, if they are no claims.
    """

    def forward(
        location: TensorVariable, figures: TensorVariable, size: TensorVariable
    ) -> TensorVariable:
        draw = pm.Normal.dist(0.0, 1.0, shape=location.shape)
        return location + figures[NOISE] * draw

    def logp(
        value: TensorVariable, location: TensorVariable, figures: TensorVariable
    ) -> TensorVariable:
        return figures[USED] * claim_density(value, figures, location)

    return pm.CustomDist(
        name,
        location,
        figures,
        dist=forward,
        logp=logp,
        signature="(c),(f,c)->(c)",
        observed=observed,
        dims=dim,
    )
