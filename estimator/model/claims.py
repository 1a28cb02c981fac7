"""What origins report: a weighted sum of a series, on the quantity's scale, with bias and noise.

A figure that is a point (exact, about) is a normal observation. A figure in a band (range, nearly,
more than) or with one open side (at least, under, up to) says that what the origin would have
reported to the person lies in an interval: the log probability of that interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)


def log_normal_cdf(x: TensorVariable) -> TensorVariable:
    """Log of the standard normal distribution function, finite with its gradient everywhere."""
    low = pt.minimum(x, -1.0)
    high = pt.maximum(x, -1.0)
    tail = pt.log(0.5 * pt.erfcx(-low / np.sqrt(2.0))) - 0.5 * low**2
    body = pt.log1p(-0.5 * pt.erfc(high / np.sqrt(2.0)))
    return pt.switch(x < -1.0, tail, body)


def log_interval_probability(
    lower: TensorVariable, upper: TensorVariable, location: TensorVariable, noise: TensorVariable
) -> TensorVariable:
    """Log probability that a normal variable lies in an interval.

    Works from the tail in which the interval lies, so that it neither cancels nor overflows.
    """
    a = (lower - location) / noise
    b = (upper - location) / noise
    flip = (a + b) > 0
    left = pt.switch(flip, -b, a)
    right = pt.switch(flip, -a, b)
    log_right = log_normal_cdf(right)
    return log_right + pt.log1mexp(pt.minimum(log_normal_cdf(left) - log_right, -1e-12))


def reported_figures(
    name: str,
    location: TensorVariable,
    noise: TensorVariable,
    lower: TensorVariable,
    upper: TensorVariable,
    is_point: TensorVariable,
    used: TensorVariable,
    observed: TensorVariable,
) -> TensorVariable:
    """Observe the claims (dims ``claim``), each on the scale of its quantity.

    Parameters
    ----------
    location, noise
        Mean and standard deviation of what the origin reports.
    lower, upper
        Interval of the wording; used where `is_point` is 0.
    used
        1 where the claim counts, else 0.
    observed
        The figure; for an interval a point inside it.
    """

    def forward(location, noise, *others_and_size):  # type: ignore[no-untyped-def]
        draw = pm.Normal.dist(0.0, 1.0, shape=location.shape)
        unused = sum((0.0 * part for part in others_and_size[:-1]), start=0.0 * location)
        return location + noise * draw + unused

    def logp(value, location, noise, lower, upper, is_point, used):  # type: ignore[no-untyped-def]
        point = -0.5 * ((value - location) / noise) ** 2 - pt.log(noise) - _LOG_SQRT_2PI
        interval = log_interval_probability(lower, upper, location, noise)
        return pt.switch(used > 0, pt.switch(is_point > 0, point, interval), 0.0)

    return pm.CustomDist(
        name,
        location,
        noise,
        lower,
        upper,
        is_point,
        used,
        dist=forward,
        logp=logp,
        signature="(c),(c),(c),(c),(c),(c)->(c)",
        observed=observed,
        dims="claim",
    )


@dataclass(frozen=True)
class ClaimTerms:
    """What is known of the claims when they are located; arrays over ``claim`` unless said.

    Attributes
    ----------
    series
        Position of each claim's monthly series (static).
    scale
        Scale of each claim's quantity: log, logit, difference or stock (static).
    weight
        Weights on the months. (claim, month).
    factor
        exp(drift * years to the last month). (claim, month).
    bias, drift
        Bias of the claim's source; its drift times the mean time of the claim.
    size
        Months that a difference adds up, 1 for a rate.
    """

    series: tuple[int, ...]
    scale: tuple[str, ...]
    weight: TensorVariable
    factor: TensorVariable
    bias: TensorVariable
    drift: TensorVariable
    size: TensorVariable


def claim_locations(
    terms: ClaimTerms, series: TensorVariable, whole: TensorVariable, start: TensorVariable
) -> TensorVariable:
    """Where each claim's report would lie without noise, on the scale of its quantity. (claim,).

    Parameters
    ----------
    terms
        The claims.
    series
        Monthly series that claims speak of. (series, month), thousands.
    whole
        Losses, of which a share is a share. (month,), thousands.
    start
        The stock before the first month, thousands.
    """
    scale = np.array(terms.scale)
    is_log, is_share, is_stock = scale == "log", scale == "logit", scale == "stock"
    positive = is_log | is_share
    per_month = terms.weight * series[np.array(terms.series, dtype=int)]
    total = pt.sum(pt.switch(is_log[:, None], terms.factor, 1.0) * per_month, axis=1)
    log_total = pt.log(pt.switch(positive, total, 1.0)) + terms.bias
    if is_share.any():
        rest = pt.dot(terms.weight, whole) - total
        odds = pt.log(pt.switch(is_share, rest, 1.0))
        log_total = pt.switch(is_share, log_total - odds + terms.drift, log_total)
    if positive.all():
        return log_total
    added = terms.bias + terms.drift
    linear = pt.switch(
        is_stock,
        (start + total) * pt.exp(pt.switch(is_stock, added, 0.0)),
        total + added * terms.size,
    )
    return pt.switch(positive, log_total, linear)
