"""Monthly latent series: a first-order process on an unbounded scale.

x[0] ~ Normal(level, step),  x[t] ~ Normal(level + persistence (x[t-1] - level), step).

Persistence 1 is the random walk. The step of the losses changes in time. Two geometries of the same
process: *centred* samples x itself
(good where claims fix the months closely: losses), *non-centred* samples its standardised steps
and carries them on, ``x = level + step * carried_steps @ steps`` (good where few claims do: killed
share, recruits, foreign recruits).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.assumptions.groups import WALKS
from estimator.model.confirmation import Floor, FloorTransform

SPARSE_WALKS = tuple(walk for walk in WALKS if walk != "losses")
"""Series of which few claims speak."""


def carried_steps(persistence: float, n_months: int) -> np.ndarray:
    """How much of each month's step is left in each later month. (month, month)."""
    lag = np.arange(n_months)[:, None] - np.arange(n_months)[None, :]
    return np.where(lag >= 0, float(persistence) ** np.maximum(lag, 0), 0.0)


def innovation_map(carried: np.ndarray) -> np.ndarray:
    """Map from the offsets of the series from its level to its steps. (month, month).

    The inverse of `carried_steps`.
    """
    n_months = len(carried)
    persistence = carried[1, 0] if n_months > 1 else 0.0
    return np.eye(n_months) - persistence * np.eye(n_months, k=-1)


def with_level(step: TensorVariable, scale: TensorVariable) -> TensorVariable:
    """Return the steps of a random walk whose level is integrated out: the first has both.

    Parameters
    ----------
    step
        Step of each month. (month,).
    scale
        Standard deviation of the level. ().
    """
    return pt.set_subtensor(step[0], pt.sqrt(step[0] ** 2 + scale**2))


def level_given(
    first: TensorVariable,
    location: TensorVariable,
    scale: TensorVariable,
    first_step: TensorVariable,
    drawn: TensorVariable,
) -> TensorVariable:
    """Return the level of a random walk given its first month: what `with_level` left out.

    Parameters
    ----------
    first
        First month of the series.
    location, scale
        Of the normal prior of the level.
    first_step
        First of the steps that `with_level` gives.
    drawn
        A draw from the prior. What is left of it beside the first month gives the level its own
        uncertainty.
    """
    known = (scale / first_step) ** 2
    return location + known * (first - location) + pt.sqrt(1.0 - known) * (drawn - location)


def centred(
    name: str,
    level: TensorVariable,
    step: TensorVariable,
    carried: np.ndarray,
    innovations: Callable[[TensorVariable], TensorVariable],
    floor: Floor,
    start: np.ndarray,
) -> TensorVariable:
    """Sample the series itself (dims ``month``).

    Parameters
    ----------
    name
        Name of the random variable.
    level, step
        On the unbounded scale; the step of each month. (), (month,).
    carried
        As `carried_steps` gives it for the persistence. (month, month).
    innovations
        The map `innovation_map` as a function.
    floor
        Confirmed figures that the exponential of the series must not fall below. They give the
        geometry only, a change of variables: forward draws from the prior ignore them, for they
        are evidence and enter the density with the confirmed figures.
    start
        Where the sampler starts. (month,).
    """
    n_months = len(carried)

    def forward(*parameters_and_size: TensorVariable) -> TensorVariable:
        level, step, *unused = parameters_and_size[:-1]
        series = level + pt.dot(carried, step * pm.Normal.dist(0.0, 1.0, shape=(n_months,)))
        return series + sum((0.0 * pt.sum(part) for part in unused), start=pt.zeros(()))

    def logp(value: TensorVariable, *parameters: TensorVariable) -> TensorVariable:
        level, step = parameters[:2]
        squares = pt.sum((innovations(value - level) / step) ** 2)
        return -0.5 * squares - pt.sum(pt.log(step)) - 0.5 * n_months * np.log(2.0 * np.pi)

    return pm.CustomDist(
        name,
        level,
        step,
        floor.figure,
        floor.offset,
        floor.weight,
        floor.coordinates,
        floor.ratio,
        pt.ones(()) if floor.pace is None else floor.pace,
        dist=forward,
        logp=logp,
        signature="(),(n),(k),(n),(k,n),(n,n),(),()->(n)",
        transform=FloorTransform(floor.pivots, floor.to_offset_log, paced=floor.pace is not None),
        initval=start,
        dims="month",
    )
