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
    is_point: np.ndarray,
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

    def forward(location, noise, *others_and_size):
        draw = pm.Normal.dist(0.0, 1.0, shape=location.shape)
        unused = sum((0.0 * part for part in others_and_size[:-1]), start=0.0 * location)
        return location + noise * draw + unused

    def logp(value, location, noise, lower, upper, used):
        point = -0.5 * ((value - location) / noise) ** 2 - pt.log(noise) - _LOG_SQRT_2PI
        interval = log_interval_probability(lower, upper, location, noise)
        return pt.switch(used > 0, pt.switch(is_point > 0, point, interval), 0.0)

    return pm.CustomDist(
        name,
        location,
        noise,
        lower,
        upper,
        used,
        dist=forward,
        logp=logp,
        signature="(c),(c),(c),(c),(c)->(c)",
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
        The same of those outside the share, for the claims on shares alone.
    shift
        Bias and drift of the source at the claim's time.
    size
        Months that a difference adds up, else 1 (static).
    """
    names = np.array(scale)
    is_share, is_stock = names == "logit", names == "stock"
    positive = is_share | (names == "log")
    location = pt.log(pt.switch(positive, total, 1.0)) + shift
    if is_share.any():
        rows = np.flatnonzero(is_share)
        location = pt.inc_subtensor(location[rows], -pt.log(rest))
    if positive.all():
        return location
    linear = total + shift * size
    if is_stock.any():
        linear = pt.switch(is_stock, total * pt.exp(pt.switch(is_stock, shift, 0.0)), linear)
    return pt.switch(positive, location, linear)
