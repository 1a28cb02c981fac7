"""Monthly latent series: a first-order process on an unbounded scale.

x[0] ~ Normal(level, step),  x[t] ~ Normal(level + persistence (x[t-1] - level), step).

Persistence 1 is the random walk. Two geometries of the same process: *centred* samples x itself
(good where claims fix the months closely: losses), *non-centred* samples its standardised steps
(good where few claims do: killed share, recruits, foreign recruits).
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.model.confirmation import Floor, FloorTransform


def carried_steps(persistence: float, n_months: int) -> np.ndarray:
    """How much of each month's step is left in each later month. (month, month)."""
    lag = np.arange(n_months)[:, None] - np.arange(n_months)[None, :]
    return np.where(lag >= 0, float(persistence) ** np.maximum(lag, 0), 0.0)


def centred(
    name: str,
    level: TensorVariable,
    step: TensorVariable,
    carried: np.ndarray,
    floor: Floor,
    start: np.ndarray,
) -> TensorVariable:
    """Sample the series itself (dims ``month``).

    Parameters
    ----------
    name
        Name of the random variable.
    level, step
        Scalars on the unbounded scale.
    carried
        As `carried_steps` gives it for the persistence. (month, month).
    floor
        Confirmed figures that the exponential of the series must not fall below. They give the
        geometry only, a change of variables: forward draws from the prior ignore them, for they
        are evidence and enter the density with the confirmed figures.
    start
        Where the sampler starts. (month,).
    """
    n_months = len(carried)
    persistence = float(carried[1, 0]) if n_months > 1 else 0.0

    def forward(*parameters_and_size: TensorVariable) -> TensorVariable:
        level, step, *unused = parameters_and_size[:-1]
        series = level + step * pt.dot(carried, pm.Normal.dist(0.0, 1.0, shape=(n_months,)))
        return series + sum((0.0 * pt.sum(part) for part in unused), start=pt.zeros(()))

    def logp(value: TensorVariable, *parameters: TensorVariable) -> TensorVariable:
        level, step = parameters[:2]
        offset = value - level
        squares = offset[0] ** 2 + pt.sum((offset[1:] - persistence * offset[:-1]) ** 2)
        return -0.5 * squares / step**2 - n_months * (pt.log(step) + 0.5 * np.log(2.0 * np.pi))

    return pm.CustomDist(
        name,
        level,
        step,
        floor.figure,
        floor.offset,
        floor.weight,
        floor.coordinates,
        dist=forward,
        logp=logp,
        signature="(),(),(k),(n),(k,n),(n,n)->(n)",
        transform=FloorTransform(floor.pivots),
        initval=start,
        dims="month",
    )


def non_centred_rows(
    steps: TensorVariable, level: TensorVariable, step: TensorVariable, carried: np.ndarray
) -> TensorVariable:
    """Build several independent series from their standard normal steps.

    Parameters
    ----------
    steps
        (series, month)
    level, step
        On the unbounded scale of each series. (series,).
    carried
        As `carried_steps` gives it for each series. (series, month, month).

    Returns
    -------
    (series, month)
    """
    if (carried == np.tri(carried.shape[1])).all():
        path = pt.cumsum(steps, axis=1)
    else:
        path = pt.stack([pt.dot(carried[row], steps[row]) for row in range(len(carried))])
    return level[:, None] + step[:, None] * path
